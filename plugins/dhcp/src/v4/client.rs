// SPDX-License-Identifier: Apache-2.0

//! The DHCPv4 client of one link: see [`crate::client`].

mod sockets;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use nipart_schemas::lease::Dhcpv4Config;
use tokio::sync::mpsc;

use crate::client::{self, AnyGranted, ClientHandle};
use crate::clock::SystemRandom;
use crate::error::DhcpError;
use crate::events::LeaseEvent;
use crate::v4::granted::Granted;
use crate::v4::machine::Machine;

use sockets::Sockets;

/// Starts a client; with the link up it asks for an address at once. News go to `events`.
///
/// Must be called inside a tokio runtime with I/O, in the network namespace of the link. Packet sockets are closed on the
/// runtime's blocking threads: a small `max_blocking_threads` is enough.
///
/// # Errors
/// [`DhcpError`] when there is no such link, when it cannot do DHCP, or when the right to open packet sockets is missing.
pub fn spawn(
    config: Dhcpv4Config,
    link_is_up: bool,
    events: mpsc::Sender<LeaseEvent>,
) -> Result<ClientHandle, DhcpError> {
    let interface = config.interface.clone();
    let previous_address = config
        .previous_address
        .filter(|address| *address != Ipv4Addr::UNSPECIFIED);
    let machine = Machine::new(&interface, previous_address, Box::new(SystemRandom));
    client::spawn(
        &interface,
        machine,
        Sockets::new(config),
        link_is_up,
        events,
    )
}

impl From<Granted> for AnyGranted {
    fn from(granted: Granted) -> Self {
        Self::Ipv4(granted)
    }
}
