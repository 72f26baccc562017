// SPDX-License-Identifier: Apache-2.0

//! Asking for more time (RFC 2131 §4.4.5): what RENEWING and REBINDING have in common. The address stays in use.

use std::time::Duration;

use super::bound::Bound;
use super::init::Init;
use super::retransmission::next_renewal;
use super::state::State;
use super::{Context, Outgoing};
use crate::v4::granted::Granted;
use crate::v4::message::{
    ClientMessage, ClientMessageKind, LinkAddress, Path, ServerMessage, ServerMessageKind,
};

/// A lease, and what has been asked of it.
pub(super) struct Extension {
    pub(super) granted: Granted,
    pub(super) transaction: u32,
    /// When to ask again, unless the state ends first.
    pub(super) retry_at: Duration,
    began: Duration,
    sent_at: Duration,
}

impl Extension {
    pub(super) fn new(granted: Granted, context: &mut Context) -> Self {
        Self {
            granted,
            transaction: context.random.number(),
            retry_at: context.now,
            began: context.now,
            sent_at: context.now,
        }
    }

    /// With `ciaddr`, without options 50 and 54 (RFC 2131 §4.3.2). `until` is when the state ends.
    pub(super) fn request(&mut self, path: Path, until: Option<Duration>, context: &mut Context) {
        let message = ClientMessage {
            kind: ClientMessageKind::Request,
            transaction: self.transaction,
            seconds: context.seconds_since(self.began),
            client_address: self.granted.lease.address,
            requested_address: None,
            server: None,
        };
        context.send(Outgoing { message, path });
        self.sent_at = context.now;
        self.retry_at = next_renewal(self.began, until, context);
    }

    /// Where a reply leads; none when it changes nothing.
    pub(super) fn on_packet(
        &self,
        message: &ServerMessage,
        from: LinkAddress,
        context: &mut Context,
    ) -> Option<State> {
        match message.kind {
            ServerMessageKind::Acknowledge => {
                let granted = context.granted(message, from, self.sent_at)?;
                Some(Bound::enter(granted, Some(&self.granted), context))
            }
            ServerMessageKind::Refuse => {
                let text = message.text.as_deref();
                Some(Init::after_refusal(
                    self.granted.lease.address,
                    message.server,
                    text,
                    context,
                ))
            }
            ServerMessageKind::Offer => None,
        }
    }
}
