// SPDX-License-Identifier: Apache-2.0

//! Operations on routes.

use std::collections::{HashMap, HashSet};

use nipart_schemas::operation::Operation;
use nipart_schemas::route::{Route, RouteKey};

use super::{Phase, Waves};
use crate::context::Context;
use crate::goal::{Goals, address};

pub(super) fn plan(context: &Context<'_>, goals: &Goals<'_>, waves: &mut Waves) {
    let dying: HashSet<&str> = goals
        .links
        .iter()
        .filter(|goal| goal.present.is_some() && goal.surviving().is_none())
        .map(|goal| goal.name())
        .collect();
    let lives = |route: &Route| {
        !route
            .next_hop_interface
            .as_deref()
            .is_some_and(|name| dying.contains(name))
    };
    let present: HashMap<RouteKey, &Route> = context
        .observed
        .running_routes()
        .iter()
        .filter(|route| lives(route) && !goes_with_an_address(goals, route))
        .map(|route| (route.key(), route))
        .collect();
    let unwanted: HashSet<RouteKey> = goals.unwanted_routes.iter().map(Route::key).collect();
    for route in goals.unwanted_routes.iter().filter(|route| lives(route)) {
        waves.push(Phase::RemoveRoutes, Operation::RemoveRoute(route.clone()));
    }
    for route in &goals.routes {
        let key = route.key();
        if present.contains_key(&key) && !unwanted.contains(&key) {
            continue;
        }
        let phase = match route.next_hop_address {
            None => Phase::AddLinkRoutes,
            Some(_) => Phase::AddGatewayRoutes,
        };
        waves.push(phase, Operation::AddRoute(route.clone()));
    }
}

/// The kernel removes a route when the address that it prefers as source is removed.
fn goes_with_an_address(goals: &Goals<'_>, route: &Route) -> bool {
    let Some(source) = route.source else {
        return false;
    };
    goals.links.iter().any(|goal| {
        goal.unwanted_addresses
            .iter()
            .any(|address| address.ip == source)
            && goal
                .surviving()
                .is_some_and(|present| address::all(present).any(|address| address.ip == source))
    })
}
