// SPDX-License-Identifier: Apache-2.0

//! Which rules must be there and which must go.

use std::collections::HashSet;

use nipart_schemas::ip::PROTOCOL_NIPART;
use nipart_schemas::route_rule::{AbsentRules, RouteRule};

use super::Goals;
use crate::context::Context;

pub(super) fn resolve(context: &Context<'_>, goals: &mut Goals<'_>) {
    if context.rules.is_empty() {
        return;
    }
    let present = context.observed.rules();
    let known = RouteRule::identities(present);
    let saved = RouteRule::identities(context.saved.rules());
    let absent = AbsentRules::of(&context.rules);
    let wanted = context.rules.iter().filter(|rule| !rule.is_absent());
    let wanted: Vec<RouteRule> = wanted.map(RouteRule::identity).collect();
    let kept: HashSet<&RouteRule> = wanted.iter().collect();
    let unwanted = present.iter().filter(|rule| {
        let identity = rule.identity();
        let is_ours = rule.is_marked() || saved.contains(&identity);
        !kept.contains(&identity) && absent.take_away(rule, is_ours)
    });
    goals.unwanted_rules = unwanted.cloned().collect();
    let missing = wanted.into_iter().filter(|rule| !known.contains(rule));
    goals.rules = missing
        .map(|rule| RouteRule {
            protocol: Some(PROTOCOL_NIPART),
            ..rule
        })
        .collect();
}
