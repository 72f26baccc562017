// SPDX-License-Identifier: Apache-2.0

//! The DHCPv6 client of one link: see [`crate::client`].

mod sockets;
#[cfg(test)]
mod tests;

use nipart_schemas::lease::Dhcpv6Config;
use tokio::sync::mpsc;

use crate::client::{self, AnyGranted, ClientHandle};
use crate::clock::SystemRandom;
use crate::error::DhcpError;
use crate::events::LeaseEvent;
use crate::v6::granted::Granted;
use crate::v6::machine::Machine;

use sockets::Sockets;

/// Starts a client; with the link up it asks for addresses at once, or as soon as the link has a link-local address.
/// News go to `events`.
///
/// Must be called inside a tokio runtime with I/O, in the network namespace of the link.
///
/// # Errors
/// [`DhcpError`] when there is no such link, when it cannot do DHCP, or when the right to the client's port is missing.
pub fn spawn(
    config: Dhcpv6Config,
    link_is_up: bool,
    events: mpsc::Sender<LeaseEvent>,
) -> Result<ClientHandle, DhcpError> {
    let interface = config.interface.clone();
    let previous_address = config.previous_address.filter(|address| {
        !(address.is_unspecified() || address.is_multicast() || address.is_unicast_link_local())
    });
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
        Self::Ipv6(granted)
    }
}
