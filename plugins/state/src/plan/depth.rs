// SPDX-License-Identifier: Apache-2.0

//! How deep links are stacked upon others of the same plan.

use std::collections::HashMap;

use nipart_schemas::interface::Interface;

use crate::context::MAX_STACK;
use crate::goal::Goal;

/// The links of a plan by name.
pub(super) type GoalsByName<'p> = HashMap<&'p str, &'p Goal<'p>>;

/// How deep each link that comes or stays will be stacked: bases and controllers are to be there before it.
/// `creators` names for each second end of a new veth pair the end that it comes with.
pub(super) fn coming(
    goals: &GoalsByName<'_>,
    creators: &HashMap<String, String>,
) -> HashMap<String, usize> {
    let below = |name: &str| {
        let with = creators.get(name).map_or(name, String::as_str);
        goals.get(with).map(|goal| &goal.wanted)
    };
    depths(goals, &below)
}

/// How deep each link that goes is stacked now: it goes before its base.
pub(super) fn going(goals: &GoalsByName<'_>) -> HashMap<String, usize> {
    depths(goals, &|name| {
        let goal = goals.get(name)?;
        goal.present.filter(|_| goal.surviving().is_none())
    })
}

fn depths<'s>(
    goals: &GoalsByName<'_>,
    shape_of: &impl Fn(&str) -> Option<&'s Interface>,
) -> HashMap<String, usize> {
    goals
        .keys()
        .map(|name| ((*name).to_string(), depth(name, shape_of, MAX_STACK)))
        .collect()
}

fn depth<'s>(name: &str, shape_of: &impl Fn(&str) -> Option<&'s Interface>, left: usize) -> usize {
    // Loops were refused.
    let Some(shape) = shape_of(name).filter(|_| left > 0) else {
        return 0;
    };
    let below = [shape.base_interface(), shape.controller.as_deref()];
    below
        .into_iter()
        .flatten()
        .chain(shape.further_bases())
        .filter(|below| shape_of(below).is_some())
        .map(|below| 1 + depth(below, shape_of, left - 1))
        .max()
        .unwrap_or(0)
}
