// SPDX-License-Identifier: Apache-2.0

//! A model of the kernel's network: executes operations as the kernel would, with what the kernel does by itself,
//! and refuses what the kernel would refuse.
//!
//! Of links, `drivers/net/{veth,macvlan,vxlan}` and `net/bridge`; of addresses and routes, `net/ipv4/devinet.c`,
//! `net/ipv4/fib_frontend.c`, `net/ipv6/addrconf.c`. Left out: link-local addresses.

pub(crate) mod address;
mod kind;
mod link;
mod mptcp;
mod name;
mod route;
mod route_rule;
mod vlan;

pub(crate) use self::address::addresses;
use std::collections::{BTreeMap, HashSet};

use nipart_schemas::dns::DnsResolver;
use nipart_schemas::hostname::HostNames;
use nipart_schemas::interface::mptcp::LostEndpoints;
use nipart_schemas::interface::{BondPort, BridgePort, Interface, InterfaceState, InterfaceType};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::route::{Route, RouteKey, Routes};
use nipart_schemas::route_rule::{RouteRule, RouteRules};

/// The network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    links: BTreeMap<String, Interface>,
    /// What bridges keep about their ports.
    ports: BTreeMap<String, BridgePort>,
    /// What bonds keep about theirs.
    bond_ports: BTreeMap<String, BondPort>,
    routes: Vec<Route>,
    resolver: Option<DnsResolver>,
    host_name: Option<HostNames>,
    dead_hops: HashSet<RouteKey>,
    rules: Vec<RouteRule>,
    /// Endpoints whose link is gone.
    lost_endpoints: Vec<LostEndpoints>,
    created: u8,
    /// Secondary addresses go with the primary one of their network: `promote_secondaries` is off.
    pub(crate) drops_secondary_addresses: bool,
}

impl Model {
    /// The network that shows itself so; what isn't told is as the kernel has it by default.
    pub(crate) fn of(observed: &NetworkState) -> Self {
        let mut model = Self::default();
        for interface in &observed.interfaces {
            let ports = interface
                .bridge
                .as_ref()
                .and_then(|bridge| bridge.port.clone());
            for port in ports.into_iter().flatten() {
                let vlan = port.vlan.clone().or_else(|| Some(vlan::default()));
                let name = port.name.clone();
                model.ports.insert(name, BridgePort { vlan, ..port });
            }
            if let Some(bond) = &interface.link_aggregation {
                for port in bond.port.iter().flatten() {
                    let configured = bond.ports_config.iter().flatten();
                    let port = configured
                        .clone()
                        .find(|known| known.name == *port)
                        .cloned()
                        .unwrap_or(BondPort {
                            name: port.clone(),
                            priority: Some(0),
                            queue_id: Some(0),
                        });
                    model.bond_ports.insert(port.name.clone(), port);
                }
            }
            let mut link = interface.clone();
            link::fill_defaults(&mut link);
            model.links.insert(link.name.clone(), link);
        }
        for (port, controller) in model.attached() {
            if let Some(link) = model.links.get_mut(&port) {
                link.controller = Some(controller);
            }
        }
        model.routes = observed.running_routes().to_vec();
        model.resolver.clone_from(&observed.dns_resolver);
        model.host_name.clone_from(&observed.hostname);
        model.rules = observed.rules().to_vec();
        model.lost_endpoints.clone_from(&observed.lost_endpoints);
        let names: Vec<String> = model.links.keys().cloned().collect();
        for name in names {
            model.connect(&name);
        }
        model
    }

    fn attached(&self) -> Vec<(String, String)> {
        let lists = self.links.values().filter_map(|link| {
            let ports: Vec<_> = link
                .port_names()?
                .into_iter()
                .map(|port| (port.to_string(), link.name.clone()))
                .collect();
            Some(ports)
        });
        lists.flatten().collect()
    }

    /// How it shows itself: all lists but those of addresses, whose order means something, in a fixed order.
    pub(crate) fn observed(&self) -> NetworkState {
        let mut interfaces: Vec<Interface> = self.links.values().cloned().collect();
        for interface in &mut interfaces {
            if interface.interface_type == Some(InterfaceType::LinuxBridge) {
                let ports = self.ports_of(&interface.name);
                let ports = ports.map(|port| self.ports[port].clone()).collect();
                vlan::show(interface.bridge.get_or_insert_default(), ports);
            }
            self.show_ports(interface);
            if let Some(names) = &mut interface.alt_names {
                names.sort_by(|one, other| one.name.cmp(&other.name));
            }
            interface.alt_names.take_if(|names| names.is_empty());
            interface.description.take_if(|text| text.is_empty());
            let ipv4 = interface.ipv4.get_or_insert_default();
            let list = ipv4.address.get_or_insert_default();
            ipv4.enabled = Some(!list.is_empty());
            ipv4.prefix_route_metric = address::common_metric(list);
            let ipv6 = interface.ipv6.get_or_insert_default();
            let list = ipv6.address.get_or_insert_default();
            ipv6.prefix_route_metric = address::common_metric(list);
            ipv6.token
                .take_if(|_| ipv6.enabled != Some(true) || ipv6.autoconf != Some(true));
            interface.observe_mptcp(interface.mptcp_endpoints().to_vec());
        }
        let mut running = self.routes.clone();
        running.sort_by_key(|route| (route.key(), route.source, route.protocol));
        let mut rules = self.rules.clone();
        rules.sort();
        NetworkState {
            description: None,
            hostname: self.host_name.clone(),
            dns_resolver: self.resolver.clone(),
            interfaces,
            routes: Some(Routes {
                running: Some(running),
                config: None,
            }),
            route_rules: RouteRules::of(rules),
            lost_endpoints: self.lost_endpoints.clone(),
        }
    }

    fn ports_of(&self, bridge: &str) -> impl Iterator<Item = &String> {
        self.links
            .values()
            .filter(move |link| link.controller.as_deref() == Some(bridge))
            .map(|link| &link.name)
    }

    fn link(&self, name: &str) -> Result<&Interface, String> {
        self.links
            .get(name)
            .ok_or_else(|| format!("no such link {name}"))
    }

    fn link_mut(&mut self, name: &str) -> Result<&mut Interface, String> {
        self.links
            .get_mut(name)
            .ok_or_else(|| format!("no such link {name}"))
    }

    fn is_up(&self, name: &str) -> bool {
        self.links
            .get(name)
            .is_some_and(|link| link.state == Some(InterfaceState::Up))
    }

    /// Executes one operation.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Result<(), String> {
        match operation {
            Operation::CreateLink { interface, peer } => self.create(interface, peer.as_deref()),
            Operation::AwaitLink { interface } => {
                Err(format!("no driver makes {}", interface.name))
            }
            Operation::DeleteLink { interface } => self.delete(interface),
            Operation::ChangeLink(changes) => self.change(changes),
            Operation::ChangeSection { interface } => self.change_section(interface),
            Operation::ChangeHardware { interface } => self.change_hardware(interface),
            Operation::ChangeVirtualFunctions { interface, sr_iov } => {
                self.change_virtual_functions(interface, sr_iov)
            }
            Operation::ChangeBridgePort { port } => self.change_port(port),
            Operation::ChangeBondPort { port } => self.change_bond_port(port),
            Operation::AddAltName { interface, name } => self.add_alt_name(interface, name),
            Operation::RemoveAltName { interface, name } => {
                let link = self.link_mut(interface)?;
                let names = link.alt_names.get_or_insert_default();
                names.retain(|known| known.name != *name);
                Ok(())
            }
            Operation::ChangeIpv4 {
                interface,
                forwarding,
            } => self.change_ipv4(interface, *forwarding),
            Operation::ChangeIpv6(changes) => self.change_ipv6(changes),
            Operation::AddAddress { interface, address } => self.add_address(interface, address),
            Operation::RemoveAddress { interface, address } => {
                self.remove_address(interface, address);
                Ok(())
            }
            Operation::ChangeMptcp {
                interface,
                endpoint,
            } => self.change_mptcp(interface, endpoint),
            Operation::RemoveLostEndpoints { link } => {
                self.lost_endpoints.retain(|lost| lost.link != *link);
                Ok(())
            }
            Operation::AddRoute(route) => self.add_route(route),
            Operation::RemoveRoute(route) => {
                self.remove_route(route);
                Ok(())
            }
            Operation::AddMultipathRoute(hops) => self.add_multipath(hops),
            Operation::RemoveMultipathRoute(hops) => {
                self.remove_multipath(hops);
                Ok(())
            }
            Operation::ChangeDns(source) => self.change_dns(source),
            Operation::ChangeHostName(names) => self.change_host_name(names),
            Operation::ReplaceRoute { wanted, .. } => self.replace_route(wanted),
            Operation::AddRule(rule) => self.add_rule(rule),
            Operation::RemoveRule(rule) => {
                self.remove_rule(rule);
                Ok(())
            }
            _ => Err("unknown operation".to_string()),
        }
        .map_err(|problem| format!("{operation}: {problem}"))
    }

    /// Executes a plan. Each wave is also executed from its end: the operations of one don't depend on each other.
    pub(crate) fn execute(&mut self, plan: &Plan) -> Result<(), String> {
        for (number, wave) in plan.waves.iter().enumerate() {
            assert!(!wave.is_empty(), "wave {number} is empty");
            let mut backwards = self.clone();
            for operation in wave {
                self.apply(operation)?;
            }
            for operation in wave.iter().rev() {
                backwards
                    .apply(operation)
                    .map_err(|problem| format!("wave {number} depends on its order: {problem}"))?;
            }
            let (one, other) = (self.comparable(), backwards.comparable());
            if one != other {
                return Err(format!(
                    "wave {number} depends on its order:\n{}",
                    difference(&one, &other)
                ));
            }
        }
        Ok(())
    }

    /// Without the MAC addresses that were made up.
    fn comparable(&self) -> NetworkState {
        let mut state = self.without_order();
        for interface in &mut state.interfaces {
            interface
                .mac_address
                .take_if(|address| link::is_made_up(address));
        }
        state
    }

    /// Without the order in which addresses came, and what depends on it: the sources of connected routes.
    pub(crate) fn without_order(&self) -> NetworkState {
        let mut state = self.observed();
        for interface in &mut state.interfaces {
            let ipv4 = interface
                .ipv4
                .as_mut()
                .and_then(|ipv4| ipv4.address.as_mut());
            ipv4.into_iter()
                .for_each(|list| list.sort_by_key(|address| address.key()));
            let ipv6 = interface
                .ipv6
                .as_mut()
                .and_then(|ipv6| ipv6.address.as_mut());
            ipv6.into_iter()
                .for_each(|list| list.sort_by_key(|address| address.key()));
        }
        let running = state
            .routes
            .iter_mut()
            .flat_map(|routes| routes.running.iter_mut());
        for route in running.flatten().filter(|route| route.protocol == Some(2)) {
            route.source = None;
        }
        state
    }
}

/// How two states differ, for people.
pub(crate) fn difference(one: &NetworkState, other: &NetworkState) -> String {
    let mut lines = Vec::new();
    let of_machine = |state: &NetworkState| {
        let (names, resolver) = (&state.hostname, &state.dns_resolver);
        format!("{names:?} {resolver:?}")
    };
    if of_machine(one) != of_machine(other) {
        lines.extend([of_machine(one), of_machine(other)]);
    }
    let (left, right) = (one.by_name(), other.by_name());
    for (name, interface) in &left {
        match right.get(name) {
            Some(other) if other == interface => {}
            Some(other) => lines.push(format!("{name}:\n  {interface:?}\n  {other:?}")),
            None => lines.push(format!("{name}: only in the first: {interface:?}")),
        }
    }
    for name in right.keys().filter(|name| !left.contains_key(*name)) {
        lines.push(format!("{name}: only in the second"));
    }
    for route in one.running_routes() {
        if !other.running_routes().contains(route) {
            lines.push(format!("route {route} {route:?}: only in the first"));
        }
    }
    for route in other.running_routes() {
        if !one.running_routes().contains(route) {
            lines.push(format!("route {route} {route:?}: only in the second"));
        }
    }
    for (rules, others, side) in [(one, other, "first"), (other, one, "second")] {
        let only = rules
            .rules()
            .iter()
            .filter(|rule| !others.rules().contains(rule));
        lines.extend(only.map(|rule| format!("rule {rule} {rule:?}: only in the {side}")));
    }
    lines.join("\n")
}
