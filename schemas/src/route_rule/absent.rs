// SPDX-License-Identifier: Apache-2.0

//! What the `absent` entries of a list mean, looked up by priority: lists may be long.

use std::collections::HashMap;

use super::RouteRule;

/// The `absent` entries of a list of rules.
#[derive(Debug, Default)]
pub struct AbsentRules {
    by_priority: HashMap<u32, Vec<RouteRule>>,
    open: Vec<RouteRule>,
}

impl AbsentRules {
    /// Those of `rules`.
    pub fn of<'r>(rules: impl IntoIterator<Item = &'r RouteRule>) -> Self {
        let mut absent = Self::default();
        for entry in rules.into_iter().filter(|rule| rule.is_absent()) {
            let entries = match entry.priority {
                Some(priority) => absent.by_priority.entry(priority).or_default(),
                None => &mut absent.open,
            };
            entries.push(entry.clear());
        }
        absent
    }

    /// Whether an entry means `rule`.
    pub fn mean(&self, rule: &RouteRule) -> bool {
        self.any_means(rule, |_| true)
    }

    /// Whether an entry takes the present `rule` away. One of others must be named: an entry that says no more than a
    /// family, or only what a rule must not have, means ours.
    pub fn take_away(&self, rule: &RouteRule, is_ours: bool) -> bool {
        !rule.is_kernels() && self.any_means(rule, |entry| is_ours || entry.names_something())
    }

    fn any_means(&self, rule: &RouteRule, counts: impl Fn(&RouteRule) -> bool) -> bool {
        if self.by_priority.is_empty() && self.open.is_empty() {
            return false;
        }
        let identity = rule.identity();
        let named = rule
            .priority
            .and_then(|priority| self.by_priority.get(&priority));
        let mut entries = named.into_iter().flatten().chain(&self.open);
        entries.any(|entry| counts(entry) && entry.means(&identity))
    }
}
