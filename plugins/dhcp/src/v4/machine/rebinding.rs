// SPDX-License-Identifier: Apache-2.0

//! REBINDING (RFC 2131 §4.4.5): T2 has passed without an answer; any server may give more time, or end the lease.
//! The address stays in use.

use super::Context;
use super::bound::continue_lease;
use super::extension::Extension;
use super::state::State;
use crate::machine::Granted as _;
use crate::v4::granted::Granted;
use crate::v4::message::{LinkAddress, Path, ServerMessage};

/// Asks any server for more time.
pub(crate) struct Rebinding(pub(super) Extension);

impl Rebinding {
    pub(super) fn enter(granted: Granted, context: &mut Context) -> State {
        Self(Extension::new(granted, context)).request(context)
    }

    /// As in RENEWING, but to everybody (RFC 2131 §4.3.2).
    fn request(mut self, context: &mut Context) -> State {
        let granted = &self.0.granted;
        let path = Path::Broadcast {
            source: granted.lease.address,
        };
        let until = granted.expires_at;
        self.0.request(path, until, context);
        State::Rebinding(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        if self.0.granted.is_expired(context.now) {
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
        let next = self.0.on_packet(message, from, context);
        next.unwrap_or(State::Rebinding(self))
    }
}
