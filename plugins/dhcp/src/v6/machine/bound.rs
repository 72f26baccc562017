// SPDX-License-Identifier: Apache-2.0

//! Has a lease and nothing to do until T1 (RFC 8415 §18.2.4).

use std::time::Duration;

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::rebinding::Rebinding;
use super::renewing::Renewing;
use super::soliciting::Soliciting;
use super::state::State;
use crate::machine::{Granted as _, earlier};
use crate::v6::granted::Granted;

/// Has a lease.
pub(crate) struct Bound {
    pub(super) granted: Granted,
}

impl Bound {
    /// Takes over a lease and reports it; `before` is the one that it continues.
    pub(super) fn enter(
        granted: Granted,
        before: Option<&Granted>,
        context: &mut Context,
    ) -> State {
        context.refusals = 0;
        context.previous_address = granted.addresses.first().map(|held| held.address);
        context.report_lease(&granted, before);
        State::Bound(Bound { granted })
    }

    /// Goes on with a lease that has been reported before.
    pub(super) fn resume(granted: Granted, context: &mut Context) -> State {
        let bound = Bound { granted };
        match bound.deadline() {
            Some(deadline) if deadline <= context.now => bound.on_timer(context),
            _ => State::Bound(bound),
        }
    }

    /// T1, or whatever comes first.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let granted = &self.granted;
        let asking = earlier(granted.renew_at, granted.rebind_at);
        earlier(asking, granted.expires_at)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        continue_lease(self.granted, context)
    }
}

/// What the time of the lease asks for now. After a suspend that may be any of them.
pub(super) fn continue_lease(granted: Granted, context: &mut Context) -> State {
    let is_past = |time: Option<Duration>| time.is_some_and(|time| time <= context.now);
    if granted.is_expired(context.now) {
        context.report_loss(LeaseLoss::Expired);
        Soliciting::enter(None, context)
    } else if is_past(granted.rebind_at) {
        Rebinding::enter(granted, context)
    } else {
        Renewing::enter(granted, context)
    }
}
