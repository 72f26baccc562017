// SPDX-License-Identifier: Apache-2.0

//! REBINDING (RFC 2131 §4.4.5): T2 has passed without an answer; any server may give more time, or end the lease.

use std::time::Duration;

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::bound::{Bound, continue_lease};
use super::init::Init;
use super::retransmission::next_renewal;
use super::state::State;
use crate::granted::Granted;
use crate::message::{
    ClientMessage, ClientMessageKind, LinkAddress, Path, ServerMessage, ServerMessageKind,
};

/// Asks any server for more time.
pub(super) struct Rebinding {
    pub(super) granted: Granted,
    pub(super) transaction: u32,
    /// When to ask again, unless the lease ends first.
    pub(super) retry_at: Duration,
    began: Duration,
    sent_at: Duration,
}

impl Rebinding {
    pub(super) fn enter(granted: Granted, context: &mut Context) -> State {
        let rebinding = Rebinding {
            granted,
            transaction: context.random.number(),
            retry_at: context.now,
            began: context.now,
            sent_at: context.now,
        };
        rebinding.request(context)
    }

    /// As in RENEWING, but to everybody (RFC 2131 §4.3.2).
    fn request(mut self, context: &mut Context) -> State {
        let address = self.granted.lease.address;
        let message = ClientMessage {
            kind: ClientMessageKind::Request,
            transaction: self.transaction,
            seconds: context.seconds_since(self.began),
            client_address: address,
            requested_address: None,
            server: None,
        };
        context.send(message, Path::Broadcast { source: address });
        self.sent_at = context.now;
        self.retry_at = next_renewal(self.began, self.granted.expires_at, context);
        State::Rebinding(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self.granted.is_expired(context.now) {
            return continue_lease(self.granted, context);
        }
        self.request(context)
    }

    pub(super) fn on_packet(
        self,
        message: &ServerMessage,
        from: LinkAddress,
        context: &mut Context,
    ) -> State {
        match message.kind {
            ServerMessageKind::Acknowledge => match context.granted(message, from, self.sent_at) {
                Some(granted) => Bound::enter(granted, Some(&self.granted), context),
                None => State::Rebinding(self),
            },
            ServerMessageKind::Refuse => {
                context.report_loss(LeaseLoss::Refused);
                Init::after_refusal(message.server, message.text.as_deref(), context)
            }
            ServerMessageKind::Offer => State::Rebinding(self),
        }
    }
}
