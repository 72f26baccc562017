// SPDX-License-Identifier: Apache-2.0

//! Name resolution and the machine's names as they were before.

use super::touched::Touched;
use crate::context::Context;
use crate::goal::Goals;
use crate::goal::name::{SourceGoal, host_name, said};

/// Wants every source that the plan was about to say what it said; those of others stay.
pub(super) fn restore(context: &Context<'_>, touched: &Touched, goals: &mut Goals<'_>) {
    if touched.host_name {
        let mut before = context.desired.hostname.clone().unwrap_or_default();
        before.config.get_or_insert_default();
        goals.host_name = host_name(Some(&before), context);
    }
    let (Some(before), Some(now)) = (
        &context.desired.dns_resolver,
        &context.observed.dns_resolver,
    ) else {
        return;
    };
    for (interface, origin) in &touched.sources {
        let wanted = said(before, interface.as_deref(), *origin);
        let present = said(now, interface.as_deref(), *origin);
        // What was written half is written anew.
        if wanted != present || now.overwritten {
            goals.sources.push(SourceGoal { wanted, present });
        }
    }
}
