// SPDX-License-Identifier: Apache-2.0

//! Who is a port of whom: the controller's list and the port's `controller` key are two spellings of one thing.

use std::collections::{BTreeMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::{Interface, InterfaceState, LinuxBridge};

use super::{Fate, Goal, Goals, address};
use crate::context::Context;

/// Whether we attached the port: by the controller's list or by the port's own key.
pub(crate) fn is_ours(context: &Context<'_>, controller: &str, port: &str) -> bool {
    let by_port = context
        .remembered
        .get(port)
        .is_some_and(|saved| saved.controller.as_deref() == Some(controller));
    by_port
        || context
            .remembered
            .get(controller)
            .and_then(|saved| saved.port_names())
            .is_some_and(|ports| ports.contains(&port))
}

/// Whether the controller's new list lets a present port go that it doesn't name.
pub(crate) fn leaves(context: &Context<'_>, controller: &str, port: &str) -> bool {
    let section = context
        .wanted_up(controller)
        .and_then(|wanted| wanted.bridge.as_ref());
    section.and_then(|bridge| bridge.allow_extra_ports) == Some(false)
        || is_ours(context, controller, port)
}

/// The controller that each mentioned port gets; empty when it is to be detached.
pub(super) fn attachments<'a>(context: &Context<'a>) -> BTreeMap<&'a str, String> {
    let mut attachments = BTreeMap::new();
    let mut detached = Vec::new();
    for interface in &context.desired.interfaces {
        if interface.wanted_state() != InterfaceState::Up {
            continue;
        }
        if let Some(controller) = &interface.controller {
            attachments.insert(interface.name.as_str(), controller.clone());
        }
        let Some(listed) = interface.port_names() else {
            continue;
        };
        for port in &listed {
            attachments.insert(port, interface.name.clone());
        }
        detached.extend(leaving_ports(context, interface, &listed));
    }
    for port in detached {
        // A port that moves to another controller of this state is not detached first.
        attachments.entry(port).or_default();
    }
    attachments
}

/// Present ports that the new list doesn't name and that we attached, or any when no others are allowed.
fn leaving_ports<'a>(
    context: &Context<'a>,
    controller: &Interface,
    listed: &[&str],
) -> Vec<&'a str> {
    let Some(present) = context.present.get(controller.name.as_str()) else {
        return Vec::new();
    };
    let ours: HashSet<&str> = context
        .remembered
        .get(controller.name.as_str())
        .and_then(|saved| saved.port_names())
        .unwrap_or_default()
        .into_iter()
        .collect();
    let names_it = |port: &&str| {
        let saved = context.remembered.get(port);
        saved.is_some_and(|saved| saved.controller.as_deref() == Some(&controller.name))
    };
    let only_listed = controller
        .bridge
        .as_ref()
        .and_then(|bridge: &LinuxBridge| bridge.allow_extra_ports)
        == Some(false);
    let listed: HashSet<&str> = listed.iter().copied().collect();
    present
        .port_names()
        .unwrap_or_default()
        .into_iter()
        .filter(|port| !listed.contains(port))
        .filter(|port| only_listed || ours.contains(port) || names_it(port))
        .collect()
}

/// Goals of ports that the wanted state names in a controller's list only: attached ones are pulled in and set up.
pub(super) fn unlisted<'a>(
    context: &Context<'a>,
    attachments: &BTreeMap<&str, String>,
    goals: &mut Goals<'a>,
) {
    for (port, controller) in attachments {
        // A port that went with its base or its peer is none any more.
        if context.wanted.contains_key(port) || context.doomed.contains(port) {
            continue;
        }
        let present = context.present.get(port).copied();
        let fate = match present {
            Some(_) => Fate::Change,
            None if context.peers.contains_key(port) => Fate::Create,
            None => {
                if context.missing == MissingInterfaces::Await {
                    goals.pending.push((*port).to_string());
                }
                continue;
            }
        };
        let is_attached = !controller.is_empty();
        let wanted = Interface {
            controller: Some(controller.clone()),
            ..Interface::named(*port)
        };
        let ours = address::left_by_a_port(context, present.filter(|_| is_attached));
        goals.links.push(Goal {
            up: is_attached.then_some(true),
            unwanted_addresses: ours.collect(),
            ..Goal::new(wanted, present, fate)
        });
    }
}
