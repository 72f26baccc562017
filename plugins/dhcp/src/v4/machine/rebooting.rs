// SPDX-License-Identifier: Apache-2.0

//! INIT-REBOOT and REBOOTING (RFC 2131 §3.2, §4.3.2, §4.4.2): may I have the address of last time? Saves one round
//! trip, and finds out fast when the host has moved to another network.

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

/// Asks for an address that it had before.
pub(crate) struct Rebooting {
    pub(super) transaction: u32,
    address: Ipv4Addr,
    /// When to stop waiting. A server that does not know the client must stay silent, so silence is a common answer:
    /// DISCOVER, which carries the same wish, is the better second try.
    pub(super) give_up_at: Duration,
    sent_at: Duration,
}

impl Rebooting {
    /// Asks for `address`: option 50, no server identifier, to everybody (RFC 2131 §4.3.2).
    pub(super) fn enter(address: Ipv4Addr, context: &mut Context) -> State {
        let transaction = context.random.number();
        let message = ClientMessage {
            kind: ClientMessageKind::Request,
            transaction,
            seconds: 0,
            client_address: Ipv4Addr::UNSPECIFIED,
            requested_address: Some(address),
            server: None,
        };
        let path = Path::Broadcast {
            source: Ipv4Addr::UNSPECIFIED,
        };
        context.send(Outgoing { message, path });
        let give_up_at = context.now + wait_for_answer(0, context.random.as_mut());
        State::Rebooting(Rebooting {
            transaction,
            address,
            give_up_at,
            sent_at: context.now,
        })
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        Selecting::enter(context)
    }

    pub(super) fn on_packet(
        self,
        message: &ServerMessage,
        from: LinkAddress,
        context: &mut Context,
    ) -> State {
        match message.kind {
            ServerMessageKind::Acknowledge => match context.granted(message, from, self.sent_at) {
                Some(granted) => Bound::enter(granted, None, context),
                None => State::Rebooting(self),
            },
            ServerMessageKind::Refuse => Init::after_refusal(
                self.address,
                message.server,
                message.text.as_deref(),
                context,
            ),
            ServerMessageKind::Offer => State::Rebooting(self),
        }
    }
}
