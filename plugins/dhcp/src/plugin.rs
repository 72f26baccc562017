// SPDX-License-Identifier: Apache-2.0

//! The plugin around the clients: one per link and protocol, started and stopped by the commander, which hears of their leases.

use std::collections::BTreeMap;

use nipart_plugin_sdk::{EventContext, Handle, Plugin};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::lease::{DhcpConfig, DhcpStop, LeaseEvent, LeaseKey};
use tokio::sync::mpsc;

use crate::client::ClientHandle;
use crate::error::DhcpError;
use crate::{ra, v4, v6};

/// Lease events that may wait; each client keeps one more and merges what comes after.
const EVENT_QUEUE: usize = 256;

/// Runs clients until the daemon ends the plugin. They end with it, silently: their leases go on.
///
/// # Errors
/// None of its own: what a client can't do is an answer.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    let handle = plugin.handle();
    let (sender, mut events) = mpsc::channel(EVENT_QUEUE);
    let mut clients = Clients {
        running: BTreeMap::new(),
        events: sender,
    };
    loop {
        tokio::select! {
            incoming = plugin.next() => {
                let Some(incoming) = incoming else { return Ok(()) };
                let answer = match incoming.data {
                    EventData::StartDhcp(config) => clients.start(config).await.map(|()| EventData::Done),
                    EventData::StopDhcp(stop) => clients.stop(stop).await.map(|()| EventData::Done),
                    EventData::QueryLeases => Ok(clients.leases()),
                    other => {
                        incoming.question.refuse(&other).await;
                        continue;
                    }
                };
                incoming.question.finish(answer).await;
            }
            Some(event) = events.recv() => tell(&handle, event).await,
        }
    }
}

async fn tell(handle: &Handle, event: LeaseEvent) {
    let context = EventContext::root(Role::Dhcp);
    // Without the daemon the plugin ends anyway.
    if let Err(error) = handle
        .tell(&context, Role::Commander, EventData::LeaseChanged(event))
        .await
    {
        tracing::warn!("a lease event got lost: {error}");
    }
}

struct Clients {
    running: BTreeMap<LeaseKey, (DhcpConfig, ClientHandle)>,
    events: mpsc::Sender<LeaseEvent>,
}

impl Clients {
    /// Starts the client, lets a paused one go on, or replaces one that has other settings.
    async fn start(&mut self, mut config: DhcpConfig) -> Result<(), NipartError> {
        let key = config.key();
        if let Some((known, client)) = self.running.remove(&key) {
            if is_same_client(&known, &config) && client.link_up().is_ok() {
                self.running.insert(key, (known, client));
                return Ok(());
            }
            if let Some(address) = client.status().lease().and_then(|lease| lease.address()) {
                config.set_previous_address(Some(address));
            }
            // It was told nothing yet that the new one wouldn't tell again.
            let _ = client.stop(false).await;
        }
        let client = spawn(config.clone(), self.events.clone()).map_err(|error| refused(&error))?;
        self.running.insert(key, (config, client));
        Ok(())
    }

    async fn stop(&mut self, stop: DhcpStop) -> Result<(), NipartError> {
        let key = LeaseKey {
            interface: stop.interface,
            protocol: stop.protocol,
        };
        if stop.release {
            match self.running.remove(&key) {
                Some((_, client)) => client.stop(true).await.map_err(|error| refused(&error)),
                None => Ok(()),
            }
        } else {
            match self.running.get(&key) {
                Some((_, client)) => client.link_down().map_err(|error| refused(&error)),
                None => Ok(()),
            }
        }
    }

    fn leases(&self) -> EventData {
        EventData::Leases(
            self.running
                .values()
                .filter_map(|(_, client)| client.status().lease())
                .collect(),
        )
    }
}

fn spawn(config: DhcpConfig, events: mpsc::Sender<LeaseEvent>) -> Result<ClientHandle, DhcpError> {
    match config {
        DhcpConfig::Ipv4(config) => v4::client::spawn(config, true, events),
        DhcpConfig::Ipv6(config) => v6::client::spawn(config, true, events),
        DhcpConfig::RouterAdvertisement(config) => ra::client::spawn(config, true, events),
    }
}

/// Whether one client does for both. The address of before is no setting; and who listens to routers is told the same,
/// whoever makes routes of it.
fn is_same_client(known: &DhcpConfig, config: &DhcpConfig) -> bool {
    let settings = |config: &DhcpConfig| {
        let mut config = config.clone();
        config.set_previous_address(None);
        if let DhcpConfig::RouterAdvertisement(discovery) = &mut config {
            discovery.takes_default_route = false;
        }
        config
    };
    settings(known) == settings(config)
}

fn refused(error: &DhcpError) -> NipartError {
    NipartError::new(ErrorKind::KernelRefused, error.to_string())
}

#[cfg(test)]
mod tests;
