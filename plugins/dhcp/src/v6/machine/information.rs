// SPDX-License-Identifier: Apache-2.0

//! Settings where there are no addresses (RFC 8415 §18.2.6, §18.2.10.4): asked for once, then addresses are looked for
//! again after the information refresh time, and the settings with them.

use std::time::Duration;

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::exchange::{Exchange, INFORM};
use super::soliciting::Soliciting;
use super::state::State;
use crate::v6::granted::Granted;
use crate::v6::message::{ServerMessage, ServerMessageKind};

/// Information-requests before addresses are looked for again: a server without either must not end the search.
const ATTEMPTS: u32 = 4;

/// Asks for settings.
pub(crate) struct InformationRequesting {
    pub(super) exchange: Exchange,
    /// The search that goes on if nobody answers.
    pub(super) soliciting: Soliciting,
}

impl InformationRequesting {
    pub(super) fn enter(soliciting: Soliciting, context: &mut Context) -> State {
        let asking = InformationRequesting {
            exchange: Exchange::new(INFORM, Duration::ZERO, context),
            soliciting,
        };
        asking.ask(context)
    }

    fn ask(mut self, context: &mut Context) -> State {
        self.exchange.limit(context.memory.information_limit);
        self.exchange.say(None, Vec::new(), context);
        State::InformationRequesting(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self.exchange.sent < ATTEMPTS {
            return self.ask(context);
        }
        self.soliciting.solicit(context)
    }

    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        if message.kind != ServerMessageKind::Reply {
            return State::InformationRequesting(self);
        }
        context.learn_limits(message);
        let granted = Granted::settings(&context.interface, message, self.exchange.sent_at);
        Informed::enter(granted, self.soliciting.held.as_ref(), context)
    }
}

/// Has settings, or knows that there are none.
pub(crate) struct Informed {
    /// What is in use.
    pub(super) granted: Option<Granted>,
    /// When to look for addresses again.
    pub(super) until: Duration,
}

impl Informed {
    fn enter(granted: Granted, before: Option<&Granted>, context: &mut Context) -> State {
        let until = granted.renew_at.unwrap_or(context.now);
        let granted = Some(granted).filter(|granted| !granted.is_empty());
        match (&granted, before) {
            (Some(granted), before) => context.report_lease(granted, before),
            (None, Some(_)) => context.report_loss(LeaseLoss::Refused),
            (None, None) => {}
        }
        State::Informed(Informed { granted, until })
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        Soliciting::enter(self.granted, context)
    }
}
