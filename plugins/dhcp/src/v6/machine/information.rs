// SPDX-License-Identifier: Apache-2.0

//! Settings where there are no addresses (RFC 8415 §18.2.6, §18.2.10.4): asked for once, and again after the information
//! refresh time. Addresses are looked for all the while.

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
/// Until a server that fell silent is asked for settings again: IRT_MINIMUM (RFC 8415 §7.6).
const PATIENCE: Duration = Duration::from_secs(600);

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

    pub(super) fn on_timer(mut self, context: &mut Context) -> State {
        if self.exchange.sent < ATTEMPTS {
            return self.ask(context);
        }
        // Those that are held are good until somebody says otherwise.
        let again = self.soliciting.held.is_some();
        let until = again.then(|| context.now + PATIENCE);
        let held = self.soliciting.held.take();
        self.soliciting.informed(held, until, context)
    }

    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        if message.kind != ServerMessageKind::Reply {
            return State::InformationRequesting(self);
        }
        context.learn_limits(message);
        let granted = Granted::settings(&context.interface, message, self.exchange.sent_at);
        let until = granted.renew_at;
        let granted = Some(granted).filter(|granted| !granted.is_empty());
        match (&granted, &self.soliciting.held) {
            (Some(granted), before) => context.report_lease(granted, before.as_ref()),
            (None, Some(_)) => context.report_loss(LeaseLoss::Refused),
            // What was had before the link went may still be there, and is not this network's.
            (None, None) if context.previous_address.take().is_some() => {
                context.report_loss(LeaseLoss::Refused);
            }
            (None, None) => {}
        }
        self.soliciting.informed(granted, until, context)
    }
}
