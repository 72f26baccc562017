// SPDX-License-Identifier: Apache-2.0

//! A state that undoes another one: what `nipartctl gr` prints and what the history reverts to.

mod loss;
mod port;
mod raised;
mod vanished;

use std::collections::{HashMap, HashSet};
use std::net::Ipv6Addr;

use self::loss::Loss;
use self::port::NewPorts;
pub use self::raised::raised;
use self::vanished::with_what_vanishes;
use crate::dns::{DnsConfig, DnsResolver};
use crate::hostname::HostNames;
use crate::interface::{AltName, AltNameState, Interface, InterfaceState, WaitIp};
use crate::ip::DEFAULT_METRIC_OF_LEASES;
use crate::network_state::NetworkState;
use crate::overlay::Overlay;
use crate::route::{
    AbsentRoutes, DEFAULT_METRIC_IPV6, MAIN_TABLE, Route, RouteKey, RouteSlot, RouteState, Routes,
};
use crate::route_rule::{AbsentRules, RouteRule, RouteRules, with_priorities};

/// The state that leads back to `current` after `desired` has been applied: of each interface only what `desired`
/// speaks of.
#[must_use]
pub fn revert_of(desired: &NetworkState, current: &NetworkState) -> NetworkState {
    let present = current.by_name();
    let desired = &with_what_vanishes(desired, &present);
    let ports = NewPorts::of(desired, &present);
    let desired = &ports.spelled_out(desired);
    let mut interfaces: Vec<Interface> = desired
        .interfaces
        .iter()
        .filter(|interface| interface.wanted_state() != InterfaceState::Ignore)
        .filter_map(|interface| {
            revert_interface(interface, present.get(interface.name.as_str()).copied())
        })
        .collect();
    interfaces.extend(ports.unlisted(desired));
    interfaces
        .iter_mut()
        .for_each(|back| forget_idle_autoconf(back, &present));
    let config = revert_routes(desired, current);
    keep_family_of_routes(&mut interfaces, &config);
    let dns = desired
        .dns_config()
        .map(|config| config.reverted_to(current.dns_config()));
    NetworkState {
        description: None,
        hostname: revert_host_names(desired, current),
        dns_resolver: DnsResolver::of_config(dns),
        interfaces,
        routes: Routes::of(config),
        route_rules: RouteRules::of(revert_rules(desired, current)),
        lost_endpoints: Vec::new(),
    }
    .without_shown_only()
}

fn revert_interface(desired: &Interface, present: Option<&Interface>) -> Option<Interface> {
    let removes = desired.wanted_state().takes_down();
    let Some(present) = present else {
        // What was not there, and was not wanted, needs nothing.
        return (!removes).then(|| Interface {
            interface_type: desired.interface_type.clone(),
            state: Some(InterfaceState::Absent),
            ..Interface::named(&desired.name)
        });
    };
    let mut back = present.clone();
    if !removes {
        let copies_address = desired.copy_mac_from.is_some();
        let mask = Interface {
            state: Some(InterfaceState::Up),
            interface_type: present.interface_type.clone(),
            mac_address: desired
                .mac_address
                .clone()
                .or_else(|| present.mac_address.clone().filter(|_| copies_address)),
            ..desired.clone()
        };
        back.keep_named(&mask);
        bring_back_families(desired, present, &mut back);
        if let Some(section) = &mut back.wireguard {
            section.spell_out_missing_secrets();
        }
        if let Some(section) = &mut back.macsec {
            section.spell_out_missing_key();
        }
        bring_back_metrics(desired, present, &mut back);
        if let (Some(desired), Some(back)) = (&desired.veth, &mut back.veth)
            && desired.spare_queues.is_some()
        {
            back.spare_queues.get_or_insert(false);
        }
        if desired
            .mptcp
            .as_ref()
            .is_some_and(|section| section.address_flags.is_some())
        {
            let section = back.mptcp.get_or_insert_default();
            section.address_flags.get_or_insert_default();
        }
        back.alt_names = revert_alt_names(desired, present);
        back.dns = desired
            .dns
            .as_ref()
            .map(|dns| dns.reverted_to(present.dns.as_ref()));
        if let (Some(section), Some(desired)) = (&mut back.bridge, &desired.bridge)
            && desired.vlans().next().is_some()
        {
            section.spell_out_missing_vlans();
        }
    }
    spell_out_ip_defaults(desired, &mut back);
    let is_left_down = desired.wanted_state() == InterfaceState::Down;
    if raised::cannot_be_said(present) && !is_left_down {
        back.state = Some(InterfaceState::Up);
    }
    // What is set down keeps what was written of it, and would come back with that.
    if removes {
        let names = revert_alt_names(desired, present).into_iter().flatten();
        let gone = names.filter(|name| name.state == Some(AltNameState::Absent));
        let mut all = back.alt_names.take().unwrap_or_default();
        all.extend(gone);
        back.alt_names = (!all.is_empty()).then_some(all);
    }
    if desired.controller.is_some() {
        back.controller.get_or_insert_default();
    }
    if desired.description.is_some() {
        back.description.get_or_insert_default();
    }
    if desired.wait_ip.is_some() {
        back.wait_ip.get_or_insert(WaitIp::None);
    }
    Some(back)
}

/// What is turned off loses its addresses, and all its settings count for nothing.
fn bring_back_families(desired: &Interface, present: &Interface, back: &mut Interface) {
    let is_off = |enabled: Option<bool>| enabled == Some(false);
    if is_off(desired.ipv4.as_ref().and_then(|ipv4| ipv4.enabled)) {
        back.ipv4.clone_from(&present.ipv4);
    }
    if is_off(desired.ipv6.as_ref().and_then(|ipv6| ipv6.enabled)) {
        back.ipv6.clone_from(&present.ipv6);
    }
}

/// An address that comes back has the metric that others have, or is told: with the last of them it would be forgotten.
fn bring_back_metrics(desired: &Interface, present: &Interface, back: &mut Interface) {
    if let (Some(desired), Some(present), Some(back)) =
        (&desired.ipv4, &present.ipv4, &mut back.ipv4)
        && desired.address.is_some()
    {
        back.prefix_route_metric = present.prefix_route_metric;
    }
    if let (Some(desired), Some(present), Some(back)) =
        (&desired.ipv6, &present.ipv6, &mut back.ipv6)
        && desired.address.is_some()
    {
        back.prefix_route_metric = present.prefix_route_metric;
    }
}

/// What was not shown, or not said, was the default. A link that is set down keeps what is written of it, and would come back
/// with that.
fn spell_out_ip_defaults(desired: &Interface, back: &mut Interface) {
    spell_out_uses_of_leases(desired, back);
    if let (Some(desired), Some(back)) = (&desired.ipv4, &mut back.ipv4)
        && desired.prefix_route_metric.is_some()
    {
        back.prefix_route_metric.get_or_insert(0);
    }
    if let (Some(desired), Some(back)) = (&desired.ipv6, &mut back.ipv6) {
        if desired.prefix_route_metric.is_some() {
            back.prefix_route_metric.get_or_insert(0);
        }
        if desired.token.is_some() {
            back.token.get_or_insert(Ipv6Addr::UNSPECIFIED);
        }
    }
}

/// A use of leases that is left out stays as it is.
fn spell_out_uses_of_leases(desired: &Interface, back: &mut Interface) {
    macro_rules! spell_out {
        ($family:ident $($key:ident: $default:expr),*) => {
            if let (Some(desired), Some(back)) = (&desired.$family, &mut back.$family) {
                $(if desired.$key.is_some() {
                    back.$key.get_or_insert($default);
                })*
            }
        };
    }
    spell_out!(ipv4 auto_dns: true, auto_gateway: true, auto_routes: true, auto_route_table_id: MAIN_TABLE,
        auto_route_metric: DEFAULT_METRIC_OF_LEASES);
    spell_out!(ipv6 auto_dns: true, auto_gateway: true, auto_routes: true, auto_route_table_id: MAIN_TABLE,
        auto_route_metric: DEFAULT_METRIC_IPV6);
}

/// The kernel keeps the switch for links that are ports, and for those without IPv6. It means nothing there, and is
/// refused for a new one.
fn forget_idle_autoconf(back: &mut Interface, present: &HashMap<&str, &Interface>) {
    let controller = back
        .controller
        .as_deref()
        .and_then(|name| present.get(name));
    let controller_type = controller.and_then(|controller| controller.interface_type.as_ref());
    let has_none = controller_type.is_some_and(|kind| !kind.leaves_addresses_to_ports());
    if let Some(ipv6) = &mut back.ipv6
        && (has_none || ipv6.enabled == Some(false))
    {
        ipv6.autoconf.take_if(|is_on| *is_on);
    }
}

/// A link without IPv4 addresses, whose IPv4 counts as off, may have routes of others: they need it, without addresses.
fn keep_family_of_routes(interfaces: &mut [Interface], routes: &[Route]) {
    let through: HashSet<&str> = routes
        .iter()
        .filter(|route| !route.is_absent() && !route.is_ipv6())
        .filter_map(|route| route.next_hop_interface.as_deref())
        .collect();
    for interface in interfaces {
        if let Some(ipv4) = &mut interface.ipv4
            && ipv4.enabled == Some(false)
            && through.contains(interface.name.as_str())
        {
            ipv4.enabled = None;
            ipv4.address = Some(Vec::new());
        }
    }
}

fn revert_host_names(desired: &NetworkState, current: &NetworkState) -> Option<HostNames> {
    let mut back = current.hostname.clone();
    back.keep_named(&desired.hostname);
    if let Some(HostNames {
        config: Some(_), ..
    }) = &desired.hostname
    {
        // There may have been no file.
        back.get_or_insert_default().config.get_or_insert_default();
    }
    back
}

fn revert_alt_names(desired: &Interface, present: &Interface) -> Option<Vec<AltName>> {
    let had = |name: &str| {
        present
            .alt_names
            .iter()
            .flatten()
            .any(|known| known.name == name)
    };
    let names: Vec<AltName> = desired
        .alt_names
        .iter()
        .flatten()
        .filter_map(|alt_name| match alt_name.state {
            Some(AltNameState::Absent) => had(&alt_name.name).then(|| AltName {
                name: alt_name.name.clone(),
                state: None,
            }),
            None => (!had(&alt_name.name)).then(|| AltName {
                name: alt_name.name.clone(),
                state: Some(AltNameState::Absent),
            }),
        })
        .collect();
    (!names.is_empty()).then_some(names)
}

fn revert_routes(desired: &NetworkState, current: &NetworkState) -> Vec<Route> {
    let present: HashMap<RouteKey, &Route> = current
        .running_routes()
        .iter()
        .map(|route| (route.key(), route))
        .collect();
    let gone: HashSet<&str> = desired
        .interfaces
        .iter()
        .filter(|interface| interface.wanted_state().takes_down())
        .map(|interface| interface.name.as_str())
        .collect();
    let absent = AbsentRoutes::of(desired.config_routes());
    let loss = Loss::of(desired, current);
    let wanted: HashMap<RouteSlot, &Route> = desired
        .config_routes()
        .iter()
        .filter(|route| !route.is_absent())
        .map(|route| (route.slot(), route))
        .collect();
    let added = desired
        .config_routes()
        .iter()
        .filter(|route| !route.is_absent() && !present.contains_key(&route.key()));
    let changed = |route: &Route| {
        // Hops change with their route, properties in place.
        wanted
            .get(&route.slot())
            .is_some_and(|new| new.is_hop() || !new.is_satisfied_by(route))
    };
    let removed = current.running_routes().iter().filter(|route| {
        !route.is_connected()
            && (absent.mean(route)
                || changed(route)
                || loss.takes(route)
                || route
                    .next_hop_interface
                    .as_deref()
                    .is_some_and(|name| gone.contains(name)))
    });
    added
        .map(|route| Route {
            state: Some(RouteState::Absent),
            ..identity_of(route)
        })
        .chain(removed.flat_map(|route| {
            // Its own properties, and none besides.
            let replaced = changed(route) && !route.is_hop();
            let first = replaced.then(|| Route {
                state: Some(RouteState::Absent),
                ..identity_of(route)
            });
            first.into_iter().chain([route.clone()])
        }))
        .collect()
}

fn revert_rules(desired: &NetworkState, current: &NetworkState) -> Vec<RouteRule> {
    let present = current.rules();
    let known = RouteRule::identities(present);
    let absent = AbsentRules::of(desired.rules());
    let mut wanted = with_priorities(desired.rules(), present);
    wanted.retain(|rule| !rule.is_absent());
    let kept = RouteRule::identities(&wanted);
    let added = wanted
        .iter()
        .filter(|rule| !known.contains(&rule.identity()));
    // Two that differ only in who made them can be told but once.
    let mut told = HashSet::new();
    let removed = present.iter().filter(|rule| {
        !kept.contains(&rule.identity())
            && absent.take_away(rule, rule.is_marked())
            && told.insert(rule.identity())
    });
    added
        .map(|rule| rule.absent_entry(present))
        .chain(removed.cloned())
        .collect()
}

/// What names the route, without its properties.
fn identity_of(route: &Route) -> Route {
    Route {
        destination: route.destination,
        next_hop_interface: route.next_hop_interface.clone(),
        next_hop_address: route.next_hop_address,
        metric: route.metric,
        table_id: route.table_id,
        vrf_name: route.vrf_name.clone(),
        route_type: route.route_type,
        ..Route::default()
    }
}

/// Both states one after the other, as one: where both speak of an interface, what `next` says comes on top.
#[must_use]
pub fn followed_by(first: &NetworkState, next: &NetworkState) -> NetworkState {
    let mut interfaces: Vec<Interface> = first
        .interfaces
        .iter()
        .filter(|interface| next.interface(&interface.name).is_none())
        .cloned()
        .collect();
    interfaces.extend(next.interfaces.iter().map(|upper| {
        let mut upper = upper.clone();
        if upper.wanted_state() != InterfaceState::Absent
            && let Some(lower) = first.interface(&upper.name)
            && lower.wanted_state() != InterfaceState::Absent
        {
            let dns = DnsConfig::followed_by(lower.dns.as_ref(), upper.dns.as_ref());
            upper.fill_from(lower);
            upper.dns = dns;
        }
        upper
    }));
    let mut hostname = next.hostname.clone();
    hostname.fill_from(&first.hostname);
    let dns = DnsConfig::followed_by(first.dns_config(), next.dns_config());
    let later = next.config_routes();
    let absent = AbsentRoutes::of(later);
    let replaced: HashSet<RouteKey> = later.iter().map(Route::key).collect();
    let earlier = first
        .config_routes()
        .iter()
        .filter(|route| !replaced.contains(&route.key()) && !absent.mean(route));
    let config: Vec<Route> = earlier.chain(later).cloned().collect();
    let later = next.rules();
    let absent = AbsentRules::of(later);
    let replaced = RouteRule::identities(later);
    let earlier = first
        .rules()
        .iter()
        .filter(|rule| !replaced.contains(&rule.identity()) && !absent.mean(rule));
    let rules = earlier.chain(later).cloned().collect();
    NetworkState {
        description: None,
        hostname,
        dns_resolver: DnsResolver::of_config(dns),
        interfaces,
        routes: Routes::of(config),
        route_rules: RouteRules::of(rules),
        lost_endpoints: Vec::new(),
    }
}
