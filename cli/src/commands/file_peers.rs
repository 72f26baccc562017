// SPDX-License-Identifier: Apache-2.0

//! Chains that look at a file instead of a network: so what is said of it is what the daemon would say.

use std::sync::Arc;
use std::time::Duration;

use nipart_commander::peers::Peers;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::network_state::NetworkState;
use uuid::Uuid;

/// What stands in for the plugins: a state that is shown whatever is asked for, nothing saved, nothing leased.
#[derive(Debug, Clone)]
pub(super) struct FilePeers {
    current: Arc<NetworkState>,
}

impl FilePeers {
    pub(super) fn new(current: NetworkState) -> Self {
        Self {
            current: Arc::new(current),
        }
    }
}

impl Peers for FilePeers {
    async fn ask(
        &self,
        receiver: Role,
        data: EventData,
        _timeout: Duration,
    ) -> Result<EventData, NipartError> {
        let names = || NetworkState {
            hostname: self.current.hostname.clone(),
            dns_resolver: self.current.dns_resolver.clone(),
            ..NetworkState::default()
        };
        Ok(match data {
            EventData::Query(_) if receiver == Role::Dns => {
                EventData::State(Box::new(names().into()))
            }
            EventData::Query(_) => EventData::State(Box::new(self.current.as_ref().clone().into())),
            EventData::Decide(request) => {
                EventData::Decision(Box::new(nipart_state::decide(&request)?))
            }
            EventData::LoadSaved(_) => EventData::Saved(Box::default()),
            EventData::QueryLeases => EventData::Leases(Vec::new()),
            other => {
                return Err(NipartError::new(
                    ErrorKind::NotSupported,
                    format!("a file can't be asked `{}`", other.name()),
                ));
            }
        })
    }

    fn detached(&self) -> Self {
        self.clone()
    }

    fn chain(&self) -> Uuid {
        Uuid::nil()
    }
}
