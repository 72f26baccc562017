// SPDX-License-Identifier: Apache-2.0

//! MTUs and MAC addresses that controllers and their ports give each other.

use std::collections::HashSet;

use nipart_schemas::operation::LinkChanges;

use super::{Phase, Surroundings, Waves, link};
use crate::goal::{Fate, Goal};
use crate::kind;

/// Later than what their controllers do with ports themselves.
const AFTER_PORTS: usize = 2;

/// `ETH_DATA_LEN`, `linux/if_ether.h`: of a new link that is told nothing else.
const DEFAULT_MTU: u32 = 1500;

/// A controller that sets its ports up gives them its own MTU, too.
pub(super) fn settle_port(goal: &Goal<'_>, surroundings: &Surroundings<'_>, waves: &mut Waves) {
    let Some(controller) = goal.wanted.controller.as_deref() else {
        return;
    };
    let given = surroundings.goals.get(controller).map(|controller| {
        let present = controller.present.and_then(|present| present.mtu);
        controller.wanted.mtu.or(present).unwrap_or(DEFAULT_MTU)
    });
    let is_given = goal.wanted.mtu.is_none() || goal.wanted.mtu == given;
    if !is_given && surroundings.sets_ports_up(controller) {
        link::push_changes(Phase::SettlePorts, 0, mtu(goal), waves);
    }
}

/// A living controller that takes after its ports, until somebody sets something else than it has, may have lost by the
/// change of its ports what it had and is to keep.
pub(super) fn settle_controller(
    goal: &Goal<'_>,
    surroundings: &Surroundings<'_>,
    waves: &mut Waves,
) {
    let interface_type = goal.present.and_then(|link| link.interface_type.as_ref());
    if kind::takes_after_ports(interface_type)
        && surroundings.with_other_ports.contains(goal.name())
    {
        let changes = LinkChanges {
            mac_address: goal.wanted.mac_address.clone(),
            ..mtu(goal)
        };
        link::push_changes(Phase::SettlePorts, AFTER_PORTS, changes, waves);
    }
}

fn mtu(goal: &Goal<'_>) -> LinkChanges {
    LinkChanges {
        interface: goal.name().to_string(),
        mtu: goal.wanted.mtu,
        ..LinkChanges::default()
    }
}

/// The controllers whose ports, or the MTUs of these, become others.
pub(super) fn with_other_ports<'p>(goals: &'p [Goal<'p>]) -> HashSet<&'p str> {
    let concerned = |goal: &'p Goal<'p>| {
        let was = goal.present.and_then(|link| link.controller.as_deref());
        let is = match goal.fate {
            Fate::Delete => None,
            _ => goal.wanted.controller.as_deref().or(was),
        };
        let present_mtu = goal.surviving().and_then(|present| present.mtu);
        let is_same = goal.surviving().is_some()
            && was == is
            && (goal.wanted.mtu.is_none() || goal.wanted.mtu == present_mtu);
        [was, is].into_iter().flatten().filter(move |_| !is_same)
    };
    goals.iter().flat_map(concerned).collect()
}
