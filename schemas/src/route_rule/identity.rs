// SPDX-License-Identifier: Apache-2.0

//! When two rules are the same, and which ones an `absent` entry means.

use std::collections::HashSet;

use super::{RouteRule, RuleState, Selector};
use crate::ip::{IpFamily, PROTOCOL_NIPART};
use crate::route::{IpNetwork, MAIN_TABLE};

/// `RTPROT_KERNEL`: those that a kernel starts with, and the one that VRFs need.
const PROTOCOL_KERNEL: u8 = 2;

impl RouteRule {
    /// Whether it is to be removed.
    pub fn is_absent(&self) -> bool {
        self.state == Some(RuleState::Absent)
    }

    /// Whether the kernel itself keeps it.
    pub fn is_kernels(&self) -> bool {
        self.protocol == Some(PROTOCOL_KERNEL)
    }

    /// Whether it carries Nipart's mark.
    pub fn is_marked(&self) -> bool {
        self.protocol == Some(PROTOCOL_NIPART)
    }

    /// The family, as far as it is written or follows from an address.
    pub fn known_family(&self) -> Option<IpFamily> {
        let networks = [&self.ip_from, &self.ip_to].into_iter().flatten();
        let named = networks.filter_map(Selector::value).next();
        self.family.or(named.map(|network| {
            if network.address.is_ipv6() {
                IpFamily::Ipv6
            } else {
                IpFamily::Ipv4
            }
        }))
    }

    /// What makes two rules the same for the kernel: everything but the owner, with defaults written out.
    #[must_use]
    pub fn identity(&self) -> Self {
        let mut identity = self.clear();
        (identity.state, identity.protocol) = (None, None);
        identity.leave_out_empty_selectors();
        if identity.action.is_none() {
            identity.route_table.get_or_insert(MAIN_TABLE);
        }
        // A mark of 0 has a meaning only with a mask.
        match (&identity.fwmark, &identity.fwmask) {
            (Some(_), None) => identity.fwmask = Some(Selector::Is(u32::MAX)),
            (None, Some(_)) => identity.fwmark = Some(Selector::Is(0)),
            _ => {}
        }
        identity
    }

    /// The identities of all of them.
    pub fn identities(rules: &[Self]) -> HashSet<Self> {
        rules.iter().map(Self::identity).collect()
    }

    /// The identity but for the priority.
    #[must_use]
    pub fn without_priority(&self) -> Self {
        Self {
            priority: None,
            ..self.identity()
        }
    }

    /// Whether `self`, as an `absent` entry, means `rule`: each key that is left out matches anything.
    pub fn matches(&self, rule: &Self) -> bool {
        self.clear().means(&rule.identity())
    }

    /// The same for a clear entry and an identity.
    pub(super) fn means(&self, identity: &Self) -> bool {
        fn open_or_equal<T: PartialEq>(pattern: Option<T>, value: Option<T>) -> bool {
            pattern.is_none() || pattern == value
        }
        open_or_equal(self.priority, identity.priority)
            && open_or_equal(self.family, identity.family)
            && open_or_equal(self.route_table, identity.route_table)
            && open_or_equal(self.action, identity.action)
            && self.selects_like(identity)
    }

    /// Whether it says anything but a family that a rule must have.
    pub(super) fn names_something(&self) -> bool {
        self.priority.is_some()
            || self.route_table.is_some()
            || self.action.is_some()
            || self.has_selector()
    }

    /// An `absent` entry that means this rule and, of `others`, none besides.
    #[must_use]
    pub fn absent_entry(&self, others: &[Self]) -> Self {
        let identity = self.identity();
        let mut entry = Self {
            state: Some(RuleState::Absent),
            protocol: None,
            ..self.clone()
        };
        if others
            .iter()
            .any(|other| entry.matches(other) && other.identity() != identity)
        {
            entry.spell_out_selectors();
        }
        entry
    }

    /// The same with one way to say each thing: what selects every packet is no selector.
    pub(super) fn clear(&self) -> Self {
        let everything = |selector: &mut Option<Selector<IpNetwork>>| {
            let network = selector.as_ref().and_then(Selector::value);
            if network.is_some_and(IpNetwork::is_default) {
                *selector = Some(Selector::Without);
            }
        };
        let mut clear = Self {
            family: self.known_family(),
            ..self.clone()
        };
        everything(&mut clear.ip_from);
        everything(&mut clear.ip_to);
        if clear.tos == Some(Selector::Is(0)) {
            clear.tos = Some(Selector::Without);
        }
        let has_mask = clear.fwmask.is_some_and(|mask| mask.value().is_some());
        if clear.fwmark == Some(Selector::Is(0))
            && (!has_mask || clear.fwmask == Some(Selector::Is(0)))
        {
            (clear.fwmark, clear.fwmask) = (Some(Selector::Without), Some(Selector::Without));
        }
        if clear.route_table == Some(0) {
            clear.route_table = clear.action.is_none().then_some(MAIN_TABLE);
        }
        clear
    }
}
