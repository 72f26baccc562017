// SPDX-License-Identifier: Apache-2.0

//! BOUND (RFC 2131 §4.4.5): has a lease and nothing to do until T1.

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::rebinding::Rebinding;
use super::renewing::Renewing;
use super::selecting::Selecting;
use super::state::State;
use crate::machine::Granted as _;
use crate::v4::granted::Granted;

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
        context.previous_address = Some(granted.lease.address);
        context.report_lease(&granted, before);
        State::Bound(Bound { granted })
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        continue_lease(self.granted, context)
    }
}

/// What the time of the lease asks for now. After a suspend that may be any of them.
pub(super) fn continue_lease(granted: Granted, context: &mut Context) -> State {
    if granted.is_expired(context.now) {
        // RFC 2131 §4.4.5: stop using the address at once, then begin anew.
        context.report_loss(LeaseLoss::Expired);
        Selecting::enter(context)
    } else if granted
        .rebind_at
        .is_some_and(|rebind_at| rebind_at <= context.now)
    {
        Rebinding::enter(granted, context)
    } else {
        Renewing::enter(granted, context)
    }
}
