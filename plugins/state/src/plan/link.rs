// SPDX-License-Identifier: Apache-2.0

//! Operations on links.

use std::collections::{HashMap, HashSet};

use nipart_schemas::interface::{AltNameState, Interface, InterfaceState, InterfaceType};
use nipart_schemas::operation::{LinkChanges, Operation};
use nipart_schemas::overlay::Overlay;

use super::depth::GoalsByName;
use super::{Phase, Surroundings, Waves, inherited, ip_stack, sr_iov};
use crate::goal::Goal;
use crate::kind;

/// Deletes the link; of a veth pair that goes whole, the end that comes first in the alphabet.
pub(super) fn delete(goal: &Goal<'_>, surroundings: &Surroundings<'_>, waves: &mut Waves) {
    let name = goal.name();
    let peer_goes_too = goal
        .present
        .and_then(Interface::veth_peer)
        .is_some_and(|peer| {
            peer < name
                && surroundings
                    .goals
                    .get(peer)
                    .is_some_and(|other| other.present.is_some() && other.surviving().is_none())
        });
    if !peer_goes_too {
        // Waves are in the order of their depth: upper links first means the deepest first.
        let depth = usize::MAX - surroundings.going.get(name).copied().unwrap_or(0);
        waves.push_at(
            Phase::DeleteLinks,
            depth,
            Operation::DeleteLink {
                interface: name.to_string(),
            },
        );
    }
}

/// Creates the link with all that one message can carry, and adds what it can't.
pub(super) fn create(goal: &Goal<'_>, surroundings: &Surroundings<'_>, waves: &mut Waves) {
    let name = goal.name();
    let comes_with_peer = surroundings.creators.contains_key(name);
    if !comes_with_peer {
        let peer = goal.wanted.veth_peer().map(|peer| {
            Box::new(match surroundings.goals.get(peer) {
                Some(other) => creation(other, surroundings),
                None => Interface {
                    state: Some(InterfaceState::Down),
                    ..Interface::named(peer)
                },
            })
        });
        let mut interface = creation(goal, surroundings);
        interface.controller = goal
            .wanted
            .controller
            .clone()
            .filter(|name| !name.is_empty());
        if let Some(later) = kind::take_what_needs_ports(&mut interface) {
            let interface = Box::new(later);
            let operation = Operation::ChangeSection { interface };
            waves.push_at(Phase::SettlePorts, 1, operation);
        }
        let interface = Box::new(interface);
        let operation = match interface.interface_type {
            // A driver makes it, of a virtual function.
            Some(InterfaceType::Ethernet) => Operation::AwaitLink { interface },
            _ => Operation::CreateLink { interface, peer },
        };
        let depth = surroundings.depth(name);
        waves.push_at(Phase::CreateLinks, depth, operation);
    }
    let wanted = &goal.wanted;
    // The message that creates a pair can't attach the second end.
    let controller = wanted
        .controller
        .clone()
        .filter(|name| comes_with_peer && !name.is_empty());
    let changes = LinkChanges {
        interface: name.to_string(),
        description: wanted.description.clone().filter(|text| !text.is_empty()),
        accept_all_mac_addresses: wanted.accept_all_mac_addresses.filter(|accept| *accept),
        controller,
        ..LinkChanges::default()
    };
    inherited::settle_port(goal, surroundings, waves);
    push_changes(Phase::SettleLinks, 0, changes, waves);
    hardware(wanted, None, waves);
    alt_names(wanted, None, waves);
    ip_stack::plan(wanted, None, waves);
}

/// The second ends of pairs that are created, with the end whose message does that: the first in the alphabet of
/// those that name the other.
pub(super) fn creators(goals: &GoalsByName<'_>) -> HashMap<String, String> {
    let mut creators = HashMap::new();
    for (name, goal) in goals.iter().filter(|(_, goal)| goal.is_created()) {
        let Some(peer) = goal.wanted.veth_peer() else {
            continue;
        };
        let names_back = goals
            .get(peer)
            .is_some_and(|other| other.is_created() && other.wanted.veth_peer() == Some(*name));
        if !names_back || *name < peer {
            creators.insert(peer.to_string(), (*name).to_string());
        }
    }
    creators
}

/// What the message that creates a link can carry.
fn creation(goal: &Goal<'_>, surroundings: &Surroundings<'_>) -> Interface {
    let wanted = &goal.wanted;
    let comes_up_when_attached = wanted
        .controller
        .as_deref()
        .is_some_and(|name| surroundings.sets_ports_up(name));
    Interface {
        state: Some(if goal.up == Some(true) && !comes_up_when_attached {
            InterfaceState::Up
        } else {
            InterfaceState::Down
        }),
        mtu: wanted.mtu,
        mac_address: wanted.mac_address.clone(),
        ipv6: ip_stack::before_up(wanted),
        ..wanted.only_sections().without_ports()
    }
}

/// Changes a living link.
pub(super) fn change(goal: &Goal<'_>, surroundings: &Surroundings<'_>, waves: &mut Waves) {
    let Some(present) = goal.present else { return };
    let wanted = &goal.wanted;
    let name = goal.name();
    let is_up = present.wanted_state() == InterfaceState::Up;
    let mut changes = LinkChanges {
        interface: name.to_string(),
        up: goal.up.filter(|up| *up != is_up),
        mtu: wanted.mtu.filter(|mtu| present.mtu != Some(*mtu)),
        mac_address: wanted
            .mac_address
            .clone()
            .filter(|address| present.mac_address.as_ref() != Some(address)),
        accept_all_mac_addresses: wanted
            .accept_all_mac_addresses
            .filter(|accept| present.accept_all_mac_addresses.unwrap_or(false) != *accept),
        controller: wanted.controller.clone().filter(|controller| {
            present.controller.as_deref().unwrap_or_default() != controller
                // A controller that is created anew has lost its ports.
                || surroundings.is_created(controller)
        }),
        description: wanted
            .description
            .clone()
            .filter(|text| present.description.as_deref().unwrap_or_default() != text),
    };
    let waits_for_controller = changes
        .controller
        .as_deref()
        .is_some_and(|controller| surroundings.is_created(controller));
    let (phase, depth) = if waits_for_controller {
        (Phase::SettleLinks, 0)
    } else {
        (Phase::ChangeLinks, surroundings.depth(name))
    };
    let section = kind::section_differences(wanted, present);
    if kind::resets_mtu(present, &section) {
        changes.mtu = None;
        let after = LinkChanges {
            interface: name.to_string(),
            mtu: wanted.mtu,
            ..LinkChanges::default()
        };
        push_changes(Phase::SettleLinks, 0, after, waves);
    }
    set_up_or_down(goal, present, &mut changes, surroundings, waves);
    push_changes(phase, depth, changes, waves);
    inherited::settle_controller(goal, surroundings, waves);

    if let Some(interface_type) = &present.interface_type
        && !section.is_empty()
    {
        let mut interface = kind::section_changes(wanted, present, interface_type);
        let later = kind::take_what_needs_ports(&mut interface);
        if !kind::section_differences(&interface, present).is_empty() {
            let interface = Box::new(interface);
            let operation = Operation::ChangeSection { interface };
            waves.push_at(Phase::ChangeLinks, depth, operation);
        }
        if let Some(interface) = later.map(Box::new) {
            let operation = Operation::ChangeSection { interface };
            waves.push_at(Phase::SettlePorts, 1, operation);
        }
    }
    hardware(wanted, Some(present), waves);
    sr_iov::plan(wanted, present, waves);
    alt_names(wanted, Some(present), waves);
    ip_stack::plan(wanted, Some(present), waves);
}

/// What becomes a port of a controller that sets its ports up must be down before. What leaves one is down afterwards,
/// and can't come up by the same message: depending on the kernel that is done before the controller's part.
fn set_up_or_down(
    goal: &Goal<'_>,
    present: &Interface,
    changes: &mut LinkChanges,
    surroundings: &Surroundings<'_>,
    waves: &mut Waves,
) {
    let only = |up: bool| LinkChanges {
        interface: goal.name().to_string(),
        up: Some(up),
        ..LinkChanges::default()
    };
    let old = present.controller.as_deref().unwrap_or_default();
    let new = changes.controller.as_deref();
    let is_up = present.wanted_state() == InterfaceState::Up;
    let is_let_go = surroundings.sets_ports_up(old) && (new.is_some() || surroundings.is_gone(old));
    if new.is_some_and(|new| surroundings.sets_ports_up(new)) {
        changes.up = None;
        if is_up && !is_let_go {
            push_changes(Phase::LowerPorts, 0, only(false), waves);
        }
        inherited::settle_port(goal, surroundings, waves);
    } else if is_let_go {
        changes.up = None;
        if goal.up.unwrap_or(is_up) {
            let waits = new.is_some_and(|new| surroundings.is_created(new));
            let phase = if waits {
                Phase::SettlePorts
            } else {
                Phase::RaisePorts
            };
            push_changes(phase, 0, only(true), waves);
        }
    }
}

/// Pushes them, unless there are none.
pub(super) fn push_changes(phase: Phase, depth: usize, changes: LinkChanges, waves: &mut Waves) {
    let nothing = LinkChanges {
        interface: changes.interface.clone(),
        ..LinkChanges::default()
    };
    if changes != nothing {
        waves.push_at(phase, depth, Operation::ChangeLink(changes));
    }
}

/// What of the hardware's settings isn't so. A new link may have them already: who sets them looks.
fn hardware(wanted: &Interface, present: Option<&Interface>, waves: &mut Waves) {
    let mut changes = wanted.only_hardware();
    changes.ethernet = changes.ethernet.and_then(|known| known.link_modes());
    if let Some(present) = present {
        changes.keep_differences(present);
        changes.name.clone_from(&wanted.name);
        // The kernel takes what it isn't told for what is, which a driver may not know without a carrier.
        if let Some(ethernet) = &mut changes.ethernet {
            for known in [wanted, present]
                .into_iter()
                .filter_map(|of| of.ethernet.as_ref()?.link_modes())
            {
                ethernet.fill_from(&known);
            }
            ethernet.forget_negotiated();
        }
    }
    if changes.has_hardware() {
        let interface = Box::new(changes);
        waves.push(Phase::SettleLinks, Operation::ChangeHardware { interface });
    }
}

fn alt_names(wanted: &Interface, present: Option<&Interface>, waves: &mut Waves) {
    let present: HashSet<&str> = present
        .and_then(|present| present.alt_names.as_ref())
        .into_iter()
        .flatten()
        .map(|alt_name| alt_name.name.as_str())
        .collect();
    for alt_name in wanted.alt_names.iter().flatten() {
        let (interface, name) = (wanted.name.clone(), alt_name.name.clone());
        let there = present.contains(name.as_str());
        match alt_name.state {
            Some(AltNameState::Absent) if there => {
                waves.push(
                    Phase::RemoveAddresses,
                    Operation::RemoveAltName { interface, name },
                );
            }
            None if !there => waves.push(
                Phase::SettleLinks,
                Operation::AddAltName { interface, name },
            ),
            _ => {}
        }
    }
}
