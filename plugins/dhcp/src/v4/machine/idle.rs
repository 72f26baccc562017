// SPDX-License-Identifier: Apache-2.0

//! `Stopped` and `Unlinked`, and the commands that lead there from every state: they mean the same in all of them.

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::rebooting::Rebooting;
use super::selecting::Selecting;
use super::state::State;
use crate::v4::granted::Granted;
use crate::v4::message::{ClientMessage, ClientMessageKind, Path};

impl State {
    /// Begins, or waits for the link. A second start changes nothing.
    pub(super) fn on_start(self, context: &mut Context) -> State {
        match self {
            Self::Stopped if context.link_is_up => begin(context),
            Self::Stopped => Self::Unlinked,
            running => running,
        }
    }

    /// The link carries packets again: perhaps elsewhere, so an old address must be confirmed first.
    pub(super) fn on_link_up(self, context: &mut Context) -> State {
        context.link_is_up = true;
        match self {
            Self::Unlinked => begin(context),
            other => other,
        }
    }

    /// The link is gone: forget the exchange, remember the address.
    pub(super) fn on_link_down(self, context: &mut Context) -> State {
        context.link_is_up = false;
        if let Some(granted) = self.lease() {
            context.previous_address = Some(granted.lease.address);
            context.report_loss(LeaseLoss::LinkLost);
        }
        match self {
            Self::Stopped => self,
            _ => Self::Unlinked,
        }
    }

    /// Ends, politely when told to (RFC 2131 §4.4.6).
    pub(super) fn on_stop(self, release: bool, context: &mut Context) -> State {
        if release && let Some(granted) = self.lease() {
            // Before the loss is reported: the address is still ours when the message leaves.
            send_release(granted, context);
            context.report_loss(LeaseLoss::Released);
            context.previous_address = None;
        }
        Self::Stopped
    }
}

/// Asks for the address of old (INIT-REBOOT), or for any.
fn begin(context: &mut Context) -> State {
    match context.previous_address {
        Some(address) => Rebooting::enter(address, context),
        None => Selecting::enter(context),
    }
}

/// Tells the server that the address is free; there is no answer to it.
///
/// It goes straight to the hardware address that the lease came from. Through the kernel it could wait for ARP, and be
/// dropped when the address is taken off the link a moment later.
fn send_release(granted: &Granted, context: &mut Context) {
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
    context.send(message, path);
}
