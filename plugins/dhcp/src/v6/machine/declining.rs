// SPDX-License-Identifier: Apache-2.0

//! Another host has an address of the lease: the server is told, so that it lends it to nobody (RFC 8415 §18.2.8).
//!
//! The address is lost at once, and not asked for again. The other addresses of the lease, if there are any, stay in use.

use std::net::Ipv6Addr;
use std::time::Duration;

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::bound::Bound;
use super::exchange::{DECLINE, Exchange};
use super::soliciting::Soliciting;
use super::state::State;
use crate::machine::{Granted as _, wait_after_conflict};
use crate::v6::granted::Granted;
use crate::v6::message::{ServerDuid, ServerMessage, ServerMessageKind};

/// DEC_MAX_RC: Declines before the server is left to find out by itself, after 1 + 2 + 4 + 8 s.
const ATTEMPTS: u32 = 4;

/// Tells its server.
pub(crate) struct Declining {
    pub(super) exchange: Exchange,
    /// What is left of the lease.
    pub(super) held: Option<Granted>,
    /// Who has lent the addresses.
    server: ServerDuid,
    /// Those that another host has.
    declined: Vec<Ipv6Addr>,
    /// When others may be asked for.
    search_at: Duration,
}

impl Declining {
    /// The last of the `declined` addresses is one of the lease `granted`, which loses it.
    pub(super) fn enter(
        granted: &Granted,
        declined: Vec<Ipv6Addr>,
        context: &mut Context,
    ) -> State {
        let held = declined
            .last()
            .and_then(|address| granted.without(*address, context.now));
        match &held {
            Some(held) => context.report_lease(held, Some(granted)),
            None => context.report_loss(LeaseLoss::Conflict),
        }
        let wish = held.as_ref().and_then(|held| held.addresses.first());
        context.previous_address = wish.map(|held| held.address);
        context.memory.kept = None;
        if declined.len() == 1 {
            context.memory.conflicts = context.memory.conflicts.saturating_add(1);
        }
        let wait = wait_after_conflict(context.memory.conflicts, context.random.as_mut());
        let server = granted.server.clone();
        tracing::warn!(interface = %context.interface, %server, ?declined, "another host has the leased address: it is declined");
        let declining = Declining {
            exchange: Exchange::new(DECLINE, Duration::ZERO, context),
            held,
            server,
            declined,
            search_at: context.now + wait,
        };
        declining.decline(context)
    }

    /// One more address is another host's: all are named anew.
    pub(super) fn add(self, granted: &Granted, address: Ipv6Addr, context: &mut Context) -> State {
        let mut declined = self.declined;
        declined.push(address);
        Declining::enter(granted, declined, context)
    }

    fn decline(mut self, context: &mut Context) -> State {
        let declined = self.declined.clone();
        self.exchange.say(Some(&self.server), declined, context);
        State::Declining(self)
    }

    pub(super) fn on_timer(mut self, context: &mut Context) -> State {
        let is_over = |held: &mut Granted| held.is_expired(context.now);
        if self.held.take_if(is_over).is_some() {
            context.report_loss(LeaseLoss::Expired);
        }
        if self.exchange.retransmit_at > context.now {
            return State::Declining(self);
        }
        match self.exchange.sent < ATTEMPTS {
            true => self.decline(context),
            false => self.go_on(context),
        }
    }

    /// Whatever the answer says, it is one (RFC 8415 §18.2.10.3).
    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        if message.kind != ServerMessageKind::Reply || message.server != self.server {
            return State::Declining(self);
        }
        context.learn_limits(message);
        self.go_on(context)
    }

    fn go_on(self, context: &mut Context) -> State {
        match self.held {
            Some(held) => Bound::resume(held, context),
            None => {
                let wait = self.search_at.saturating_sub(context.now);
                Soliciting::after_refusal(wait, context)
            }
        }
    }
}
