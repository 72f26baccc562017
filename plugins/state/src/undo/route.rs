// SPDX-License-Identifier: Apache-2.0

//! Routes as they were before.

use std::collections::{HashMap, HashSet};

use nipart_schemas::route::{Route, RouteKey};

use super::touched::Touched;
use crate::context::Context;
use crate::goal::Goals;
use crate::goal::route::{Loss, Slot, is_kernels, restore_lost, slot};

/// Wants every route back that led through a touched link, and that no other took the place of meanwhile; those that
/// the plan added go.
pub(super) fn restore(context: &Context<'_>, touched: &Touched, goals: &mut Goals<'_>) {
    let index = |routes: &'_ [Route]| -> HashMap<RouteKey, Route> {
        routes
            .iter()
            .map(|route| (route.key(), route.clone()))
            .collect()
    };
    let before = index(context.desired.running_routes());
    let now = index(context.observed.running_routes());
    let loss = Loss::of(goals);
    let occupied: HashSet<Slot> = now
        .iter()
        .filter(|(key, route)| {
            !before.contains_key(key) && !touched.added_routes.contains(key) && !loss.takes(route)
        })
        .map(|(_, route)| slot(route))
        .collect();
    for route in context.desired.running_routes() {
        let is_touched = route
            .next_hop_interface
            .as_ref()
            .is_some_and(|name| touched.interfaces.contains(name));
        if is_kernels(route) || !is_touched {
            continue;
        }
        match now.get(&route.key()) {
            // Another preferred source makes no other key.
            Some(present) if present.source != route.source => {
                goals.unwanted_routes.push(present.clone());
            }
            None if occupied.contains(&slot(route)) => continue,
            _ => {}
        }
        goals.routes.push(route.clone());
    }
    let added = context.observed.running_routes().iter().filter(|route| {
        let key = route.key();
        touched.added_routes.contains(&key) && !before.contains_key(&key)
    });
    goals.unwanted_routes.extend(added.cloned());
    restore_lost(context, goals);
}
