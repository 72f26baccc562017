// SPDX-License-Identifier: Apache-2.0

//! Routes that the kernel takes away by itself, and which of those have to come back.
//!
//! It does so with a link that is deleted; with the address that a route prefers as source (IPv4, `fib_sync_down_addr`);
//! and, on IPv4, with the last address of a link (`fib_disable_ip`), also when the next one comes at once.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::Address;
use nipart_schemas::route::{IpNetwork, Route, RouteKey};

use super::{is_kernels, slot};
use crate::context::Context;
use crate::goal::{Fate, Goal, Goals, address};

/// What the changes of links and addresses take away.
pub(crate) struct Loss {
    gone_links: HashSet<String>,
    without_ipv4: HashSet<String>,
    gone_sources: HashSet<IpAddr>,
}

impl Loss {
    pub(crate) fn of(goals: &Goals<'_>) -> Self {
        let mut loss = Self {
            gone_links: HashSet::new(),
            without_ipv4: HashSet::new(),
            gone_sources: HashSet::new(),
        };
        for goal in goals.links.iter().filter(|goal| goal.present.is_some()) {
            let Some(present) = goal.surviving() else {
                let peer = goal.present.and_then(Interface::veth_peer);
                loss.gone_links.extend(peer.map(str::to_string));
                loss.gone_links.insert(goal.name().to_string());
                continue;
            };
            if goal.unwanted_addresses.is_empty() {
                continue;
            }
            let had: Vec<Address> = ipv4(present).collect();
            let lost = address::lost_with_primary(goal);
            let goes = |address: &Address| {
                let mut unwanted = goal.unwanted_addresses.iter().chain(&lost);
                unwanted.any(|other| other.key() == address.key())
            };
            let gone: Vec<&Address> = had.iter().filter(|address| goes(address)).collect();
            if !gone.is_empty() && gone.len() == had.len() {
                loss.without_ipv4.insert(goal.name().to_string());
            }
            loss.gone_sources
                .extend(gone.into_iter().map(|address| address.ip));
        }
        loss
    }

    /// Whether the link that the route leads through is deleted.
    pub(crate) fn takes_link_of(&self, route: &Route) -> bool {
        route
            .next_hop_interface
            .as_deref()
            .is_some_and(|name| self.gone_links.contains(name))
    }

    /// Whether the route is no more when links and addresses have gone.
    pub(crate) fn takes(&self, route: &Route) -> bool {
        let name = route.next_hop_interface.as_deref().unwrap_or_default();
        self.takes_link_of(route)
            || (!route.is_ipv6()
                && (self.without_ipv4.contains(name)
                    || route
                        .source
                        .is_some_and(|source| self.gone_sources.contains(&source))))
    }
}

fn ipv4(interface: &Interface) -> impl Iterator<Item = Address> + '_ {
    address::all(interface).filter(|address| address.ip.is_ipv4())
}

/// Wants back the routes that only get lost on the way: those over a link that is created anew, and those over a link
/// whose last address gives way to another one, as far as their gateways can be reached afterwards.
pub(crate) fn restore_lost(context: &Context<'_>, goals: &mut Goals<'_>) {
    let loss = Loss::of(goals);
    let keys = |routes: &[Route]| routes.iter().map(Route::key).collect::<HashSet<RouteKey>>();
    let (wanted, unwanted) = (keys(&goals.routes), keys(&goals.unwanted_routes));
    let slots: HashSet<_> = goals.routes.iter().map(slot).collect();
    let links: HashMap<&str, &Goal<'_>> = goals
        .links
        .iter()
        .filter(|goal| goal.fate != Fate::Delete)
        .map(|goal| (goal.name(), goal))
        .collect();
    let candidates: Vec<(&Route, &Goal<'_>)> = context
        .observed
        .running_routes()
        .iter()
        .filter(|route| !is_kernels(route) && loss.takes(route))
        .filter(|route| !wanted.contains(&route.key()) && !unwanted.contains(&route.key()))
        .filter(|route| !slots.contains(&slot(route)))
        .filter_map(|route| Some((route, *links.get(route.next_hop_interface.as_deref()?)?)))
        .filter(|(route, goal)| survives_its_addresses(route, goal))
        .collect();
    let on_link: Vec<(&str, IpNetwork)> = candidates
        .iter()
        .map(|(route, _)| *route)
        .chain(&goals.routes)
        .filter(|route| route.next_hop_address.is_none())
        .filter_map(|route| Some((route.next_hop_interface.as_deref()?, route.destination?)))
        .collect();
    let reachable = |route: &Route, goal: &Goal<'_>| {
        let Some(gateway) = route.next_hop_address else {
            return true;
        };
        let is_link_local = matches!(gateway, IpAddr::V6(ip) if ip.is_unicast_link_local());
        is_link_local
            || after(goal).any(|address| {
                IpNetwork::containing(address.ip, address.prefix_length).contains(gateway)
            })
            || on_link
                .iter()
                .any(|(name, network)| *name == goal.name() && network.contains(gateway))
    };
    let lost: Vec<Route> = candidates
        .into_iter()
        .filter(|(route, goal)| reachable(route, goal))
        .map(|(route, _)| route.clone())
        .collect();
    goals.routes.extend(lost);
}

/// Whether the link has afterwards what the route needs: an address of the family, and the preferred source.
fn survives_its_addresses(route: &Route, goal: &Goal<'_>) -> bool {
    let has_family =
        goal.is_created() || route.is_ipv6() || after(goal).any(|address| address.ip.is_ipv4());
    let keeps_source = route.source.is_none_or(|source| {
        let mut unwanted = goal.unwanted_addresses.iter();
        after(goal).any(|address| address.ip == source)
            || !unwanted.any(|address| address.ip == source)
    });
    has_family && keeps_source
}

/// The addresses that the link has in the end.
fn after<'g>(goal: &'g Goal<'_>) -> impl Iterator<Item = Address> + 'g {
    let staying = goal.surviving().into_iter().flat_map(address::all);
    goal.addresses
        .iter()
        .copied()
        .chain(staying.filter(|address| {
            let mut unwanted = goal.unwanted_addresses.iter();
            !unwanted.any(|other| other.key() == address.key())
        }))
}
