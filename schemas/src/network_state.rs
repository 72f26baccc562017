// SPDX-License-Identifier: Apache-2.0

//! A whole network: what users write, what the kernel has, what is saved.

mod merge;
mod rename;
mod revival;
mod secrets;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dns::{DnsConfig, DnsOrigin, DnsResolver};
use crate::hostname::HostNames;
use crate::interface::mptcp::LostEndpoints;
use crate::interface::{Ethernet, Identifier, Interface};
use crate::ip::Address;
use crate::overlay::Overlay;
use crate::route::{Route, RouteSlot, Routes};
use crate::route_rule::{RouteRule, RouteRules, with_priorities};

/// A network state. Every key may be left out; what is not written is not touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NetworkState {
    /// For people; ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The machine's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<HostNames>,
    /// Name resolution of the whole machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_resolver: Option<DnsResolver>,
    /// Interfaces, each named once.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub interfaces: Vec<Interface>,
    /// Routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<Routes>,
    /// Rules of routing policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_rules: Option<RouteRules>,
    /// Never written nor shown: MPTCP endpoints that the kernel has kept of links that are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub lost_endpoints: Vec<LostEndpoints>,
}

/// `interfaces:` with nothing behind it is an empty list, as in nmstate.
fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Interface>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl NetworkState {
    /// The interface of that name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|interface| interface.name == name)
    }

    /// All interfaces by name, for states too large to search.
    pub fn by_name(&self) -> HashMap<&str, &Interface> {
        self.interfaces
            .iter()
            .map(|interface| (interface.name.as_str(), interface))
            .collect()
    }

    /// Static routes as written.
    pub fn config_routes(&self) -> &[Route] {
        self.routes
            .as_ref()
            .and_then(|routes| routes.config.as_deref())
            .unwrap_or_default()
    }

    /// Routes as the kernel has them.
    pub fn running_routes(&self) -> &[Route] {
        self.routes
            .as_ref()
            .and_then(|routes| routes.running.as_deref())
            .unwrap_or_default()
    }

    /// Static DNS settings of the whole machine, as written.
    pub fn dns_config(&self) -> Option<&DnsConfig> {
        self.dns_resolver.as_ref()?.config.as_ref()
    }

    /// Takes in name resolution and host names as they were found, and what interfaces have of it.
    pub fn add_names(&mut self, names: Self) {
        self.hostname = names.hostname;
        self.dns_resolver = names.dns_resolver;
        let section = self.dns_resolver.iter();
        let sources = section.flat_map(|section| &section.sources);
        let configs: HashMap<&str, DnsConfig> = sources
            .filter(|source| source.origin == DnsOrigin::Static)
            .filter_map(|source| Some((source.interface.as_deref()?, source.config()?)))
            .collect();
        if configs.is_empty() {
            return;
        }
        for interface in &mut self.interfaces {
            interface.dns = configs.get(interface.name.as_str()).cloned();
        }
    }

    /// Whether it can change name resolution or host names: written, learned, or taken away with an interface.
    pub fn touches_names(&self) -> bool {
        let of_interface = |interface: &Interface| {
            let (ipv4, ipv6) = (interface.ipv4.as_ref(), interface.ipv6.as_ref());
            interface.dns.is_some()
                || ipv4.is_some_and(|ipv4| {
                    ipv4.dhcp.is_some() || ipv4.auto_dns.is_some() || ipv4.enabled == Some(false)
                })
                || ipv6.is_some_and(|ipv6| {
                    let is_learning_said =
                        ipv6.dhcp.is_some() || ipv6.autoconf.is_some() || ipv6.has_token();
                    is_learning_said || ipv6.auto_dns.is_some() || ipv6.enabled == Some(false)
                })
                || interface.wanted_state().takes_down()
        };
        self.dns_resolver.is_some()
            || self.hostname.is_some()
            || self.interfaces.iter().any(of_interface)
    }

    /// Takes over from what is saved what no kernel knows: how leases and advertisements are used.
    pub fn learn_uses_of_leases(&mut self, saved: &Self) {
        let saved = saved.by_name();
        for interface in &mut self.interfaces {
            let Some(known) = saved.get(interface.name.as_str()) else {
                continue;
            };
            if let (Some(section), Some(known)) = (&mut interface.ipv4, &known.ipv4) {
                section.auto_dns = known.auto_dns;
                section.auto_gateway = known.auto_gateway;
                section.auto_routes = known.auto_routes;
                section.auto_route_table_id = known.auto_route_table_id;
                section.auto_route_metric = known.auto_route_metric;
            }
            if let (Some(section), Some(known)) = (&mut interface.ipv6, &known.ipv6) {
                section.auto_dns = known.auto_dns;
                section.auto_gateway = known.auto_gateway;
                section.auto_routes = known.auto_routes;
                section.auto_route_table_id = known.auto_route_table_id;
                section.auto_route_metric = known.auto_route_metric;
            }
        }
    }

    /// Rules, as written or as the kernel has them.
    pub fn rules(&self) -> &[RouteRule] {
        self.route_rules
            .as_ref()
            .and_then(|rules| rules.config.as_deref())
            .unwrap_or_default()
    }

    /// Adds these to its rules.
    pub fn add_rules(&mut self, mut rules: Vec<RouteRule>) {
        if !rules.is_empty() {
            let section = self.route_rules.get_or_insert_default();
            section.config.get_or_insert_default().append(&mut rules);
        }
    }

    /// Gives each wanted rule a priority that has none: the one that it has in `observed`, or a free one.
    pub fn give_priorities(&mut self, observed: &Self) {
        if let Some(rules) = self
            .route_rules
            .as_mut()
            .and_then(|rules| rules.config.as_mut())
        {
            *rules = with_priorities(rules, observed.rules());
        }
    }

    /// Every interface that the state names anywhere: what a change of it can touch.
    pub fn mentioned_interfaces(&self) -> BTreeSet<String> {
        let named = self
            .interfaces
            .iter()
            .map(|interface| interface.name.as_str());
        let related = self.interfaces.iter().flat_map(Interface::mentioned);
        let next_hops = self
            .config_routes()
            .iter()
            .flat_map(|route| [&route.next_hop_interface, &route.vrf_name])
            .filter_map(|name| name.as_deref());
        named
            .chain(related)
            .chain(next_hops)
            .map(str::to_string)
            .collect()
    }

    /// The interfaces of which it says something about the hardware.
    pub fn with_hardware(&self) -> Vec<String> {
        let interfaces = self.interfaces.iter();
        let named = interfaces.filter(|interface| interface.has_hardware());
        named.map(|interface| interface.name.clone()).collect()
    }

    /// Each end of each veth pair, with the other end: a pair may be written at one end only.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let ends = self.interfaces.iter();
        ends.filter_map(|end| Some((end.name.as_str(), end.veth_peer()?)))
            .flat_map(|(one, other)| [(one, other), (other, one)])
    }

    /// The part about `names`: these interfaces, those that name them or are named by them, and routes through any of
    /// these with all their next hops.
    #[must_use]
    pub fn scoped(&self, names: &[String]) -> Self {
        let named: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut within = named.clone();
        for interface in &self.interfaces {
            if named.contains(interface.name.as_str()) {
                within.extend(interface.mentioned());
            } else if interface.mentioned().any(|other| named.contains(other)) {
                within.insert(&interface.name);
            }
        }
        let interfaces = self
            .interfaces
            .iter()
            .filter(|interface| within.contains(interface.name.as_str()))
            .cloned()
            .collect();
        let is_through = |route: &&Route| {
            let name = route.next_hop_interface.as_deref();
            name.is_some_and(|name| within.contains(name))
        };
        let hops = self.config_routes().iter().filter(|route| route.is_hop());
        let slots: HashSet<RouteSlot> = hops.filter(is_through).map(Route::slot).collect();
        // All next hops of a route belong together.
        let config: Vec<Route> = self
            .config_routes()
            .iter()
            .filter(|route| is_through(route) || (route.is_hop() && slots.contains(&route.slot())))
            .cloned()
            .collect();
        Self {
            interfaces,
            routes: Routes::of(config),
            ..Self::default()
        }
    }

    /// Takes speed and duplex that were set for what is there, where they aren't known: drivers may tell them only of links
    /// with a carrier, which goes for a while when they are set.
    pub fn presume_link_modes(&mut self, set: &Self) {
        for present in &mut self.interfaces {
            let known = present.ethernet.as_mut();
            if let Some(known) = known.filter(|known| known.auto_negotiation == Some(false))
                && let Some(set) = set.interface(&present.name)
                && let Some(set) = set.ethernet.as_ref().and_then(Ethernet::link_modes)
            {
                known.fill_from(&set);
            }
        }
    }

    /// Whether it sets link modes of any interface.
    pub fn has_link_modes(&self) -> bool {
        let mut sections = self
            .interfaces
            .iter()
            .flat_map(|interface| &interface.ethernet);
        sections.any(|section| section.link_modes().is_some())
    }

    /// The state without what is only shown: what a user may paste from `show` and that nobody can set.
    #[must_use]
    pub fn without_shown_only(mut self) -> Self {
        for interface in &mut self.interfaces {
            interface.interface_type.take_if(|found| found.is_unknown());
            interface.permanent_mac_address = None;
            if let Some(section) = &mut interface.mptcp {
                section.endpoint = None;
            }
            interface.min_mtu = None;
            interface.max_mtu = None;
            interface.driver = None;
            if interface.identifier != Some(Identifier::PciAddress) {
                interface.pci_address = None;
            }
            if let Some(ring) = interface
                .ethtool
                .as_mut()
                .and_then(|ethtool| ethtool.ring.as_mut())
            {
                ring.forget_limits();
            }
            if let Some(ethernet) = &mut interface.ethernet {
                ethernet.forget_negotiated();
                if let Some(section) = &mut ethernet.sr_iov {
                    section.forget_shown_only();
                }
            }
            if let Some(section) = &mut interface.wireguard {
                section.public_key = None;
            }
            if let Some(ipv6) = &mut interface.ipv6 {
                ipv6.accept_ra_defrtr = None;
            }
            // What was leased or advertised is shown among the addresses, and none that the user gives.
            if let Some(ipv4) = interface
                .ipv4
                .as_mut()
                .filter(|ipv4| ipv4.dhcp == Some(true))
                && let Some(list) = &mut ipv4.address
            {
                list.retain(|address| !address.comes_and_goes());
            }
            if let Some(ipv6) = interface
                .ipv6
                .as_mut()
                .filter(|ipv6| ipv6.autoconf == Some(true) || ipv6.dhcp == Some(true))
                && let Some(list) = &mut ipv6.address
            {
                list.retain(|address| !address.comes_and_goes());
            }
            for address in interface
                .ipv4
                .iter_mut()
                .flat_map(|ipv4| ipv4.address.iter_mut().flatten())
            {
                *address = Address::new(address.ip, address.prefix_length);
            }
            for address in interface
                .ipv6
                .iter_mut()
                .flat_map(|ipv6| ipv6.address.iter_mut().flatten())
            {
                *address = Address::new(address.ip, address.prefix_length);
            }
            if let Some(options) = interface
                .bridge
                .as_mut()
                .and_then(|bridge| bridge.options.as_mut())
            {
                options.gc_timer = None;
                options.hello_timer = None;
            }
        }
        self.lost_endpoints.clear();
        self.dns_resolver = self
            .dns_resolver
            .and_then(|section| DnsResolver::of_config(section.config));
        if let Some(routes) = &mut self.routes {
            routes.running = None;
            for route in routes.config.iter_mut().flatten() {
                route.protocol = None;
                route.expires = None;
            }
        }
        if let Some(rules) = &mut self.route_rules {
            for rule in rules.config.iter_mut().flatten() {
                rule.protocol = None;
            }
        }
        self
    }

    /// Whether it names nothing at all.
    pub fn is_empty(&self) -> bool {
        self.interfaces.is_empty()
            && self.config_routes().is_empty()
            && self.dns_config().is_none()
            && self.hostname.as_ref().is_none_or(HostNames::is_empty)
            && self.rules().is_empty()
    }

    /// `self` laid over `below`: what `self` names wins, `absent` removes from `below` and is gone with it.
    ///
    /// This is how saved state takes in what was applied; what contradicts it goes.
    #[must_use]
    pub fn laid_over(&self, below: &Self) -> Self {
        merge::lay_over(self, below)
    }
}
