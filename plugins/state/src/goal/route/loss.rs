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

use crate::context::Context;
use crate::goal::{Fate, Goal, Goals, address};

/// What the changes of links and addresses take away.
pub(crate) struct Loss {
    gone_links: HashSet<String>,
    restarted_links: HashSet<String>,
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
            restarted_links: HashSet::new(),
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
            if goal.is_restarted {
                loss.restarted_links.insert(goal.name().to_string());
            }
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
        let name = route.next_hop_interface.as_deref().unwrap_or_default();
        if self.restarted_links.contains(name) {
            return Some(Certainty::Sure);
        }
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
    let lost: Vec<&Route> = context
        .observed
        .running_routes()
        .iter()
        .filter(|route| !route.is_kernels() && !route.is_hop() && loss.takes(route))
        .collect();
    if lost.is_empty() {
        return;
    }
    let keys = |routes: &[Route]| routes.iter().map(Route::key).collect::<HashSet<RouteKey>>();
    let (wanted, unwanted) = (keys(&goals.routes), keys(&goals.unwanted_routes));
    let paths = goals.multipaths.iter().flat_map(|path| &path.wanted);
    let slots: HashSet<_> = goals.routes.iter().chain(paths).map(Route::slot).collect();
    let links = Links::of(goals);
    let candidates: Vec<&Route> = lost
        .into_iter()
        .filter(|route| {
            let key = route.key();
            !wanted.contains(&key) && !unwanted.contains(&key) && !slots.contains(&route.slot())
        })
        .filter(|route| {
            links
                .goal_of(route)
                .is_some_and(|goal| survives_its_addresses(route, goal))
        })
        .collect();
    let on_link = OnLink::of(candidates.iter().copied().chain(&goals.routes));
    let lost: Vec<Route> = candidates
        .into_iter()
        .filter(|route| {
            let goal = links.goal_of(route);
            goal.is_some_and(|goal| is_reachable(route, goal, &on_link))
        })
        .cloned()
        .collect();
    goals.routes.extend(lost);
}

/// The goals of links that are there in the end, by name.
pub(super) struct Links<'g>(HashMap<&'g str, &'g Goal<'g>>);

impl<'g> Links<'g> {
    pub(super) fn of(goals: &'g Goals<'g>) -> Self {
        let staying = goals.links.iter().filter(|goal| goal.fate != Fate::Delete);
        Self(staying.map(|goal| (goal.name(), goal)).collect())
    }

    pub(super) fn goal_of(&self, route: &Route) -> Option<&'g Goal<'g>> {
        self.0.get(route.next_hop_interface.as_deref()?).copied()
    }
}

/// What can be reached on links without a gateway, by link.
pub(super) struct OnLink<'r>(HashMap<&'r str, Vec<IpNetwork>>);

impl<'r> OnLink<'r> {
    pub(super) fn of(routes: impl Iterator<Item = &'r Route>) -> Self {
        let mut networks: HashMap<&str, Vec<IpNetwork>> = HashMap::new();
        for route in routes.filter(|route| route.next_hop_address.is_none()) {
            if let (Some(name), Some(network)) =
                (route.next_hop_interface.as_deref(), route.destination)
            {
                networks.entry(name).or_default().push(network);
            }
        }
        Self(networks)
    }
}

/// Whether the route can be added again when the link is as it is to become.
pub(super) fn can_come_back(route: &Route, goal: &Goal<'_>, on_link: &OnLink<'_>) -> bool {
    survives_its_addresses(route, goal) && is_reachable(route, goal, on_link)
}

fn is_reachable(route: &Route, goal: &Goal<'_>, on_link: &OnLink<'_>) -> bool {
    let Some(gateway) = route.next_hop_address else {
        return true;
    };
    let is_link_local = matches!(gateway, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let mut networks = on_link.0.get(goal.name()).into_iter().flatten();
    is_link_local
        || route.onlink == Some(true)
        || after(goal).any(|address| {
            IpNetwork::containing(address.ip, address.prefix_length).contains(gateway)
        })
        || networks.any(|network| network.contains(gateway))
}

/// Whether the link has afterwards what the route needs: an address of the family, and the preferred source.
fn survives_its_addresses(route: &Route, goal: &Goal<'_>) -> bool {
    let has_family = if route.is_ipv6() {
        goal.wanted.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false)
    } else {
        goal.wanted.ipv4.as_ref().and_then(|ipv4| ipv4.enabled) != Some(false)
            && (goal.is_created()
                || has_done_without_ipv4(goal)
                || after(goal).any(|address| address.ip.is_ipv4()))
    };
    let keeps_source = route.source.is_none_or(|source| {
        let mut unwanted = goal.unwanted_addresses.iter();
        after(goal).any(|address| address.ip == source)
            || !unwanted.any(|address| address.ip == source)
    });
    has_family && keeps_source
}

/// Whether it has routes without an address, and loses them only because it goes down and up.
fn has_done_without_ipv4(goal: &Goal<'_>) -> bool {
    let mut present = goal.surviving().into_iter().flat_map(ipv4);
    goal.is_restarted && present.next().is_none()
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
