// SPDX-License-Identifier: Apache-2.0

//! The link is back, and a lease of before has time left: may I keep it?
//!
//! RFC 8415 §18.2.12 has Confirm for addresses, and Rebind with the waits of a Confirm for prefixes. It is Rebind for both
//! here: the answer to a Confirm says no more than that the address fits the link, that to a Rebind brings the lease,
//! times and settings included. A server of another network refuses both or answers neither.
//!
//! The lease was reported lost with the link and is not in use until a server has answered.

use super::Context;
use super::bound::Bound;
use super::exchange::RETURN;
use super::extension::{Extension, Verdict};
use super::soliciting::Soliciting;
use super::state::State;
use crate::v6::granted::Granted;
use crate::v6::message::ServerMessage;

/// Rebinds before Solicit, which carries the same wish, is the better try: after 1 + 2 s. A server of another network may
/// stay silent.
const ATTEMPTS: u32 = 2;

/// Asks for a lease that it had before.
pub(crate) struct Rebooting(pub(super) Extension);

impl Rebooting {
    pub(super) fn enter(granted: Granted, context: &mut Context) -> State {
        Self(Extension::new(RETURN, granted, context)).rebind(context)
    }

    fn rebind(mut self, context: &mut Context) -> State {
        self.0.say(None, context);
        State::Rebooting(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self.0.exchange.sent < ATTEMPTS {
            return self.rebind(context);
        }
        Soliciting::enter(None, context)
    }

    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        match self.0.verdict(message, context) {
            Verdict::Extended(granted) => Bound::enter(granted, None, context),
            Verdict::Forgotten => Soliciting::enter(None, context),
            Verdict::Refused => {
                // Its addresses may still be on the link: only the loss of the link was told.
                let wait = context.refused(message, Some(&self.0.granted), &[]);
                context.memory.kept = None;
                Soliciting::after_refusal(wait, context)
            }
            Verdict::Nothing => State::Rebooting(self),
        }
    }
}
