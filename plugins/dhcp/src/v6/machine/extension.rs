// SPDX-License-Identifier: Apache-2.0

//! Asking for more time: what Renewing, Rebinding and Rebooting have in common.

use std::time::Duration;

use super::Context;
use super::bound::Bound;
use super::exchange::{Exchange, Pattern};
use super::requesting::Requesting;
use super::soliciting::Soliciting;
use super::state::State;
use crate::v6::granted::Granted;
use crate::v6::message::{ServerDuid, ServerMessage, ServerMessageKind, Status};

/// A lease, and what has been asked of it.
pub(super) struct Extension {
    pub(super) granted: Granted,
    pub(super) exchange: Exchange,
}

/// What a Reply means (RFC 8415 §18.2.10.1).
pub(super) enum Verdict {
    /// More time.
    Extended(Granted),
    /// The server knows of no lease: ask it for one.
    Forgotten,
    /// The addresses must go.
    Refused,
    /// Nothing: go on asking.
    Nothing,
}

impl Extension {
    pub(super) fn new(pattern: Pattern, granted: Granted, context: &mut Context) -> Self {
        Self {
            granted,
            exchange: Exchange::new(pattern, Duration::ZERO, context),
        }
    }

    /// Names the addresses that are left.
    pub(super) fn say(&mut self, server: Option<&ServerDuid>, context: &mut Context) {
        let addresses = self.granted.addresses_at(context.now);
        self.exchange.say(server, addresses, context);
    }

    /// Reads an answer.
    pub(super) fn verdict(&self, message: &ServerMessage, context: &mut Context) -> Verdict {
        if message.kind != ServerMessageKind::Reply {
            return Verdict::Nothing;
        }
        context.learn_limits(message);
        let before = Some(&self.granted);
        if let Some(granted) = context.granted(message, self.exchange.sent_at, before) {
            return Verdict::Extended(granted);
        }
        let association = message.association.as_ref();
        let has_addresses =
            association.is_some_and(|association| !association.addresses.is_empty());
        match (
            message.status,
            association.map(|association| association.status),
        ) {
            (Status::NoBinding, _) | (Status::Success, Some(Status::NoBinding)) => {
                Verdict::Forgotten
            }
            (Status::NotOnLink, _) | (_, Some(Status::NotOnLink)) => Verdict::Refused,
            // Every address was named and taken away.
            (Status::Success, Some(Status::Success)) if has_addresses => Verdict::Refused,
            // What is not mentioned stays, and is asked for again.
            _ => Verdict::Nothing,
        }
    }

    /// Where a verdict on a lease in use leads; none when it changes nothing.
    pub(super) fn follow(
        &self,
        verdict: Verdict,
        message: &ServerMessage,
        context: &mut Context,
    ) -> Option<State> {
        match verdict {
            Verdict::Extended(granted) => {
                context.memory.conflicts = 0;
                Some(Bound::enter(granted, Some(&self.granted), context))
            }
            Verdict::Forgotten => {
                let addresses = self.granted.addresses_at(context.now);
                let held = Some(self.granted.clone());
                let server = message.server.clone();
                Some(Requesting::enter(server, addresses, held, context))
            }
            Verdict::Refused => {
                let wait = context.refused(message, Some(&self.granted), &[]);
                Some(Soliciting::after_refusal(wait, context))
            }
            Verdict::Nothing => None,
        }
    }
}
