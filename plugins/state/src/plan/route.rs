// SPDX-License-Identifier: Apache-2.0

//! Operations on routes.

use std::collections::HashSet;

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
    let staying: HashSet<RouteKey> = context
        .observed
        .running_routes()
        .iter()
        .filter(|route| !loss.takes(route))
        .map(Route::key)
        .filter(|key| !unwanted.contains(key))
        .collect();
    for route in &goals.routes {
        if staying.contains(&route.key()) {
            continue;
        }
        let phase = match route.next_hop_address {
            None => Phase::AddLinkRoutes,
            Some(_) => Phase::AddGatewayRoutes,
        };
        waves.push(phase, Operation::AddRoute(route.clone()));
    }
}
