// SPDX-License-Identifier: Apache-2.0

//! Links that the kernel takes down and up because of their controllers, and ports whose controller goes or is created
//! anew. What such a link loses on the way has to come back.

use std::collections::{HashMap, HashSet};

use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::Address;

use super::{Fate, Goal, Goals, address};
use crate::context::Context;
use crate::kind;

/// Adds to the goals what happens to links because of their controllers.
pub(crate) fn settle<'a>(context: &Context<'a>, goals: &mut Goals<'a>) {
    let mut positions: HashMap<String, usize> = goals
        .links
        .iter()
        .enumerate()
        .map(|(position, goal)| (goal.wanted.name.clone(), position))
        .collect();
    settle_ports(context, goals, &mut positions);
    let gone: HashSet<String> = goals
        .links
        .iter()
        .filter(|goal| matches!(goal.fate, Fate::Recreate | Fate::Delete))
        .map(|goal| goal.wanted.name.clone())
        .collect();
    let mut open: Vec<String> = Vec::new();
    for goal in &mut goals.links {
        if is_restarted(context, goal, &gone) {
            goal.is_restarted = true;
            open.push(goal.wanted.name.clone());
        }
    }
    // VLANs go down and up with their base.
    while let Some(below) = open.pop() {
        for present in &context.observed.interfaces {
            let Some(vlan) = &present.vlan else { continue };
            if vlan.base_iface.as_deref() != Some(&below)
                || vlan.loose_binding == Some(true)
                || !is_up(present)
            {
                continue;
            }
            let goal = goal_of(present, goals, &mut positions);
            if goal.fate == Fate::Change && !goal.is_restarted {
                goal.is_restarted = true;
                open.push(present.name.clone());
            }
        }
    }
    for goal in goals.links.iter_mut().filter(|goal| goal.is_restarted) {
        if !is_port(context, goal) {
            restore_addresses(goal);
        }
    }
}

fn is_up(interface: &Interface) -> bool {
    interface.wanted_state() == InterfaceState::Up
}

fn goal_of<'g, 'a>(
    present: &'a Interface,
    goals: &'g mut Goals<'a>,
    positions: &mut HashMap<String, usize>,
) -> &'g mut Goal<'a> {
    let position = *positions.entry(present.name.clone()).or_insert_with(|| {
        let wanted = Interface::named(&present.name);
        goals
            .links
            .push(Goal::new(wanted, Some(present), Fate::Change));
        goals.links.len() - 1
    });
    &mut goals.links[position]
}

/// Ports of a controller that is created anew come back to it; those of one that goes may need to be set up again.
fn settle_ports<'a>(
    context: &Context<'a>,
    goals: &mut Goals<'a>,
    positions: &mut HashMap<String, usize>,
) {
    for present in &context.observed.interfaces {
        let Some(controller) = present.controller.as_deref() else {
            continue;
        };
        let fate = positions
            .get(controller)
            .map(|position| goals.links[*position].fate);
        let comes_back = fate == Some(Fate::Recreate);
        let kind = context.type_of(controller);
        let is_let_go =
            fate == Some(Fate::Delete) && (kind::sets_ports_up(kind) || kind::restarts_ports(kind));
        let is_ignored = context
            .wanted
            .get(present.name.as_str())
            .is_some_and(|wanted| wanted.wanted_state() == InterfaceState::Ignore);
        if !(comes_back || is_let_go)
            || is_ignored
            || context.doomed.contains(present.name.as_str())
        {
            continue;
        }
        let goal = goal_of(present, goals, positions);
        if comes_back && goal.fate != Fate::Delete && goal.wanted.controller.is_none() {
            goal.wanted.controller = Some(controller.to_string());
        }
    }
}

/// Whether the link comes to a controller that restarts its ports, or leaves such a one.
fn is_restarted(context: &Context<'_>, goal: &Goal<'_>, gone: &HashSet<String>) -> bool {
    let Some(present) = goal.present.filter(|present| is_up(present)) else {
        return false;
    };
    if goal.fate != Fate::Change {
        return false;
    }
    let old = present.controller.as_deref().unwrap_or_default();
    let new = goal.wanted.controller.as_deref();
    let restarts = |name: &str| kind::restarts_ports(context.type_of(name));
    let is_lost = restarts(old) && gone.contains(old);
    let moves = new.is_some_and(|new| new != old && (restarts(new) || restarts(old)));
    is_lost || moves
}

/// Whether addresses of the link belong to its controller.
fn is_port(context: &Context<'_>, goal: &Goal<'_>) -> bool {
    let present = goal
        .present
        .and_then(|present| present.controller.as_deref());
    let controller = goal.wanted.controller.as_deref().or(present);
    controller.is_some_and(|name| context.takes_addresses_of_ports(name))
}

/// Wants the IPv6 addresses back that go with the link, also those of others.
fn restore_addresses(goal: &mut Goal<'_>) {
    let keeps_ipv6 = goal.wanted.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false);
    let Some(present) = goal.present.filter(|_| keeps_ipv6) else {
        return;
    };
    let mut lost: Vec<Address> = address::all(present)
        .filter(|address| address.ip.is_ipv6())
        .filter(|address| {
            let mut known = goal.unwanted_addresses.iter().chain(&goal.addresses);
            !known.any(|known| known.key() == address.key())
        })
        .collect();
    // The kernel puts the one that is added last in front.
    lost.reverse();
    goal.addresses.extend(lost);
}
