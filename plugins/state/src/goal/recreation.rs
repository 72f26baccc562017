// SPDX-License-Identifier: Apache-2.0

//! Links that are deleted and created anew, and what goes with them: the kernel deletes whatever is stacked upon a
//! link that is deleted, so that has to come back, too, or to be named as going.

use std::collections::{HashMap, HashSet, VecDeque};

use nipart_schemas::interface::{AltName, Interface, InterfaceState};
use nipart_schemas::overlay::Overlay;

use super::{Fate, Goal, Goals, address};
use crate::context::Context;
use crate::kind;

/// Fills in all that the link has and that isn't wanted otherwise: it gets nothing for nothing.
pub(crate) fn complete(goal: &mut Goal<'_>) {
    let Some(present) = goal.present else { return };
    goal.wanted = completed(goal.wanted.clone(), present);
    // The link takes its addresses with it: also those of others have to come back.
    let has_ipv6 = goal.wanted.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false);
    let lost: Vec<_> = address::all(present)
        .filter(|address| has_ipv6 || address.ip.is_ipv4())
        .filter(|address| {
            !goal
                .unwanted_addresses
                .iter()
                .chain(&goal.addresses)
                .any(|known| known.key() == address.key())
        })
        .collect();
    goal.addresses.extend(lost);
}

fn completed(mut wanted: Interface, present: &Interface) -> Interface {
    let (mtu, mac_address) = (wanted.mtu, wanted.mac_address.clone());
    let has_moved = wanted
        .base_interface()
        .is_some_and(|base| Some(base) != present.base_interface());
    let alt_names = all_alt_names(&wanted, present);
    let turns_ipv6_on = wanted
        .ipv6
        .as_ref()
        .is_some_and(|ipv6| ipv6.enabled.is_none() && ipv6.needs_protocol());
    if let Some(ipv6) = wanted.ipv6.as_mut().filter(|ipv6| ipv6.has_token()) {
        ipv6.autoconf.get_or_insert(true);
    }
    let written = wanted.ipv4.as_ref().and_then(|ipv4| ipv4.enabled);
    wanted.fill_from(&kind::carried_over(&wanted, present));
    if let Some(ipv4) = &mut wanted.ipv4 {
        // That it was off says only that there was no address.
        ipv4.enabled = written;
    }
    if let Some(ipv6) = wanted.ipv6.as_mut().filter(|_| turns_ipv6_on) {
        ipv6.enabled = Some(true);
    }
    if let Some(ipv6) = &mut wanted.ipv6 {
        ipv6.token.take_if(|_| ipv6.autoconf == Some(false));
    }
    // A user may have written `ethernet` for a veth.
    wanted.interface_type.clone_from(&present.interface_type);
    wanted.alt_names = Some(alt_names);
    if has_moved {
        // The new base may not carry the old MTU.
        wanted.mtu = mtu;
    }
    let is_given = |of: &Interface| of.borrows_mac_address() || of.has_fixed_mac_address();
    if is_given(&wanted) || is_given(present) {
        // Its address is the base's own, or the driver's.
        wanted.mac_address = mac_address;
    }
    wanted
}

fn all_alt_names(wanted: &Interface, present: &Interface) -> Vec<AltName> {
    let mut names: Vec<AltName> = wanted.alt_names.clone().unwrap_or_default();
    for alt_name in present.alt_names.iter().flatten() {
        if !names.iter().any(|known| known.name == alt_name.name) {
            names.push(alt_name.clone());
        }
    }
    names
}

/// Adds to the goals what happens to links because of the links below them.
pub(crate) fn cascade<'a>(context: &Context<'a>, goals: &mut Goals<'a>) {
    let going = goals
        .links
        .iter()
        .filter(|goal| matches!(goal.fate, Fate::Delete | Fate::Recreate));
    let mut open: VecDeque<(String, Fate)> = going
        .clone()
        .map(|goal| (goal.wanted.name.clone(), goal.fate))
        .collect();
    if open.is_empty() {
        return;
    }
    // The other end of a pair goes, too, even when nothing is said of it.
    let peers = going.filter_map(|goal| goal.present?.veth_peer());
    open.extend(peers.map(|peer| (peer.to_string(), Fate::Delete)));
    let mut stacked: HashMap<&str, Vec<&'a Interface>> = HashMap::new();
    for present in &context.observed.interfaces {
        if let Some(base) = present.base_interface() {
            stacked.entry(base).or_default().push(present);
        }
    }
    let mut positions: HashMap<String, usize> = goals
        .links
        .iter()
        .enumerate()
        .map(|(position, goal)| (goal.wanted.name.clone(), position))
        .collect();
    while let Some((below, fate)) = open.pop_front() {
        for present in stacked.get(below.as_str()).into_iter().flatten() {
            let position = positions.get(&present.name).copied();
            let happens = match position {
                Some(position) => {
                    let goal = &mut goals.links[position];
                    // One that is wanted over a link that goes was refused.
                    if goal.fate != Fate::Change || fate == Fate::Delete {
                        continue;
                    }
                    goal.fate = Fate::Recreate;
                    goal.up
                        .get_or_insert(present.wanted_state() == InterfaceState::Up);
                    complete(goal);
                    Fate::Recreate
                }
                None => {
                    let mut goal = Goal::new(Interface::named(&present.name), Some(present), fate);
                    if fate == Fate::Recreate {
                        goal.up = Some(present.wanted_state() == InterfaceState::Up);
                        complete(&mut goal);
                    }
                    positions.insert(present.name.clone(), goals.links.len());
                    goals.links.push(goal);
                    fate
                }
            };
            open.push_back((present.name.clone(), happens));
        }
    }
    detach_from_gone_controllers(goals);
}

/// A link that is created anew doesn't come back to a controller that goes.
fn detach_from_gone_controllers(goals: &mut Goals<'_>) {
    let going = goals.links.iter().filter(|goal| goal.fate == Fate::Delete);
    let gone: HashSet<String> = going.map(|goal| goal.wanted.name.clone()).collect();
    for goal in goals
        .links
        .iter_mut()
        .filter(|goal| goal.fate == Fate::Recreate)
    {
        goal.wanted
            .controller
            .take_if(|controller| gone.contains(controller));
    }
}
