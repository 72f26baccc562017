// SPDX-License-Identifier: Apache-2.0

//! T2 has passed without an answer; any server may give more time, or end the lease (RFC 8415 §18.2.5). The addresses
//! stay in use.

use super::Context;
use super::bound::continue_lease;
use super::exchange::REBIND;
use super::extension::Extension;
use super::state::State;
use crate::machine::Granted as _;
use crate::v6::granted::Granted;
use crate::v6::message::ServerMessage;

/// Asks any server for more time.
pub(crate) struct Rebinding(pub(super) Extension);

impl Rebinding {
    pub(super) fn enter(granted: Granted, context: &mut Context) -> State {
        Self(Extension::new(REBIND, granted, context)).rebind(context)
    }

    fn rebind(mut self, context: &mut Context) -> State {
        self.0.say(None, context);
        State::Rebinding(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self.0.granted.is_expired(context.now) {
            return continue_lease(self.0.granted, context);
        }
        self.rebind(context)
    }

    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        let verdict = self.0.verdict(message, context);
        let next = self.0.follow(verdict, message, context);
        next.unwrap_or(State::Rebinding(self))
    }
}
