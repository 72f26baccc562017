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
    without_ipv4: HashMap<String, Certainty>,
    gone_sources: HashMap<IpAddr, Certainty>,
}

/// Whether secondary addresses go with their primary one depends on a switch (`promote_secondaries`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Sure,
    Possible,
}

impl Loss {
    pub(crate) fn of(goals: &Goals<'_>) -> Self {
        let mut loss = Self {
            gone_links: HashSet::new(),
            without_ipv4: HashMap::new(),
            gone_sources: HashMap::new(),
        };
        for goal in goals.links.iter().filter(|goal| goal.present.is_some()) {
            let Some(present) = goal.surviving() else {
                let peer = goal.present.and_then(Interface::veth_peer);
                loss.gone_links.extend(peer.map(str::to_string));
                loss.gone_links.insert(goal.name().to_string());
                continue;
            };
            if !goal.unwanted_addresses.is_empty() {
                loss.add_addresses(goal, present);
            }
        }
        loss
    }

    fn add_addresses(&mut self, goal: &Goal<'_>, present: &Interface) {
        let is_in = |list: &[Address], address: &Address| {
            list.iter().any(|other| other.key() == address.key())
        };
        let secondary = address::lost_with_primary(goal);
        let fate_of = |address: &Address| {
            if is_in(&goal.unwanted_addresses, address) {
                Some(Certainty::Sure)
            } else {
                is_in(&secondary, address).then_some(Certainty::Possible)
            }
        };
        let fates: Vec<(Address, Option<Certainty>)> = ipv4(present)
            .map(|address| (address, fate_of(&address)))
            .collect();
        if !fates.is_empty() && fates.iter().all(|(_, fate)| fate.is_some()) {
            let are_all_sure = fates.iter().all(|(_, fate)| *fate == Some(Certainty::Sure));
            let certainty = if are_all_sure {
                Certainty::Sure
            } else {
                Certainty::Possible
            };
            self.without_ipv4.insert(goal.name().to_string(), certainty);
        }
        let gone = fates
            .into_iter()
            .filter_map(|(address, fate)| Some((address.ip, fate?)));
        self.gone_sources.extend(gone);
    }

    /// Whether the link that the route leads through is deleted.
    pub(crate) fn takes_link_of(&self, route: &Route) -> bool {
        route
            .next_hop_interface
            .as_deref()
            .is_some_and(|name| self.gone_links.contains(name))
    }

    /// Whether the route is no more, or may be no more, when links and addresses have gone.
    pub(crate) fn takes(&self, route: &Route) -> bool {
        self.takes_link_of(route) || self.certainty(route).is_some()
    }

    /// Whether the route may be no more, or may be there still.
    pub(crate) fn may_take(&self, route: &Route) -> bool {
        !self.takes_link_of(route) && self.certainty(route) == Some(Certainty::Possible)
    }

    fn certainty(&self, route: &Route) -> Option<Certainty> {
        if route.is_ipv6() {
            return None;
        }
        let name = route.next_hop_interface.as_deref().unwrap_or_default();
        let by_link = self.without_ipv4.get(name).copied();
        let by_source = route
            .source
            .and_then(|source| self.gone_sources.get(&source).copied());
        if by_link == Some(Certainty::Sure) {
            return by_link;
        }
        by_source.or(by_link)
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
    let has_family = if route.is_ipv6() {
        goal.wanted.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false)
    } else {
        goal.wanted.ipv4.as_ref().and_then(|ipv4| ipv4.enabled) != Some(false)
            && (goal.is_created() || after(goal).any(|address| address.ip.is_ipv4()))
    };
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
