// SPDX-License-Identifier: Apache-2.0

//! Operations on rules.
//!
//! The kernel removes the first rule of a priority that has all that the message says (`fib_nl_delrule`,
//! net/core/fib_rules.c): it may have more selectors than that. So those with more selectors go first, and one that is
//! to stay is added again.

use std::collections::HashMap;

use nipart_schemas::operation::Operation;
use nipart_schemas::route_rule::RouteRule;

use super::{Phase, Waves};
use crate::context::Context;
use crate::goal::Goals;

pub(super) fn plan(context: &Context<'_>, goals: &Goals<'_>, waves: &mut Waves) {
    let disturbed = disturbed(context.observed.rules(), &goals.unwanted_rules);
    for rule in goals.unwanted_rules.iter().chain(disturbed.iter().copied()) {
        let depth = RouteRule::SELECTORS - rule.identity().selector_count();
        let removal = Operation::RemoveRule(rule.clone());
        waves.push_at(Phase::RemoveRules, depth, removal);
    }
    for rule in disturbed.iter().copied().chain(&goals.rules) {
        waves.push(Phase::AddRules, Operation::AddRule(rule.clone()));
    }
}

/// Rules that stay, and that the kernel might remove in the place of an unwanted one.
fn disturbed<'p>(present: &'p [RouteRule], unwanted: &[RouteRule]) -> Vec<&'p RouteRule> {
    let going = RouteRule::identities(unwanted);
    let mut by_priority: HashMap<Option<u32>, Vec<&RouteRule>> = HashMap::new();
    for rule in &going {
        by_priority.entry(rule.priority).or_default().push(rule);
    }
    let is_disturbed = |rule: &&RouteRule| {
        let mut neighbours = by_priority.get(&rule.priority).into_iter().flatten();
        neighbours.any(|going| going.matches(rule)) && !going.contains(&rule.identity())
    };
    present.iter().filter(is_disturbed).collect()
}
