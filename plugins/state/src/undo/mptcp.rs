// SPDX-License-Identifier: Apache-2.0

//! MPTCP endpoints as they were before.

use nipart_schemas::interface::Interface;

use super::touched::Touched;
use crate::context::Context;
use crate::goal::{Fate, Goals};

/// Wants the endpoints back that the plan was to change, and those of links that come back; what goes has none.
pub(super) fn restore(context: &Context<'_>, touched: &Touched, goals: &mut Goals<'_>) {
    for goal in &mut goals.links {
        if goal.fate == Fate::Change && !touched.endpoints.contains(goal.name()) {
            continue;
        }
        let before = context.wanted.get(goal.name()).copied();
        let before = before.filter(|_| goal.fate != Fate::Delete);
        let endpoints = before.map(Interface::mptcp_endpoints);
        goal.endpoints = Some(endpoints.unwrap_or_default().to_vec());
    }
}
