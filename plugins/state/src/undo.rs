// SPDX-License-Identifier: Apache-2.0

//! Undoes a plan, however far it got: what it touched becomes again what it was.
//!
//! The wanted state is what was observed before. Comparing that with what is observed now also finds what the kernel
//! took away by itself: routes of a link that went down, addresses of one that was deleted. What others have added
//! meanwhile stays. Asked again after the undo, the answer must be an empty plan.

use std::collections::{BTreeSet, HashMap, HashSet};

use nipart_schemas::decision::{Decision, DecisionRequest};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::Address;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::route::{Route, RouteKey};

use crate::context::Context;
use crate::goal::route::PROTOCOL_KERNEL;
use crate::goal::{Fate, Goal, Goals, address};
use crate::{kind, plan};

pub(crate) fn decide(request: &DecisionRequest, undone: &Plan) -> Result<Decision, NipartError> {
    let context = Context::new(request);
    let touched = touched(&context, undone);
    let added: HashSet<_> = added_addresses(undone).collect();
    let mut goals = Goals::default();
    for name in &touched {
        let before = context.wanted.get(name.as_str()).copied();
        let now = context.present.get(name.as_str()).copied();
        goals.links.extend(restore(before, now, &added));
    }
    restore_routes(&context, undone, &touched, &mut goals);
    Ok(plan::build(&context, &goals))
}

/// Every interface that the plan may have changed, directly or through the kernel: ports and links stacked upon a
/// deleted one go with it.
fn touched(context: &Context<'_>, undone: &Plan) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    let mut deleted = HashSet::new();
    for operation in undone.operations() {
        touched.extend(operation.interface().map(str::to_string));
        match operation {
            Operation::CreateLink {
                peer: Some(peer), ..
            } => {
                touched.insert(peer.name.clone());
            }
            Operation::DeleteLink { interface } => {
                deleted.insert(interface.as_str());
                let before = context.wanted.get(interface.as_str());
                touched.extend(
                    before
                        .and_then(|before| before.veth_peer())
                        .map(str::to_string),
                );
            }
            _ => {}
        }
    }
    let dependent = context.desired.interfaces.iter().filter(|interface| {
        [interface.controller.as_deref(), interface.base_interface()]
            .into_iter()
            .flatten()
            .any(|below| deleted.contains(below))
    });
    touched.extend(dependent.map(|interface| interface.name.clone()));
    touched
}

fn added_addresses(undone: &Plan) -> impl Iterator<Item = (&str, (std::net::IpAddr, u8))> {
    undone.operations().filter_map(|operation| match operation {
        Operation::AddAddress { interface, address } => Some((interface.as_str(), address.key())),
        _ => None,
    })
}

fn restore<'a>(
    before: Option<&'a Interface>,
    now: Option<&'a Interface>,
    added: &HashSet<(&str, (std::net::IpAddr, u8))>,
) -> Option<Goal<'a>> {
    let goal = |wanted: Interface, fate| Goal {
        wanted,
        present: now,
        fate,
        up: None,
        addresses: Vec::new(),
        unwanted_addresses: Vec::new(),
    };
    let Some(before) = before else {
        let now = now?;
        return Some(goal(Interface::named(&now.name), Fate::Delete));
    };
    let mut wanted = before.clone();
    // What is not there was not there: the common keys that can be taken off again are written out.
    wanted.controller.get_or_insert_default();
    wanted.description.get_or_insert_default();
    if let Some(now) = now {
        wanted.alt_names = Some(restored_alt_names(before, now));
    }
    let fate = match now {
        None => Fate::Create,
        Some(now) if kind::needs_recreation(&kind::section_differences(before, now)) => {
            Fate::Recreate
        }
        Some(_) => Fate::Change,
    };
    let kept: Vec<Address> = address::all(before).collect();
    let unwanted = now.into_iter().flat_map(address::all).filter(|address| {
        added.contains(&(before.name.as_str(), address.key()))
            && !kept.iter().any(|kept| kept.key() == address.key())
    });
    Some(Goal {
        up: Some(before.wanted_state() == InterfaceState::Up),
        unwanted_addresses: unwanted.collect(),
        addresses: kept,
        ..goal(wanted, fate)
    })
}

/// The names of before, and an order to remove each that was not there.
fn restored_alt_names(
    before: &Interface,
    now: &Interface,
) -> Vec<nipart_schemas::interface::AltName> {
    use nipart_schemas::interface::{AltName, AltNameState};
    let mut names: Vec<AltName> = before.alt_names.clone().unwrap_or_default();
    let new = now
        .alt_names
        .iter()
        .flatten()
        .filter(|alt_name| !names.iter().any(|known| known.name == alt_name.name));
    let removed: Vec<AltName> = new
        .map(|alt_name| AltName {
            name: alt_name.name.clone(),
            state: Some(AltNameState::Absent),
        })
        .collect();
    names.extend(removed);
    names
}

fn restore_routes(
    context: &Context<'_>,
    undone: &Plan,
    touched: &BTreeSet<String>,
    goals: &mut Goals<'_>,
) {
    let is_touched = |route: &Route| {
        route.protocol != Some(PROTOCOL_KERNEL)
            && route
                .next_hop_interface
                .as_ref()
                .is_some_and(|name| touched.contains(name))
    };
    let before: HashMap<RouteKey, &Route> = context
        .desired
        .running_routes()
        .iter()
        .map(|route| (route.key(), route))
        .collect();
    let added: HashSet<RouteKey> = undone
        .operations()
        .filter_map(|operation| match operation {
            Operation::AddRoute(route) => Some(route.key()),
            _ => None,
        })
        .collect();
    goals.routes.extend(
        context
            .desired
            .running_routes()
            .iter()
            .filter(|route| is_touched(route))
            .cloned(),
    );
    goals.unwanted_routes.extend(
        context
            .observed
            .running_routes()
            .iter()
            .filter(|route| added.contains(&route.key()) && !before.contains_key(&route.key()))
            .cloned(),
    );
}
