// SPDX-License-Identifier: Apache-2.0

//! Operations on routes.

use std::collections::{HashMap, HashSet};

use nipart_schemas::operation::Operation;
use nipart_schemas::route::{Route, RouteKey, RouteSlot};

use super::{Phase, Waves};
use crate::context::Context;
use crate::goal::Goals;
use crate::goal::route::{Loss, is_displaced};

pub(super) fn plan(context: &Context<'_>, goals: &Goals<'_>, waves: &mut Waves) {
    let loss = Loss::of(goals);
    let mut unwanted: HashSet<RouteKey> = HashSet::new();
    for route in &goals.unwanted_routes {
        // What goes with its link needs no message.
        if unwanted.insert(route.key()) && !loss.takes_link_of(route) {
            let phase = match is_displaced(context, route) {
                true => Phase::RemoveDisplacedRoutes,
                false => Phase::RemoveRoutes,
            };
            waves.push(phase, Operation::RemoveRoute(route.clone()));
        }
    }
    let mut staying: HashSet<RouteKey> = HashSet::new();
    let mut unsure: HashMap<RouteKey, &Route> = HashMap::new();
    for route in context.observed.running_routes() {
        if route.is_hop() || unwanted.contains(&route.key()) {
            continue;
        }
        if !loss.takes(route) {
            staying.insert(route.key());
        } else if loss.may_take(route) {
            unsure.insert(route.key(), route);
        }
    }
    for route in &goals.routes {
        if staying.contains(&route.key()) {
            continue;
        }
        // Gone for sure, so that it can be added.
        if let Some(present) = unsure.get(&route.key()) {
            let removal = Operation::RemoveRoute((*present).clone());
            waves.push(Phase::RemoveRoutes, removal);
        }
        let phase = match route.next_hop_address {
            None => Phase::AddLinkRoutes,
            Some(_) => Phase::AddGatewayRoutes,
        };
        waves.push(phase, Operation::AddRoute(route.clone()));
    }
    let occupants = occupants(context, goals);
    for path in &goals.multipaths {
        let is_alone = path
            .present
            .first()
            .is_some_and(|hop| occupants.get(&hop.slot()).copied() == Some(path.present.len()));
        if is_alone && !path.wanted.is_empty() {
            let replacement = Operation::ReplaceRoute {
                present: as_route(&path.present),
                wanted: as_route(&path.wanted),
            };
            waves.push(Phase::AddGatewayRoutes, replacement);
            continue;
        }
        if let Some(operation) = about(
            &path.present,
            Operation::RemoveRoute,
            Operation::RemoveMultipathRoute,
        ) {
            waves.push(Phase::RemoveRoutes, operation);
        }
        if let Some(operation) = about(
            &path.wanted,
            Operation::AddRoute,
            Operation::AddMultipathRoute,
        ) {
            waves.push(Phase::AddGatewayRoutes, operation);
        }
    }
}

/// How many routes and next hops there are in the places of those that change. The kernel replaces the first one that
/// it finds in a place.
fn occupants(context: &Context<'_>, goals: &Goals<'_>) -> HashMap<RouteSlot, usize> {
    let hops = goals.multipaths.iter().flat_map(|path| &path.present);
    let mut occupants: HashMap<RouteSlot, usize> = hops.map(|hop| (hop.slot(), 0)).collect();
    if !occupants.is_empty() {
        for route in context.observed.running_routes() {
            if let Some(count) = occupants.get_mut(&route.slot()) {
                *count += 1;
            }
        }
    }
    occupants
}

/// A single next hop is a plain route, which has no weight.
fn as_route(hops: &[Route]) -> Vec<Route> {
    let mut hops = hops.to_vec();
    if let [hop] = hops.as_mut_slice() {
        hop.weight = None;
    }
    hops
}

/// One operation on all hops.
fn about(
    hops: &[Route],
    one: fn(Route) -> Operation,
    several: fn(Vec<Route>) -> Operation,
) -> Option<Operation> {
    let mut hops = as_route(hops);
    if hops.len() > 1 {
        return Some(several(hops));
    }
    hops.pop().map(one)
}
