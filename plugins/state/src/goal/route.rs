// SPDX-License-Identifier: Apache-2.0

//! Which routes must be there and which must go.

pub(crate) mod carrier;
mod loss;

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::InterfaceState;
use nipart_schemas::ip::{PROTOCOL_DHCP, PROTOCOL_NIPART};
use nipart_schemas::route::{IpNetwork, Route, RouteKey};

pub(crate) use self::loss::{Loss, restore_lost};
use super::{Fate, Goals};
use crate::context::Context;
use crate::lease::routes_of_lease;

/// `RTPROT_KERNEL`: connected routes, which come and go with addresses.
const PROTOCOL_KERNEL: u8 = 2;
/// `RTPROT_BOOT`: what `ip route add` writes when no protocol is given.
const PROTOCOL_BOOT: u8 = 3;
/// `RTPROT_STATIC`.
const PROTOCOL_STATIC: u8 = 4;
/// `RTPROT_RA`: learned from router advertisements.
const PROTOCOL_ROUTER_ADVERTISEMENT: u8 = 9;

/// Whether the kernel itself keeps the route.
pub(crate) fn is_kernels(route: &Route) -> bool {
    matches!(
        route.protocol,
        Some(PROTOCOL_KERNEL | PROTOCOL_ROUTER_ADVERTISEMENT)
    )
}

/// What the kernel has but one route for.
pub(crate) type Slot = (Option<IpNetwork>, u32, u32);

/// The slot of a route.
pub(crate) fn slot(route: &Route) -> Slot {
    let key = route.key();
    (key.destination, key.table_id, key.metric)
}

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
        .filter(|route| !route.is_absent() && !carrier::rests(context, route))
    {
        let interface = route.next_hop_interface.as_deref().unwrap_or_default();
        if !context.will_exist(interface) {
            goals.pending.push(interface.to_string());
            continue;
        }
        wanted.insert(route.key());
        if let Some(present) = present.get(&route.key())
            && route.source.is_some()
            && present.source != route.source
        {
            goals.unwanted_routes.push((*present).clone());
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
    for route in context.observed.running_routes() {
        if wanted.contains(&route.key()) || route.protocol == Some(PROTOCOL_KERNEL) {
            continue;
        }
        let interface = route.next_hop_interface.as_deref();
        let goes_with_its_link =
            interface.is_some_and(|name| fates.get(name) == Some(&Fate::Delete));
        if !goes_with_its_link && is_unwanted(context, route) {
            goals.unwanted_routes.push(route.clone());
        }
    }
    if context.missing == MissingInterfaces::Await {
        // What was saved goes before what took its place meanwhile.
        let occupants = occupants(context, goals);
        goals
            .unwanted_routes
            .extend(occupants.into_iter().map(|(_, route)| route.clone()));
    }
    restore_lost(context, goals);
}

/// Present routes that stay, in the slot of a wanted one that isn't there: the kernel would refuse that.
pub(crate) fn occupants<'a>(context: &Context<'a>, goals: &Goals<'_>) -> Vec<(Route, &'a Route)> {
    let present: HashSet<RouteKey> = context
        .observed
        .running_routes()
        .iter()
        .map(Route::key)
        .collect();
    let wanted: HashMap<Slot, &Route> = goals
        .routes
        .iter()
        .filter(|route| !present.contains(&route.key()) && is_exclusive(route))
        .map(|route| (slot(route), route))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let unwanted: HashSet<RouteKey> = goals.unwanted_routes.iter().map(Route::key).collect();
    let loss = Loss::of(goals);
    let staying = context.observed.running_routes().iter().filter(|route| {
        is_exclusive(route) && !unwanted.contains(&route.key()) && !loss.takes(route)
    });
    staying
        .filter_map(|route| Some(((*wanted.get(&slot(route))?).clone(), route)))
        .collect()
}

/// Leased routes of several links may share a slot: they are added behind each other.
fn is_exclusive(route: &Route) -> bool {
    route.protocol != Some(PROTOCOL_DHCP)
}

/// Routes that the leases of wanted interfaces bring.
fn leased(context: &Context<'_>) -> Vec<Route> {
    let mut routes = Vec::new();
    for interface in context
        .desired
        .interfaces
        .iter()
        .filter(|interface| interface.wants_dhcpv4() && context.will_exist(&interface.name))
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
        // Of a lease on a link whose DHCP isn't mentioned nothing follows.
        || (ipv4.dhcp == Some(true) && context.leases.contains_key(name))
        || context.without_lease.contains(&name)
}
