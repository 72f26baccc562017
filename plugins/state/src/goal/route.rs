// SPDX-License-Identifier: Apache-2.0

//! Which routes must be there and which must go.

use std::collections::{HashMap, HashSet};

use nipart_schemas::interface::InterfaceState;
use nipart_schemas::ip::{PROTOCOL_DHCP, PROTOCOL_NIPART};
use nipart_schemas::route::{Route, RouteKey};

use super::{Fate, Goals};
use crate::context::Context;
use crate::lease::routes_of_lease;

/// `RTPROT_KERNEL`: connected routes, which come and go with addresses.
pub(crate) const PROTOCOL_KERNEL: u8 = 2;
/// `RTPROT_BOOT`: what `ip route add` writes when no protocol is given.
const PROTOCOL_BOOT: u8 = 3;
/// `RTPROT_STATIC`.
const PROTOCOL_STATIC: u8 = 4;

pub(super) fn resolve(context: &Context<'_>, goals: &mut Goals<'_>) {
    let present: HashMap<RouteKey, &Route> = context
        .observed
        .running_routes()
        .iter()
        .map(|route| (route.key(), route))
        .collect();
    let mut wanted: HashSet<RouteKey> = HashSet::new();
    for route in context
        .desired
        .config_routes()
        .iter()
        .filter(|route| !route.is_absent())
    {
        let interface = route.next_hop_interface.as_deref().unwrap_or_default();
        if !context.will_exist(interface) {
            continue;
        }
        wanted.insert(route.key());
        if present
            .get(&route.key())
            .is_some_and(|present| present.source != route.source && route.source.is_some())
        {
            goals.unwanted_routes.push(Route {
                source: None,
                ..route.clone()
            });
        }
        goals.routes.push(Route {
            protocol: Some(PROTOCOL_NIPART),
            state: None,
            ..route.clone()
        });
    }
    for route in leased(context) {
        if wanted.insert(route.key()) {
            goals.routes.push(route);
        }
    }
    let fates: HashMap<&str, Fate> = goals
        .links
        .iter()
        .map(|goal| (goal.wanted.name.as_str(), goal.fate))
        .collect();
    let mut lost = Vec::new();
    for (key, route) in &present {
        if wanted.contains(key) || route.protocol == Some(PROTOCOL_KERNEL) {
            continue;
        }
        let fate = route
            .next_hop_interface
            .as_deref()
            .and_then(|name| fates.get(name))
            .copied();
        match fate {
            // It goes with its link.
            Some(Fate::Delete) => {}
            _ if is_unwanted(context, route) => goals.unwanted_routes.push((*route).clone()),
            // Routes of others don't get lost with a link that is created anew.
            Some(Fate::Recreate) => lost.push((*route).clone()),
            _ => {}
        }
    }
    goals.routes.extend(lost);
    goals.unwanted_routes.sort_by_key(Route::key);
}

/// Routes that the leases of wanted interfaces bring.
fn leased(context: &Context<'_>) -> Vec<Route> {
    let mut routes = Vec::new();
    for interface in context
        .desired
        .interfaces
        .iter()
        .filter(|interface| interface.wants_dhcpv4())
    {
        if let (Some(lease), Some(ipv4)) =
            (context.leases.get(interface.name.as_str()), &interface.ipv4)
        {
            routes.extend(routes_of_lease(lease, ipv4));
        }
    }
    routes
}

fn is_unwanted(context: &Context<'_>, route: &Route) -> bool {
    let named =
        context.desired.config_routes().iter().any(|entry| {
            entry.is_absent() && entry.matches(route) && is_meant(context, entry, route)
        });
    named || belongs_to_left_interface(context, route) || is_of_lost_lease(context, route)
}

/// A wildcard without a destination means static routes; those of routing daemons must be named by destination.
fn is_meant(context: &Context<'_>, entry: &Route, route: &Route) -> bool {
    entry.destination.is_some()
        || matches!(route.protocol, Some(PROTOCOL_BOOT | PROTOCOL_STATIC))
        || is_ours(context, route)
}

fn is_ours(context: &Context<'_>, route: &Route) -> bool {
    matches!(route.protocol, Some(PROTOCOL_NIPART | PROTOCOL_DHCP))
        || context
            .saved
            .config_routes()
            .iter()
            .any(|saved| saved.key() == route.key())
}

/// A link that is wanted down or absent but can't be deleted keeps no route of ours.
fn belongs_to_left_interface(context: &Context<'_>, route: &Route) -> bool {
    let wanted = route
        .next_hop_interface
        .as_deref()
        .and_then(|name| context.wanted.get(name));
    wanted.is_some_and(|interface| {
        matches!(
            interface.wanted_state(),
            InterfaceState::Absent | InterfaceState::Down
        ) && is_ours(context, route)
    })
}

/// A route that came with a lease goes when the lease is another, gone, or not wanted.
fn is_of_lost_lease(context: &Context<'_>, route: &Route) -> bool {
    if route.protocol != Some(PROTOCOL_DHCP) || route.is_ipv6() {
        return false;
    }
    let Some(name) = route.next_hop_interface.as_deref() else {
        return false;
    };
    let Some(ipv4) = context
        .wanted
        .get(name)
        .and_then(|interface| interface.ipv4.as_ref())
    else {
        return false;
    };
    ipv4.dhcp == Some(false)
        || ipv4.enabled == Some(false)
        || context.leases.contains_key(name)
        || context.without_lease.contains(&name)
}
