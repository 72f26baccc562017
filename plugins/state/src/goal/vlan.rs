// SPDX-License-Identifier: Apache-2.0

//! VLAN filtering of bridges: what `vlan: {}` stands for, and whether a bridge looks at VLANs.
//!
//! What the VLANs of a port are is seen only where its bridge filters: there they always are something, elsewhere
//! nothing.

use std::collections::HashMap;

use nipart_schemas::interface::{Interface, LinuxBridge, PortVlan};

use super::{Fate, Goal, Goals};
use crate::context::Context;

/// `br_vlan_init`, net/bridge/br_vlan.c.
const DEFAULT_PVID: u16 = 1;

/// Completes what is wanted of each bridge about VLANs.
pub(crate) fn settle(context: &Context<'_>, goals: &mut Goals<'_>) {
    let is_bridge = |wanted: &Interface| wanted.bridge.is_some();
    if !goals.links.iter().any(|goal| is_bridge(&goal.wanted)) {
        return;
    }
    let controllers: HashMap<String, Option<String>> = goals
        .links
        .iter()
        .map(|goal| (goal.name().to_string(), goal.wanted.controller.clone()))
        .collect();
    for goal in goals
        .links
        .iter_mut()
        .filter(|goal| goal.fate != Fate::Delete)
    {
        let name = goal.wanted.name.clone();
        let present = match goal.fate {
            Fate::Change => goal.present.and_then(|present| present.bridge.as_deref()),
            _ => None,
        };
        let Some(wanted) = &mut goal.wanted.bridge else {
            continue;
        };
        let leaves = |port: &str| {
            let controller = controllers.get(port).and_then(Option::as_deref);
            controller.is_some_and(|controller| controller != name)
        };
        let saved = context.remembered.get(name.as_str());
        let others = [present, saved.and_then(|saved| saved.bridge.as_deref())];
        settle_bridge(wanted, present, &others, leaves);
    }
}

fn settle_bridge(
    wanted: &mut LinuxBridge,
    present: Option<&LinuxBridge>,
    others: &[Option<&LinuxBridge>; 2],
    leaves: impl Fn(&str) -> bool,
) {
    let said = wanted.options.as_ref().and_then(|it| it.vlan_filtering);
    if said.is_none() && wanted.vlans().next().is_none() {
        return;
    }
    let present_options = present.and_then(|present| present.options.as_ref());
    let default_pvid = wanted
        .options
        .as_ref()
        .and_then(|options| options.vlan_default_pvid)
        .or_else(|| present_options?.vlan_default_pvid)
        .unwrap_or(DEFAULT_PVID);
    let default = PortVlan::default_of(default_pvid);
    let filters = said.unwrap_or_else(|| {
        wanted.vlans().any(|vlan| !vlan.is_reset())
            || others
                .iter()
                .flatten()
                .any(|other| has_other_vlans(other, wanted, &default, &leaves))
    });
    let has_filtered = present_options.and_then(|options| options.vlan_filtering);
    wanted
        .options
        .get_or_insert_default()
        .vlan_filtering
        .get_or_insert(filters);
    let ports = wanted.port.iter_mut().flatten();
    let vlans = ports.map(|port| &mut port.vlan);
    for vlan in vlans.chain([&mut wanted.vlan]) {
        if !filters && has_filtered != Some(true) {
            *vlan = None;
        } else if vlan.as_ref().is_some_and(PortVlan::is_reset) {
            *vlan = Some(default.clone());
        }
    }
}

/// Whether VLANs are known, beside the default, of which the wanted state says nothing.
fn has_other_vlans(
    known: &LinuxBridge,
    wanted: &LinuxBridge,
    default: &PortVlan,
    leaves: impl Fn(&str) -> bool,
) -> bool {
    let counts = |vlan: &Option<PortVlan>| {
        vlan.as_ref()
            .is_some_and(|vlan| !vlan.is_reset() && vlan != default)
    };
    let is_said = |name: &str| {
        let mut ports = wanted.port.iter().flatten();
        ports.any(|port| port.name == name && port.vlan.is_some())
    };
    let mut ports = known.port.iter().flatten();
    (wanted.vlan.is_none() && counts(&known.vlan))
        || ports.any(|port| counts(&port.vlan) && !is_said(&port.name) && !leaves(&port.name))
}

/// Whether the bridge gets another default VLAN: the kernel gives it to all that have nothing but the old one.
pub(crate) fn changes_default(goal: &Goal<'_>) -> bool {
    let default_of = |interface: &Interface| {
        let options = interface.bridge.as_ref()?.options.as_ref()?;
        options.vlan_default_pvid
    };
    let wanted = default_of(&goal.wanted);
    wanted.is_some() && goal.surviving().and_then(default_of) != wanted
}

/// On the way back to a bridge that didn't filter: ports lose what they have got meanwhile.
pub(crate) fn forget(goals: &mut Goals<'_>) {
    for goal in &mut goals.links {
        let Some(now) = goal.present.and_then(|now| now.bridge.as_ref()) else {
            continue;
        };
        let filters = |bridge: &LinuxBridge| bridge.options.as_ref()?.vlan_filtering;
        if let Some(before) = &mut goal.wanted.bridge
            && filters(before) == Some(false)
            && filters(now) == Some(true)
        {
            before.spell_out_missing_vlans();
        }
    }
}
