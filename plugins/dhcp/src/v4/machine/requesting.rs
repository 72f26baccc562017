// SPDX-License-Identifier: Apache-2.0

//! REQUESTING (RFC 2131 §4.4.1): an offer was taken, its server must confirm. Broadcast, so that the servers that were
//! not chosen hear of it too.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::bound::Bound;
use super::init::Init;
use super::retransmission::wait_for_answer;
use super::selecting::Selecting;
use super::state::State;
use super::{Context, Outgoing};
use crate::v4::message::{
    ClientMessage, ClientMessageKind, LinkAddress, Path, ServerMessage, ServerMessageKind,
};

/// REQUESTs sent before the offer is given up: after about 4 + 8 + 16 + 32 = 60 s (RFC 2131 §3.1, step 5).
const ATTEMPTS: u32 = 4;

/// Has taken an offer.
pub(crate) struct Requesting {
    /// That of the DISCOVER: the offer and the acknowledgement belong to one exchange.
    pub(super) transaction: u32,
    /// When to say REQUEST again, or to give up.
    pub(super) retransmit_at: Duration,
    /// The address that was offered.
    address: Ipv4Addr,
    /// The server that was chosen: no other one has a say now.
    server: Ipv4Addr,
    /// `secs` of the last DISCOVER, which must not change (RFC 2131 §4.4.1).
    seconds: u16,
    /// REQUESTs sent so far.
    attempts: u32,
    /// When the last one went out.
    sent_at: Duration,
}

impl Requesting {
    /// Takes `offer` and says so at once.
    pub(super) fn enter(
        transaction: u32,
        seconds: u16,
        offer: &ServerMessage,
        context: &mut Context,
    ) -> State {
        let requesting = Requesting {
            transaction,
            retransmit_at: context.now,
            address: offer.address,
            server: offer.server,
            seconds,
            attempts: 0,
            sent_at: context.now,
        };
        requesting.request(context)
    }

    fn request(mut self, context: &mut Context) -> State {
        let message = ClientMessage {
            kind: ClientMessageKind::Request,
            transaction: self.transaction,
            seconds: self.seconds,
            client_address: Ipv4Addr::UNSPECIFIED,
            requested_address: Some(self.address),
            server: Some(self.server),
        };
        let path = Path::Broadcast {
            source: Ipv4Addr::UNSPECIFIED,
        };
        context.send(Outgoing { message, path });
        self.sent_at = context.now;
        self.retransmit_at = context.now + wait_for_answer(self.attempts, context.random.as_mut());
        self.attempts += 1;
        State::Requesting(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self.attempts < ATTEMPTS {
            return self.request(context);
        }
        tracing::info!(interface = %context.interface, server = %self.server, address = %self.address, "DHCP server did not confirm its offer");
        Selecting::enter(context)
    }

    pub(super) fn on_packet(
        self,
        message: &ServerMessage,
        from: LinkAddress,
        context: &mut Context,
    ) -> State {
        if message.server != self.server {
            return State::Requesting(self);
        }
        match message.kind {
            ServerMessageKind::Acknowledge => match context.granted(message, from, self.sent_at) {
                Some(granted) => Bound::enter(granted, None, context),
                None => State::Requesting(self),
            },
            ServerMessageKind::Refuse => Init::after_refusal(
                self.address,
                message.server,
                message.text.as_deref(),
                context,
            ),
            ServerMessageKind::Offer => State::Requesting(self),
        }
    }
}
