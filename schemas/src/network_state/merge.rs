// SPDX-License-Identifier: Apache-2.0

//! How saved state takes in what was applied.
//!
//! Key by key the upper state wins. But keys contradict each other across interfaces, too: a port taken into one
//! bridge leaves the other's list, one that becomes a port has no addresses any more, the peer of a removed veth is
//! gone with it. What is remembered must be a state that can be applied as a whole: it is at every start.

mod contradiction;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use self::contradiction::without_contradictions;
use super::NetworkState;
use crate::dns::{DnsConfig, DnsResolver};
use crate::interface::{Interface, InterfaceState, InterfaceType};
use crate::overlay::Overlay;
use crate::route::{AbsentRoutes, Route, RouteKey, RouteSlot, Routes};
use crate::route_rule::{AbsentRules, RouteRule, RouteRules};

/// `upper` over `below`.
pub(super) fn lay_over(upper: &NetworkState, below: &NetworkState) -> NetworkState {
    // A link that is known by something else than its name may have another one now.
    let renames = below.names_for(upper);
    let renamed = (!renames.is_empty()).then(|| below.clone().renamed(&renames));
    let below = renamed.as_ref().unwrap_or(below);
    let removed = removed(upper, below);
    let mut interfaces = merged_interfaces(upper, below);
    interfaces.retain(|interface| !removed.contains(interface.name.as_str()));
    Attachments::of(upper).settle(&mut interfaces, &removed);
    let config = merged_routes(upper, below, &removed);
    let mut hostname = upper.hostname.clone();
    hostname.fill_from(&below.hostname);
    NetworkState {
        description: below.description.clone(),
        hostname,
        dns_resolver: DnsResolver::of_config(DnsConfig::laid_over(
            upper.dns_config(),
            below.dns_config(),
        )),
        interfaces,
        routes: Routes::of(config),
        route_rules: RouteRules::of(merged_rules(upper, below)),
        lost_endpoints: Vec::new(),
    }
}

/// Interfaces that are wanted absent, and the other ends of such veths and of those that get another peer.
fn removed<'a>(upper: &'a NetworkState, below: &'a NetworkState) -> BTreeSet<&'a str> {
    let mut removed: BTreeSet<&str> = upper
        .interfaces
        .iter()
        .filter(|interface| interface.wanted_state() == InterfaceState::Absent)
        .map(|interface| interface.name.as_str())
        .collect();
    let wanted: HashMap<&str, &str> = upper.pairs().collect();
    if removed.is_empty() && wanted.is_empty() {
        return removed;
    }
    let named: BTreeSet<&str> = upper
        .interfaces
        .iter()
        .map(|interface| interface.name.as_str())
        .collect();
    let has_another = |end: &str, peer: &str| wanted.get(end).is_some_and(|wanted| *wanted != peer);
    let left: Vec<&str> = below
        .pairs()
        .filter(|(end, peer)| removed.contains(end) || has_another(end, peer))
        .map(|(_, peer)| peer)
        .filter(|peer| !named.contains(peer) && !wanted.contains_key(peer))
        .collect();
    removed.extend(left);
    removed
}

fn merged_interfaces(upper: &NetworkState, below: &NetworkState) -> Vec<Interface> {
    let mut merged = below.interfaces.clone();
    let mut positions: HashMap<&str, usize> = below
        .interfaces
        .iter()
        .enumerate()
        .map(|(index, interface)| (interface.name.as_str(), index))
        .collect();
    for interface in &upper.interfaces {
        if interface.wanted_state() == InterfaceState::Absent {
            continue;
        }
        match positions.get(interface.name.as_str()) {
            Some(&index) => {
                let mut filled = interface.clone();
                let dns = DnsConfig::laid_over(interface.dns.as_ref(), merged[index].dns.as_ref());
                let below = without_contradictions(interface, &merged[index]);
                filled.fill_from(&below);
                filled.fill_ports_from(&below);
                filled.dns = dns;
                merged[index] = filled;
            }
            None => {
                positions.insert(&interface.name, merged.len());
                merged.push(interface.clone());
            }
        }
    }
    merged
}

/// Who is whose port, as far as the upper state says so.
struct Attachments<'a> {
    /// By a controller's list.
    listed: BTreeMap<&'a str, &'a str>,
    /// By the port's own key; empty when it is detached.
    keyed: BTreeMap<&'a str, &'a str>,
    /// The upper interfaces.
    upper: HashMap<&'a str, &'a Interface>,
}

impl<'a> Attachments<'a> {
    fn of(upper: &'a NetworkState) -> Self {
        let up = upper
            .interfaces
            .iter()
            .filter(|interface| interface.wanted_state() == InterfaceState::Up);
        let mut listed = BTreeMap::new();
        let mut keyed = BTreeMap::new();
        for interface in up {
            let ports = interface.port_names().into_iter().flatten();
            listed.extend(ports.map(|port| (port, interface.name.as_str())));
            let controller = interface.controller.as_deref();
            keyed.extend(controller.map(|controller| (interface.name.as_str(), controller)));
        }
        Self {
            listed,
            keyed,
            upper: upper.by_name(),
        }
    }

    /// The controller that the upper state gives the port; empty when it takes it away.
    fn controller_of(&self, port: &str) -> Option<&'a str> {
        let listed = self.listed.get(port);
        listed.or_else(|| self.keyed.get(port)).copied()
    }

    /// Whether the upper state writes the controller's list.
    fn writes_list_of(&self, controller: &str) -> bool {
        let controller = self.upper.get(controller);
        controller.is_some_and(|controller| controller.port_names().is_some())
    }

    /// Takes out of the merged interfaces what doesn't hold any more.
    fn settle(&self, interfaces: &mut [Interface], removed: &BTreeSet<&str>) {
        let leaves_addresses = |interface: &&Interface| {
            let interface_type = interface.interface_type.as_ref();
            interface_type.is_some_and(InterfaceType::leaves_addresses_to_ports)
        };
        let generous: BTreeSet<String> = interfaces
            .iter()
            .filter(leaves_addresses)
            .map(|interface| interface.name.clone())
            .collect();
        for interface in interfaces.iter_mut() {
            if interface.interface_type == Some(InterfaceType::Ethernet) && interface.veth.is_some()
            {
                // nmstate's users write `ethernet` for a veth that is there.
                interface.interface_type = Some(InterfaceType::Veth);
            }
            if interface.borrows_mac_address() {
                // It is written where it belongs.
                interface.mac_address = None;
            }
            self.settle_port(interface, removed, &generous);
            self.settle_list(interface, removed);
        }
    }

    /// `generous` are the controllers that leave addresses to their ports.
    fn settle_port(
        &self,
        port: &mut Interface,
        removed: &BTreeSet<&str>,
        generous: &BTreeSet<String>,
    ) {
        let name = port.name.as_str();
        let given = self.controller_of(name);
        port.controller
            .take_if(|controller| removed.contains(controller.as_str()));
        if !self.keyed.contains_key(name) {
            // The key of the lower state: overruled by a list, or its controller lists others now.
            port.controller.take_if(|controller| {
                given.is_some_and(|given| given != controller)
                    || (given.is_none() && self.writes_list_of(controller))
            });
        }
        if given.is_some_and(|controller| !controller.is_empty() && !generous.contains(controller))
        {
            // The addresses of a port belong to its controller.
            let upper = self.upper.get(name);
            port.ipv4 = upper.and_then(|upper| upper.ipv4.clone());
            port.ipv6 = upper.and_then(|upper| upper.ipv6.clone());
            port.wait_ip = upper.and_then(|upper| upper.wait_ip);
            // A port that is attached is set up.
            if upper.is_none() {
                port.state.take_if(|state| *state == InterfaceState::Down);
            }
        }
    }

    fn settle_list(&self, controller: &mut Interface, removed: &BTreeSet<&str>) {
        let name = controller.name.clone();
        controller.retain_ports(|port| !removed.contains(port));
        if self.writes_list_of(&name) {
            return;
        }
        controller.retain_ports(|port| {
            let given = self.controller_of(port);
            given.is_none_or(|given| given == name)
        });
        for (port, _) in self.keyed.iter().filter(|(_, given)| **given == name) {
            controller.add_port(port);
        }
    }
}

fn merged_routes(
    upper: &NetworkState,
    below: &NetworkState,
    removed: &BTreeSet<&str>,
) -> Vec<Route> {
    let absent = AbsentRoutes::of(upper.config_routes());
    let added = added_routes(upper);
    let mut placed: HashSet<RouteKey> = HashSet::new();
    let mut config: Vec<Route> = Vec::new();
    for route in below.config_routes() {
        let Some(new) = added.get(&route.slot()) else {
            if !absent.mean(route) {
                config.push(route.clone());
            }
            continue;
        };
        let key = route.key();
        match new.iter().find(|new| new.key() == key) {
            Some(new) => {
                placed.insert(key);
                config.push((*new).clone());
            }
            // Hops join each other.
            None if route.is_hop() && new.iter().all(|new| new.is_hop()) && !absent.mean(route) => {
                config.push(route.clone());
            }
            None => {}
        }
    }
    for route in upper.config_routes() {
        let is_added = added
            .get(&route.slot())
            .is_some_and(|new| new.iter().any(|new| std::ptr::eq(*new, route)));
        if is_added && placed.insert(route.key()) {
            config.push(route.clone());
        }
    }
    config.retain(|route| {
        let mut names = [&route.next_hop_interface, &route.vrf_name].into_iter();
        !names.any(|name| name.as_deref().is_some_and(|name| removed.contains(name)))
    });
    config
}

/// What is written by slot: one destination, table and metric has one route, or several next hops of one.
fn added_routes(upper: &NetworkState) -> HashMap<RouteSlot, Vec<&Route>> {
    let mut added: HashMap<RouteSlot, Vec<&Route>> = HashMap::new();
    for route in upper
        .config_routes()
        .iter()
        .filter(|route| !route.is_absent())
    {
        let list = added.entry(route.slot()).or_default();
        list.retain(|other| route.is_hop() && other.is_hop() && other.key() != route.key());
        list.push(route);
    }
    added
}

/// A rule without a priority, as in an administrator's file, is the same as one to which a priority was given.
fn merged_rules(upper: &NetworkState, below: &NetworkState) -> Vec<RouteRule> {
    let absent = AbsentRules::of(upper.rules());
    let added: Vec<&RouteRule> = upper
        .rules()
        .iter()
        .filter(|rule| !rule.is_absent())
        .collect();
    let by_identity = |key: fn(&RouteRule) -> RouteRule| -> HashMap<RouteRule, &RouteRule> {
        added.iter().map(|rule| (key(rule), *rule)).collect()
    };
    let exact = by_identity(RouteRule::identity);
    let loose = by_identity(RouteRule::without_priority);
    let mut placed: HashSet<RouteRule> = HashSet::new();
    let mut config: Vec<RouteRule> = Vec::new();
    for rule in below.rules() {
        if rule.is_absent() {
            // It is about what lies further below.
            config.push(rule.clone());
            continue;
        }
        let identity = rule.identity();
        let same = match rule.priority {
            Some(_) => exact.get(&identity),
            None => loose.get(&identity),
        };
        match same {
            Some(new) => {
                if placed.insert(new.identity()) {
                    config.push((*new).clone());
                }
            }
            None if absent.mean(rule) => {}
            None => config.push(rule.clone()),
        }
    }
    let new = added
        .into_iter()
        .filter(|rule| placed.insert(rule.identity()));
    config.extend(new.cloned());
    config
}
