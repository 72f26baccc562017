// SPDX-License-Identifier: Apache-2.0

//! The client that discovers the routers of one link: see [`crate::client`].

mod sockets;
#[cfg(test)]
mod tests;

use nipart_schemas::lease::DiscoveryConfig;
use tokio::sync::mpsc;

use crate::client::{self, AnyGranted, ClientHandle};
use crate::clock::SystemRandom;
use crate::error::DhcpError;
use crate::events::LeaseEvent;
use crate::ra::machine::{Machine, Told};

use sockets::Sockets;

/// Starts a client; with the link up it asks routers at once, or as soon as the link has a link-local address, and listens
/// to them from then on. News go to `events`.
///
/// Must be called inside a tokio runtime with I/O, in the network namespace of the link.
///
/// # Errors
/// [`DhcpError`] when there is no such link, or when the right to raw sockets is missing.
pub fn spawn(
    config: DiscoveryConfig,
    link_is_up: bool,
    events: mpsc::Sender<LeaseEvent>,
) -> Result<ClientHandle, DhcpError> {
    let interface = config.interface;
    let machine = Machine::new(&interface, None, Box::new(SystemRandom));
    let sockets = Sockets::new(&interface);
    client::spawn(&interface, machine, sockets, link_is_up, events)
}

impl From<Told> for AnyGranted {
    fn from(told: Told) -> Self {
        Self::RouterAdvertisement(told)
    }
}
