// SPDX-License-Identifier: Apache-2.0

//! RENEWING (RFC 2131 §4.4.5): T1 has passed; the server that granted the lease is asked for more time, and only it is
//! believed. The address stays in use.

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

/// Asks its server for more time.
pub(super) struct Renewing {
    pub(super) granted: Granted,
    pub(super) transaction: u32,
    /// When to ask again, unless T2 comes first.
    pub(super) retry_at: Duration,
    began: Duration,
    sent_at: Duration,
}

impl Renewing {
    pub(super) fn enter(granted: Granted, context: &mut Context) -> State {
        let renewing = Renewing {
            granted,
            transaction: context.random.number(),
            retry_at: context.now,
            began: context.now,
            sent_at: context.now,
        };
        renewing.request(context)
    }

    /// Unicast with `ciaddr`, without options 50 and 54 (RFC 2131 §4.3.2).
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
        context.send(
            message,
            Path::Routed {
                source: address,
                destination: self.granted.lease.server,
            },
        );
        self.sent_at = context.now;
        self.retry_at = next_renewal(self.began, self.granted.rebind_at, context);
        State::Renewing(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self
            .granted
            .rebind_at
            .is_some_and(|rebind_at| rebind_at <= context.now)
        {
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
        if message.server != self.granted.lease.server {
            return State::Renewing(self);
        }
        match message.kind {
            ServerMessageKind::Acknowledge => match context.granted(message, from, self.sent_at) {
                Some(granted) => Bound::enter(granted, Some(&self.granted), context),
                None => State::Renewing(self),
            },
            ServerMessageKind::Refuse => {
                context.report_loss(LeaseLoss::Refused);
                Init::after_refusal(message.server, message.text.as_deref(), context)
            }
            ServerMessageKind::Offer => State::Renewing(self),
        }
    }
}
