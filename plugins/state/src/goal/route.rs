// SPDX-License-Identifier: Apache-2.0

//! Which routes must be there and which must go.

mod advertised;
pub(crate) mod carrier;
mod loss;
mod multipath;
mod vrf;

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::ip::{PROTOCOL_DHCP, PROTOCOL_NIPART};
use nipart_schemas::lease::LeaseProtocol;
use nipart_schemas::route::{AbsentRoutes, Route, RouteKey, RouteSlot};

pub(crate) use self::advertised::is_displaced;
pub(crate) use self::loss::{Loss, restore_lost};
pub(crate) use self::multipath::{Multipath, Paths};
use super::{Fate, Goals};
use crate::context::Context;
use crate::lease::routes_of_lease;

/// `RTPROT_BOOT`: what `ip route add` writes when no protocol is given.
const PROTOCOL_BOOT: u8 = 3;
/// `RTPROT_STATIC`.
const PROTOCOL_STATIC: u8 = 4;

pub(super) fn resolve(context: &Context<'_>, goals: &mut Goals<'_>) {
    let present: HashMap<RouteKey, &Route> = context
        .observed
        .running_routes()
        .iter()
        .filter(|route| !route.is_hop())
        .map(|route| (route.key(), route))
        .collect();
    let absent = AbsentRoutes::of(context.config_routes());
    let mut wanted: HashSet<RouteKey> = HashSet::new();
    let mut paths = Paths::default();
    for route in context
        .config_routes()
        .iter()
        .filter(|route| !route.is_absent() && !carrier::rests(context, route))
    {
        // A VRF that is still named is none, or none yet.
        let missing = route.vrf_name.as_deref().or_else(|| {
            let interface = route.next_hop_interface.as_deref();
            interface.filter(|name| !context.will_exist(name))
        });
        if let Some(missing) = missing {
            goals.pending.push(missing.to_string());
            continue;
        }
        let key = route.key();
        if let Some(present) = present.get(&key)
            && !route.is_hop()
            && !is_as_wanted(route, present, &absent)
        {
            goals.unwanted_routes.push((*present).clone());
        }
        wanted.insert(key);
        let marked = Route {
            protocol: Some(PROTOCOL_NIPART),
            state: None,
            ..route.clone()
        };
        if route.is_hop() {
            paths.wanted.push(marked);
        } else {
            goals.routes.push(marked);
        }
    }
    let written = advertised::Written::of(context, &goals.routes);
    for route in leased(context) {
        let key = route.key();
        if written.takes(&route) {
            continue;
        }
        // Where both would be the same route for the kernel, its own has to make way.
        if let Some(present) = present.get(&key)
            && advertised::is_displaced(context, present)
        {
            goals.unwanted_routes.push((*present).clone());
        }
        if wanted.insert(key) {
            goals.routes.push(route);
        }
    }
    let fates: HashMap<&str, Fate> = goals
        .links
        .iter()
        .map(|goal| (goal.wanted.name.as_str(), goal.fate))
        .collect();
    let owned = context.saved_route_keys();
    let mut of_vrfs = vrf::OfVrfs::of(context, &absent);
    for route in context.observed.running_routes() {
        let key = route.key();
        if wanted.contains(&key) || route.is_connected() {
            continue;
        }
        let interface = route.next_hop_interface.as_deref();
        let goes_with_its_link =
            interface.is_some_and(|name| fates.get(name) == Some(&Fate::Delete));
        let is_unwanted = goes_with_its_link
            || of_vrfs.leaves(route, &wanted)
            || is_unwanted(context, &absent, &owned, route)
            || written.takes(route);
        if route.is_hop() {
            if is_unwanted {
                paths.unwanted.insert(key);
            }
        } else if !goes_with_its_link && is_unwanted {
            goals.unwanted_routes.push(route.clone());
        }
    }
    let (hops, routes): (Vec<Route>, Vec<Route>) = of_vrfs
        .following(goals)
        .into_iter()
        .partition(Route::is_hop);
    paths.wanted.extend(hops);
    goals.routes.extend(routes);
    paths.resolve(context, goals);
    if context.missing == MissingInterfaces::Await {
        // What was saved goes before what took its place meanwhile.
        let occupants = occupants(context, goals);
        goals
            .unwanted_routes
            .extend(occupants.into_iter().map(|(_, route)| route.clone()));
    }
    restore_lost(context, goals);
}

/// Whether a present route needs no change. One that is listed as absent besides is to have nothing else.
fn is_as_wanted(wanted: &Route, present: &Route, absent: &AbsentRoutes<'_>) -> bool {
    if absent.mean(present) {
        wanted.is_like(present)
    } else {
        wanted.is_satisfied_by(present)
    }
}

/// Present routes that stay, in the slot of a wanted one that isn't there: the kernel would refuse that.
pub(crate) fn occupants<'a>(context: &Context<'a>, goals: &Goals<'_>) -> Vec<(Route, &'a Route)> {
    let running = context.observed.running_routes();
    let alone = running.iter().filter(|route| !route.is_hop());
    let present: HashSet<RouteKey> = alone.map(Route::key).collect();
    let wanted: HashMap<RouteSlot, &Route> = goals
        .routes
        .iter()
        .filter(|route| (route.is_hop() || !present.contains(&route.key())) && is_exclusive(route))
        // What is advertised is added behind the others.
        .filter(|route| !route.is_advertised())
        .chain(goals.multipaths.iter().flat_map(|path| path.wanted.first()))
        .map(|route| (route.slot(), route))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let unwanted: HashSet<RouteKey> = goals
        .unwanted_routes
        .iter()
        .chain(goals.multipaths.iter().flat_map(|path| &path.present))
        .map(Route::key)
        .collect();
    let loss = Loss::of(goals);
    let staying = running.iter().filter(|route| {
        is_exclusive(route) && !unwanted.contains(&route.key()) && !loss.takes(route)
    });
    staying
        .filter_map(|route| Some(((*wanted.get(&route.slot())?).clone(), route)))
        .collect()
}

/// Leased routes of several links may share a slot: they are added behind each other.
fn is_exclusive(route: &Route) -> bool {
    route.protocol != Some(PROTOCOL_DHCP)
}

/// Routes that the leases of wanted interfaces bring.
fn leased(context: &Context<'_>) -> Vec<Route> {
    let wanted = context.desired.interfaces.iter();
    let routes = wanted.filter_map(|interface| {
        let name = interface.name.as_str();
        let ipv4 = context
            .using_lease(name)
            .filter(|_| context.will_exist(name))?;
        Some(routes_of_lease(context.lease_ipv4(name)?, ipv4))
    });
    routes
        .flatten()
        .chain(advertised::wanted(context))
        .collect()
}

fn is_unwanted(
    context: &Context<'_>,
    absent: &AbsentRoutes<'_>,
    owned: &HashSet<RouteKey>,
    route: &Route,
) -> bool {
    let is_ours = || is_ours(owned, route);
    // A wildcard without a destination means static routes; those of routing daemons must be named by destination.
    let is_meant = |entry: &Route| {
        entry.destination.is_some()
            || matches!(route.protocol, Some(PROTOCOL_BOOT | PROTOCOL_STATIC))
            || is_ours()
    };
    absent.meaning(route).any(is_meant)
        || (is_of_left_interface(context, route) && is_ours())
        || is_of_lost_lease(context, route)
        || advertised::is_over(context, route)
        || advertised::is_displaced(context, route)
}

pub(crate) fn is_ours(owned: &HashSet<RouteKey>, route: &Route) -> bool {
    let is_learned = || route.is_advertised() && !route.is_kernels();
    matches!(route.protocol, Some(PROTOCOL_NIPART | PROTOCOL_DHCP))
        || is_learned()
        || owned.contains(&route.key())
}

/// A link that is wanted down or absent but can't be deleted keeps no route of ours.
fn is_of_left_interface(context: &Context<'_>, route: &Route) -> bool {
    let wanted = route
        .next_hop_interface
        .as_deref()
        .and_then(|name| context.wanted.get(name));
    wanted.is_some_and(|interface| interface.wanted_state().takes_down())
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
        || (context.using_lease(name).is_some() && context.lease_ipv4(name).is_some())
        || context.is_without_lease(name, LeaseProtocol::Dhcpv4)
}
