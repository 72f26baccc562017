// SPDX-License-Identifier: Apache-2.0

//! The ways out of `Unlinked` and, politely, into `Stopped`.

use super::rebooting::Rebooting;
use super::selecting::Selecting;
use super::state::State;
use super::{Context, Outgoing};
use crate::v4::granted::Granted;
use crate::v4::message::{ClientMessage, ClientMessageKind, Path};

/// Asks for the address of old (INIT-REBOOT), or for any.
pub(super) fn begin(context: &mut Context) -> State {
    match context.previous_address {
        Some(address) => Rebooting::enter(address, context),
        None => Selecting::enter(context),
    }
}

/// Tells the server that the address is free; there is no answer to it.
///
/// It goes straight to the hardware address that the lease came from. Through the kernel it could wait for ARP, and be
/// dropped when the address is taken off the link a moment later.
pub(super) fn send_release(granted: &Granted, context: &mut Context) {
    let lease = &granted.lease;
    let message = ClientMessage {
        kind: ClientMessageKind::Release,
        transaction: context.random.number(),
        seconds: 0,
        client_address: lease.address,
        requested_address: None,
        server: Some(lease.server),
    };
    let path = Path::Direct {
        source: lease.address,
        destination: lease.server,
        neighbour: granted.neighbour,
    };
    context.send(Outgoing { message, path });
}
