// SPDX-License-Identifier: Apache-2.0

//! An offer was taken, its server must confirm (RFC 8415 §18.2.2). Also after a server that had forgotten the lease
//! (NoBinding, §18.2.10.1): then the addresses stay in use meanwhile.

use std::net::Ipv6Addr;

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::bound::Bound;
use super::exchange::{Exchange, REQUEST};
use super::soliciting::Soliciting;
use super::state::State;
use crate::machine::Granted as _;
use crate::v6::granted::Granted;
use crate::v6::message::{ServerDuid, ServerMessage, ServerMessageKind, Status};

/// REQ_MAX_RC.
const ATTEMPTS: u32 = 10;

/// Has taken an offer.
pub(crate) struct Requesting {
    pub(super) exchange: Exchange,
    /// What is in use meanwhile.
    pub(super) held: Option<Granted>,
    /// The server that was chosen: no other one has a say now.
    server: ServerDuid,
    addresses: Vec<Ipv6Addr>,
}

impl Requesting {
    /// Asks `server` for these addresses.
    pub(super) fn enter(
        server: ServerDuid,
        addresses: Vec<Ipv6Addr>,
        held: Option<Granted>,
        context: &mut Context,
    ) -> State {
        let requesting = Requesting {
            exchange: Exchange::new(REQUEST, std::time::Duration::ZERO, context),
            held,
            server,
            addresses,
        };
        requesting.request(context)
    }

    fn request(mut self, context: &mut Context) -> State {
        let addresses = self.addresses.clone();
        self.exchange.say(Some(&self.server), addresses, context);
        State::Requesting(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        let held = self.held.as_ref();
        if held.is_some_and(|held| held.is_expired(context.now)) {
            context.report_loss(LeaseLoss::Expired);
            return Soliciting::enter(None, context);
        }
        if self.exchange.sent < ATTEMPTS {
            return self.request(context);
        }
        tracing::info!(interface = %context.interface, server = %self.server, "DHCPv6 server did not confirm its offer");
        // Settings stay good without an address; addresses that nobody knows of any more do not.
        match self.held {
            Some(held) if !held.addresses.is_empty() => {
                context.report_loss(LeaseLoss::Refused);
                Soliciting::enter(None, context)
            }
            held => Soliciting::enter(held, context),
        }
    }

    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        if message.kind != ServerMessageKind::Reply || message.server != self.server {
            return State::Requesting(self);
        }
        context.learn_limits(message);
        let held = self.held.as_ref();
        if let Some(granted) = context.granted(message, self.exchange.sent_at, held) {
            return Bound::enter(granted, held, context);
        }
        // A server that failed may do better when it is asked again (RFC 8415 §18.2.10).
        if matches!(message.status, Status::Other(_)) {
            return State::Requesting(self);
        }
        let wait = context.refused(message, held, &self.addresses);
        Soliciting::after_refusal(wait, context)
    }
}
