// SPDX-License-Identifier: Apache-2.0

//! Operations on the options of bridge ports.

use std::collections::BTreeMap;

use nipart_schemas::interface::{BridgePort, Interface};
use nipart_schemas::operation::Operation;
use nipart_schemas::overlay::{Overlay, Path};

use super::{Phase, Surroundings, Waves};
use crate::context::Context;
use crate::goal::{Fate, Goal, Goals};

/// Sets what is wanted of ports and isn't so. A link that is attached starts with the kernel's defaults.
pub(super) fn plan(
    context: &Context<'_>,
    goals: &Goals<'_>,
    surroundings: &Surroundings<'_>,
    waves: &mut Waves,
) {
    let mut ports: BTreeMap<&str, (BridgePort, BridgePort)> = BTreeMap::new();
    for goal in goals.links.iter().filter(|goal| goal.fate != Fate::Delete) {
        let listed = goal
            .wanted
            .bridge
            .as_ref()
            .and_then(|bridge| bridge.port.as_ref());
        let present: BTreeMap<&str, &BridgePort> = options(goal.surviving()).collect();
        for port in listed.into_iter().flatten() {
            if !will_be_attached(context, surroundings, &port.name, goal.name()) {
                continue;
            }
            let stays = surroundings
                .goals
                .get(port.name.as_str())
                .is_none_or(|goal| goal.surviving().is_some());
            let before = present.get(port.name.as_str()).filter(|_| stays);
            let before = before.map_or_else(|| unset(&port.name), |before| (*before).clone());
            ports.insert(&port.name, (port.clone(), before));
        }
    }
    for goal in goals
        .links
        .iter()
        .filter(|goal| goal.fate == Fate::Recreate)
    {
        if let Some(had) = kept_options(context, goal) {
            let entry = ports
                .entry(goal.name())
                .or_insert_with(|| (unset(goal.name()), unset(goal.name())));
            entry.0.fill_from(had);
        }
    }
    for (port, before) in ports.into_values() {
        let mut differences = Vec::new();
        port.differences(&before, Path::root(&port.name), &mut differences);
        if !differences.is_empty() {
            let port = BridgePort {
                stp_hairpin_mode: changed(port.stp_hairpin_mode, before.stp_hairpin_mode),
                stp_path_cost: changed(port.stp_path_cost, before.stp_path_cost),
                stp_priority: changed(port.stp_priority, before.stp_priority),
                name: port.name,
            };
            waves.push(Phase::SettlePorts, Operation::ChangeBridgePort { port });
        }
    }
}

/// Whether the link becomes or stays a port: an ignored or awaited one is listed, too.
fn will_be_attached(
    context: &Context<'_>,
    surroundings: &Surroundings<'_>,
    port: &str,
    bridge: &str,
) -> bool {
    let goal = surroundings.goals.get(port);
    let wanted = goal.and_then(|goal| goal.wanted.controller.as_deref());
    let present = context.present.get(port);
    wanted.or_else(|| present?.controller.as_deref()) == Some(bridge)
}

/// The options that a port had whose link is created anew for the same controller.
fn kept_options<'c>(context: &Context<'c>, goal: &Goal<'_>) -> Option<&'c BridgePort> {
    let controller = goal.wanted.controller.as_deref()?;
    if goal.present?.controller.as_deref() != Some(controller) {
        return None;
    }
    let bridge = context.present.get(controller).copied();
    options(bridge)
        .find(|(name, _)| *name == goal.name())
        .map(|(_, port)| port)
}

fn options(bridge: Option<&Interface>) -> impl Iterator<Item = (&str, &BridgePort)> {
    bridge
        .and_then(|bridge| bridge.bridge.as_ref()?.port.as_ref())
        .into_iter()
        .flatten()
        .map(|port| (port.name.as_str(), port))
}

fn unset(name: &str) -> BridgePort {
    BridgePort {
        name: name.to_string(),
        ..BridgePort::default()
    }
}

fn changed<T: PartialEq>(wanted: Option<T>, before: Option<T>) -> Option<T> {
    if wanted == before { None } else { wanted }
}
