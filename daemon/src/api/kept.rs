// SPDX-License-Identifier: Apache-2.0

//! The checkpoints that one connection keeps: they are taken back when it ends.
//!
//! Kept is what a client asked for with `hang_up`, and any change whose client has not heard of its checkpoint: it
//! couldn't commit it.

use nipart_api::END_TIMEOUT;
use nipart_schemas::error::ErrorKind;
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::request::CheckpointRequest;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::handle::CoreHandle;

/// Checkpoints by their ids: those of the chains that made them.
#[derive(Debug, Default)]
pub(super) struct KeptCheckpoints {
    /// Of the apply that is being worked on, and whether it stays when that is replied to.
    current: Option<(Uuid, bool)>,
    kept: Vec<Uuid>,
}

impl KeptCheckpoints {
    /// An apply has begun that may leave a checkpoint.
    pub(super) fn begun(&mut self, chain: Uuid, ends_with_connection: bool) {
        self.current = Some((chain, ends_with_connection));
    }

    /// The apply has failed, and left none; unless only its answer came too late.
    pub(super) fn failed(&mut self, kind: ErrorKind) {
        if let Some((chain, _)) = self.current.take()
            && kind == ErrorKind::Timeout
        {
            self.kept.push(chain);
        }
    }

    /// The client has been told.
    pub(super) fn told(&mut self) {
        if let Some((chain, true)) = self.current.take() {
            self.kept.push(chain);
        }
    }

    /// A checkpoint was committed or taken back. The newest isn't known here: it stays, and isn't found later.
    pub(super) fn ended(&mut self, checkpoint: Option<&str>) {
        if let Some(prefix) = checkpoint {
            self.kept
                .retain(|chain| !chain.to_string().starts_with(prefix));
        }
    }

    /// The connection has ended: takes them back, the newest first.
    pub(super) async fn take_back(self, core: &CoreHandle) {
        let current = self.current.map(|(chain, _)| chain);
        for chain in current.into_iter().chain(self.kept.into_iter().rev()) {
            let request = EventData::Rollback(CheckpointRequest {
                checkpoint: Some(chain.to_string()),
            });
            match core.call(Role::Commander, request, END_TIMEOUT, None).await {
                Ok(_) => {
                    warn!(%chain, "whoever should have committed this change has gone: it was taken back")
                }
                Err(error) if error.kind == ErrorKind::NotFound => {
                    debug!(%chain, "a change that was kept for a client has ended before");
                }
                Err(error) => {
                    warn!(%chain, "a change whose client has gone can't be taken back now, but when its time is over: {error}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_can_still_commit_is_not_kept() {
        let chain = Uuid::now_v7();
        let after = |work: fn(&mut KeptCheckpoints)| {
            let mut kept = KeptCheckpoints::default();
            kept.begun(chain, true);
            work(&mut kept);
            kept.kept.contains(&chain) || kept.current.is_some()
        };
        assert!(after(|_| {}));
        assert!(after(|kept| kept.told()));
        assert!(after(|kept| kept.failed(ErrorKind::Timeout)));
        assert!(!after(|kept| kept.failed(ErrorKind::KernelRefused)));
        let mut kept = KeptCheckpoints::default();
        kept.begun(chain, false);
        kept.told();
        assert!(kept.kept.is_empty() && kept.current.is_none());
        kept.begun(chain, true);
        kept.told();
        kept.ended(None);
        kept.ended(Some("ffff"));
        assert_eq!(kept.kept, [chain]);
        kept.ended(Some(&chain.to_string()[..8]));
        assert!(kept.kept.is_empty());
    }
}
