// SPDX-License-Identifier: Apache-2.0

//! T1 has passed; the server that granted the lease is asked for more time, and only it is believed (RFC 8415
//! §18.2.4). The addresses stay in use.

use super::Context;
use super::bound::continue_lease;
use super::exchange::RENEW;
use super::extension::Extension;
use super::state::State;
use crate::machine::earlier;
use crate::v6::granted::Granted;
use crate::v6::message::ServerMessage;

/// Asks its server for more time.
pub(crate) struct Renewing(pub(super) Extension);

impl Renewing {
    pub(super) fn enter(granted: Granted, context: &mut Context) -> State {
        Self(Extension::new(RENEW, granted, context)).renew(context)
    }

    fn renew(mut self, context: &mut Context) -> State {
        let server = self.0.granted.server.clone();
        self.0.say(Some(&server), context);
        State::Renewing(self)
    }

    /// T2, or the end where there is no T2.
    pub(super) fn until(&self) -> Option<std::time::Duration> {
        earlier(self.0.granted.rebind_at, self.0.granted.expires_at)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self.until().is_some_and(|until| until <= context.now) {
            return continue_lease(self.0.granted, context);
        }
        self.renew(context)
    }

    pub(super) fn on_packet(self, message: &ServerMessage, context: &mut Context) -> State {
        if message.server != self.0.granted.server {
            return State::Renewing(self);
        }
        let verdict = self.0.verdict(message, context);
        let next = self.0.follow(verdict, message, context);
        next.unwrap_or(State::Renewing(self))
    }
}
