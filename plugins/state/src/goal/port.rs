// SPDX-License-Identifier: Apache-2.0

//! Who is a port of whom: the controller's list and the port's `controller` key are two spellings of one thing.

use std::collections::{BTreeMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::{Interface, InterfaceState};

use super::{Fate, Goal, Goals, address, advertised_route};
use crate::context::Context;
use crate::kind;

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
    let wanted = context.wanted_up(controller);
    wanted.is_some_and(Interface::allows_listed_ports_only) || is_ours(context, controller, port)
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
    let only_listed = controller.allows_listed_ports_only();
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
        let mut wanted = Interface {
            controller: Some(controller.clone()),
            ..Interface::named(*port)
        };
        let loses_addresses = context.takes_addresses_of_ports(controller);
        if loses_addresses {
            advertised_route::leave(context, &mut wanted);
        }
        let with_addresses = present.filter(|_| loses_addresses);
        let left = address::left_by_a_port(context, controller, with_addresses);
        goals.links.push(Goal {
            up: is_attached.then_some(true),
            unwanted_addresses: left.collect(),
            ..Goal::new(wanted, present, fate)
        });
    }
}

/// Fits what is wanted of a link to its being a port or having some.
pub(super) fn adopt(context: &Context<'_>, wanted: &mut Interface, present: Option<&Interface>) {
    let controller = wanted
        .controller
        .as_deref()
        .or_else(|| present?.controller.as_deref());
    let is_of_bond = controller.is_some_and(|name| kind::sets_ports_up(context.type_of(name)));
    if is_of_bond && present.is_some() {
        // Ports have the address of their bond.
        wanted.mac_address = None;
    }
    let awaits = wanted
        .preferred_port()
        .is_some_and(|name| !context.will_exist(name));
    if let Some(bond) = &mut wanted.link_aggregation
        && let Some(options) = &mut bond.options
        && awaits
    {
        options.primary = None;
    }
}
