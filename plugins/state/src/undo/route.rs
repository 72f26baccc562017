// SPDX-License-Identifier: Apache-2.0

//! Routes as they were before.

use std::collections::{HashMap, HashSet};

use nipart_schemas::route::{Route, RouteKey, RouteSlot};

use super::touched::Touched;
use crate::context::Context;
use crate::goal::Goals;
use crate::goal::route::{Loss, Paths, restore_lost};

/// Wants every route back that led through a touched link, or that the plan was about, and that no other took the
/// place of meanwhile; those that the plan added go.
pub(super) fn restore(context: &Context<'_>, touched: &Touched, goals: &mut Goals<'_>) {
    let (before, now) = (
        index(context.desired.running_routes()),
        index(context.observed.running_routes()),
    );
    let loss = Loss::of(goals);
    let occupied: HashSet<RouteSlot> = now
        .values()
        .filter(|route| {
            let key = route.key();
            !before.contains_key(&key) && !touched.added_routes.contains(&key) && !loss.takes(route)
        })
        .map(|route| route.slot())
        .collect();
    for route in before.values().filter(|route| !route.is_hop()) {
        let is_touched = match &route.next_hop_interface {
            Some(name) => touched.interfaces.contains(name),
            None => touched.slots.contains(&route.slot()),
        };
        if route.is_kernels() || !is_touched {
            continue;
        }
        match now.get(&route.key()).filter(|present| !present.is_hop()) {
            // Other properties make no other key.
            Some(present) if !present.is_like(route) => {
                goals.unwanted_routes.push((*present).clone());
            }
            None if occupied.contains(&route.slot()) => continue,
            _ => {}
        }
        goals.routes.push((*route).clone());
    }
    let added = now.values().filter(|route| {
        let key = route.key();
        !route.is_hop() && touched.added_routes.contains(&key) && !is_plain(before.get(&key))
    });
    goals
        .unwanted_routes
        .extend(added.map(|route| (*route).clone()));
    sort(goals);
    hops(&before, &now, &occupied, touched).resolve(context, goals);
    restore_lost(context, goals);
}

fn index(routes: &[Route]) -> HashMap<RouteKey, &Route> {
    routes.iter().map(|route| (route.key(), route)).collect()
}

fn is_plain(route: Option<&&Route>) -> bool {
    route.is_some_and(|route| !route.is_hop())
}

/// The same input gives the same plan.
fn sort(goals: &mut Goals<'_>) {
    goals.routes.sort_by_cached_key(Route::key);
    goals.unwanted_routes.sort_by_cached_key(Route::key);
}

/// Routes with several next hops that the plan was about: exactly as they were.
fn hops(
    before: &HashMap<RouteKey, &Route>,
    now: &HashMap<RouteKey, &Route>,
    occupied: &HashSet<RouteSlot>,
    touched: &Touched,
) -> Paths {
    let mut paths = Paths::default();
    let hops = before.values().filter(|route| route.is_hop());
    for hop in hops {
        let slot = hop.slot();
        if touched.slots.contains(&slot) && !occupied.contains(&slot) {
            paths.wanted.push((*hop).clone());
            paths.exact.insert(slot);
        }
    }
    paths.wanted.sort_by_cached_key(Route::key);
    let added = now.iter().filter(|(key, route)| {
        route.is_hop() && touched.added_routes.contains(*key) && !before.contains_key(*key)
    });
    paths.unwanted = added.map(|(key, _)| key.clone()).collect();
    paths
}
