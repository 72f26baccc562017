// SPDX-License-Identifier: Apache-2.0

//! Who is a port of whom: the controller's list and the port's `controller` key are two spellings of one thing.

use std::collections::{BTreeMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::{Interface, InterfaceState, LinuxBridge};

use super::{Fate, Goal, Goals};
use crate::context::Context;

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
        .filter(|port| !listed.contains(port) && (only_listed || ours.contains(port)))
        .collect()
}

/// Goals of ports that the wanted state names in a controller's list only: attached ones are pulled in and set up.
pub(super) fn unlisted<'a>(
    context: &Context<'a>,
    attachments: &BTreeMap<&str, String>,
    goals: &mut Goals<'a>,
) {
    for (port, controller) in attachments {
        if context.wanted.contains_key(port) {
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
        goals.links.push(Goal {
            wanted: Interface {
                controller: Some(controller.clone()),
                ..Interface::named(*port)
            },
            present,
            fate,
            up: (!controller.is_empty()).then_some(true),
            addresses: Vec::new(),
            unwanted_addresses: Vec::new(),
        });
    }
}
