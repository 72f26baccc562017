// SPDX-License-Identifier: Apache-2.0

//! Priorities for rules that are written without one.

use std::collections::{HashMap, HashSet};

use super::{AbsentRules, RouteRule};

/// The first one that is given: behind all that people write, before the main table's (32766).
pub const AUTOMATIC_PRIORITY: u32 = 30_000;
/// The last one that has any effect: behind it the main table is asked.
const LAST_PRIORITY: u32 = 32_765;

/// The wanted rules, each with a priority: that which it has already, unless an `absent` entry names just that, or the
/// next free one.
#[must_use]
pub fn with_priorities(wanted: &[RouteRule], present: &[RouteRule]) -> Vec<RouteRule> {
    let is_open = |rule: &&RouteRule| !rule.is_absent() && rule.priority.is_none();
    if !wanted.iter().any(|rule| is_open(&rule)) {
        return wanted.to_vec();
    }
    let named = wanted.iter().filter(|rule| rule.priority.is_some());
    let absent = AbsentRules::of(named.clone());
    let written: Vec<&RouteRule> = named.filter(|rule| !rule.is_absent()).collect();
    let others = written.iter().copied().chain(present);
    let mut used: HashSet<u32> = others.filter_map(|rule| rule.priority).collect();
    let spoken_for: HashSet<RouteRule> = written.iter().map(|rule| rule.identity()).collect();
    let mut known: HashMap<RouteRule, u32> = HashMap::new();
    for rule in present.iter().filter(|rule| {
        !rule.is_kernels() && !spoken_for.contains(&rule.identity()) && !absent.mean(rule)
    }) {
        let priority = rule.priority.unwrap_or_default();
        let lowest = known.entry(rule.without_priority()).or_insert(priority);
        *lowest = priority.min(*lowest);
    }
    let mut candidates = AUTOMATIC_PRIORITY..LAST_PRIORITY;
    let mut next = || {
        let free = candidates.find(|priority| used.insert(*priority));
        free.unwrap_or(LAST_PRIORITY)
    };
    let mut numbered = wanted.to_vec();
    for rule in numbered.iter_mut().filter(|rule| is_open(&&**rule)) {
        let priority = *known
            .entry(rule.without_priority())
            .or_insert_with(&mut next);
        rule.priority = Some(priority);
    }
    numbered
}
