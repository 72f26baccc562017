// SPDX-License-Identifier: Apache-2.0

//! RENEWING (RFC 2131 §4.4.5): T1 has passed; the server that granted the lease is asked for more time, and only it is
//! believed. The address stays in use.

use super::Context;
use super::bound::continue_lease;
use super::extension::Extension;
use super::state::State;
use crate::v4::granted::Granted;
use crate::v4::message::{LinkAddress, Path, ServerMessage};

/// Asks its server for more time.
pub(crate) struct Renewing(pub(super) Extension);

impl Renewing {
    pub(super) fn enter(granted: Granted, context: &mut Context) -> State {
        Self(Extension::new(granted, context)).request(context)
    }

    /// Unicast (RFC 2131 §4.3.2).
    fn request(mut self, context: &mut Context) -> State {
        let granted = &self.0.granted;
        let path = Path::Routed {
            source: granted.lease.address,
            destination: granted.lease.server,
        };
        let until = granted.rebind_at;
        self.0.request(path, until, context);
        State::Renewing(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        let rebind_at = self.0.granted.rebind_at;
        if rebind_at.is_some_and(|rebind_at| rebind_at <= context.now) {
            return continue_lease(self.0.granted, context);
        }
        self.request(context)
    }

    pub(super) fn on_packet(
        self,
        message: &ServerMessage,
        from: LinkAddress,
        context: &mut Context,
    ) -> State {
        if message.server != self.0.granted.lease.server {
            return State::Renewing(self);
        }
        let next = self.0.on_packet(message, from, context);
        next.unwrap_or(State::Renewing(self))
    }
}
