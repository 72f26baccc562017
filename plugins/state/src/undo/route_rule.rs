// SPDX-License-Identifier: Apache-2.0

//! Rules as they were before.

use std::collections::HashSet;

use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::route_rule::RouteRule;

use crate::context::Context;
use crate::goal::Goals;

/// Wants each rule back that the plan was to remove; those that it was to add go.
pub(super) fn restore(context: &Context<'_>, undone: &Plan, goals: &mut Goals<'_>) {
    let before = RouteRule::identities(context.desired.rules());
    let now = RouteRule::identities(context.observed.rules());
    let touched: HashSet<RouteRule> = undone
        .operations()
        .filter_map(Operation::rule)
        .map(RouteRule::identity)
        .collect();
    let lost = context.desired.rules().iter().filter(|rule| {
        let identity = rule.identity();
        touched.contains(&identity) && !now.contains(&identity)
    });
    goals.rules = lost.cloned().collect();
    let added = context.observed.rules().iter().filter(|rule| {
        let identity = rule.identity();
        rule.is_marked() && touched.contains(&identity) && !before.contains(&identity)
    });
    goals.unwanted_rules = added.cloned().collect();
}
