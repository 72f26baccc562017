// SPDX-License-Identifier: Apache-2.0

//! SELECTING (RFC 2131 §4.4.1): DISCOVER goes out until an OFFER comes in. The first offer is taken: waiting for a
//! better one would delay every boot for a choice that hardly any network gives.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::requesting::Requesting;
use super::retransmission::wait_for_answer;
use super::state::State;
use super::{Context, Outgoing};
use crate::v4::message::{
    ClientMessage, ClientMessageKind, Path, ServerMessage, ServerMessageKind,
};

/// Looks for servers.
pub(crate) struct Selecting {
    /// Kept through all retransmissions: an offer that was slow to come is as good as another.
    pub(super) transaction: u32,
    /// When to say DISCOVER again.
    pub(super) retransmit_at: Duration,
    /// When the first DISCOVER went out.
    began: Duration,
    /// DISCOVERs sent so far.
    attempts: u32,
    /// `secs` of the last DISCOVER.
    seconds: u16,
}

impl Selecting {
    /// Sends the first DISCOVER at once. RFC 2131 would have 1 to 10 s of delay here against thundering herds; jitter
    /// in the retransmissions serves that purpose, and everybody waits for an address.
    pub(super) fn enter(context: &mut Context) -> State {
        let selecting = Selecting {
            transaction: context.random.number(),
            retransmit_at: context.now,
            began: context.now,
            attempts: 0,
            seconds: 0,
        };
        selecting.discover(context)
    }

    fn discover(mut self, context: &mut Context) -> State {
        self.seconds = context.seconds_since(self.began);
        let message = ClientMessage {
            kind: ClientMessageKind::Discover,
            transaction: self.transaction,
            seconds: self.seconds,
            client_address: Ipv4Addr::UNSPECIFIED,
            // A wish only: the server may offer another.
            requested_address: context.previous_address,
            server: None,
        };
        let path = Path::Broadcast {
            source: Ipv4Addr::UNSPECIFIED,
        };
        context.send(Outgoing { message, path });
        self.retransmit_at = context.now + wait_for_answer(self.attempts, context.random.as_mut());
        self.attempts = self.attempts.saturating_add(1);
        State::Selecting(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        self.discover(context)
    }

    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        match message.kind {
            ServerMessageKind::Offer => {
                Requesting::enter(self.transaction, self.seconds, message, context)
            }
            ServerMessageKind::Acknowledge | ServerMessageKind::Refuse => State::Selecting(self),
        }
    }
}
