// SPDX-License-Identifier: Apache-2.0

//! Operations on routes.

use std::collections::{HashMap, HashSet};

use nipart_schemas::operation::Operation;
use nipart_schemas::route::{Route, RouteKey};

use super::{Phase, Waves};
use crate::context::Context;
use crate::goal::Goals;
use crate::goal::route::Loss;

pub(super) fn plan(context: &Context<'_>, goals: &Goals<'_>, waves: &mut Waves) {
    let loss = Loss::of(goals);
    let mut unwanted: HashSet<RouteKey> = HashSet::new();
    for route in &goals.unwanted_routes {
        // What goes with its link needs no message.
        if unwanted.insert(route.key()) && !loss.takes_link_of(route) {
            waves.push(Phase::RemoveRoutes, Operation::RemoveRoute(route.clone()));
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
    for path in &goals.multipaths {
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

/// One operation on all hops; a single one is a plain route.
fn about(
    hops: &[Route],
    one: fn(Route) -> Operation,
    several: fn(Vec<Route>) -> Operation,
) -> Option<Operation> {
    match hops {
        [] => None,
        [hop] => Some(one(Route {
            weight: None,
            ..hop.clone()
        })),
        hops => Some(several(hops.to_vec())),
    }
}
