// SPDX-License-Identifier: Apache-2.0

//! Addresses, and the routes that come and go with them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::{AddrGenMode, Address, Ipv6, PROTOCOL_LINK_LOCAL};
use nipart_schemas::operation::Ipv6Changes;
use nipart_schemas::route::{IpNetwork, MAIN_TABLE, Route};

use super::Model;

pub(crate) fn addresses(link: &Interface) -> Vec<Address> {
    link.addresses().collect()
}

fn set_addresses(link: &mut Interface, list: Vec<Address>) {
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for address in &list {
        match address.ip {
            IpAddr::V4(ip) => ipv4.push(address.with_ip(ip)),
            IpAddr::V6(ip) => ipv6.push(address.with_ip(ip)),
        }
    }
    link.ipv4.get_or_insert_default().address = Some(ipv4);
    link.ipv6.get_or_insert_default().address = Some(ipv6);
}

/// The metric that all addresses have.
pub(super) fn common_metric<A>(list: &[Address<A>]) -> Option<u32> {
    let first = list.first()?.prefix_route_metric;
    let alike = |address: &Address<A>| address.prefix_route_metric == first;
    first.filter(|_| list.iter().all(alike))
}

/// As the kernel shows it: no metric where it is the default.
fn shown(address: &Address, metric: Option<u32>) -> Address {
    let default = Address::new(address.ip, address.prefix_length).route_metric();
    Address {
        prefix_route_metric: metric.filter(|metric| ![0, default].contains(metric)),
        ..*address
    }
}

impl Model {
    fn addresses_of(&self, name: &str) -> Vec<Address> {
        self.links.get(name).map(addresses).unwrap_or_default()
    }

    /// The first IPv4 address of each network on each link.
    pub(crate) fn primary_addresses(&self) -> BTreeMap<(&str, IpNetwork), IpAddr> {
        let mut primary = BTreeMap::new();
        for (name, link) in &self.links {
            let list = addresses(link).into_iter();
            for address in list.filter(|address| address.ip.is_ipv4()) {
                let network = IpNetwork::containing(address.ip, address.prefix_length);
                primary
                    .entry((name.as_str(), network))
                    .or_insert(address.ip);
            }
        }
        primary
    }

    /// Connected routes that no address has any more: of another metric.
    fn disconnect(&mut self, name: &str) {
        let list = self.addresses_of(name);
        let is_made = |route: &Route| {
            list.iter().any(|address| {
                let network = IpNetwork::containing(address.ip, address.prefix_length);
                route.destination == Some(network) && route.metric == Some(address.route_metric())
            })
        };
        self.routes.retain(|route| {
            route.next_hop_interface.as_deref() != Some(name)
                || route.protocol != Some(2)
                || is_made(route)
        });
    }

    /// Connected routes of all addresses of a link that is up.
    pub(super) fn connect(&mut self, name: &str) {
        if !self.is_up(name) {
            return;
        }
        self.revive(name);
        for address in self.addresses_of(name) {
            let longest = if address.ip.is_ipv4() { 32 } else { 128 };
            let network = IpNetwork::containing(address.ip, address.prefix_length);
            let route = Route {
                destination: Some(network),
                next_hop_interface: Some(name.to_string()),
                metric: Some(address.route_metric()),
                table_id: Some(MAIN_TABLE),
                source: Some(address.ip).filter(IpAddr::is_ipv4),
                protocol: Some(2),
                ..Route::default()
            };
            let is_there = self.routes.iter().any(|known| known.key() == route.key());
            if address.prefix_length < longest && !is_there {
                self.routes.push(route);
            }
        }
    }

    pub(super) fn add_address(&mut self, name: &str, address: &Address) -> Result<(), String> {
        let link = self.link_mut(name)?;
        let has_ipv6 = link.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false);
        if address.ip.is_ipv6() && !has_ipv6 {
            return Err("IPv6 is off".to_string());
        }
        let mut list = addresses(link);
        let metric = address.prefix_route_metric;
        match list.iter_mut().find(|known| known.key() == address.key()) {
            Some(known) => {
                let metric = metric.or(known.prefix_route_metric.filter(|_| address.ip.is_ipv6()));
                *known = shown(address, metric);
            }
            None => list.push(shown(address, metric)),
        }
        set_addresses(link, list);
        self.disconnect(name);
        self.connect(name);
        Ok(())
    }

    pub(super) fn remove_address(&mut self, name: &str, address: &Address) {
        let mut list = self.addresses_of(name);
        let before = list.len();
        let network = |address: &Address| IpNetwork::containing(address.ip, address.prefix_length);
        let is_of_network = |known: &Address| {
            known.prefix_length == address.prefix_length && network(known) == network(address)
        };
        let is_primary = address.ip.is_ipv4()
            && list
                .iter()
                .find(|known| is_of_network(known))
                .map(Address::key)
                == Some(address.key());
        let secondary: Vec<Address> = list
            .iter()
            .filter(|known| is_of_network(known))
            .copied()
            .collect();
        if self.drops_secondary_addresses && is_primary && secondary.len() > 1 {
            for address in secondary.iter().rev() {
                self.remove_one(name, address);
            }
            return;
        }
        list.retain(|known| known.key() != address.key());
        if list.len() < before {
            self.remove_one(name, address);
        }
    }

    fn remove_one(&mut self, name: &str, address: &Address) {
        let mut list = self.addresses_of(name);
        let before = list.len();
        list.retain(|known| known.key() != address.key());
        let Some(link) = self.links.get_mut(name).filter(|_| list.len() < before) else {
            return;
        };
        set_addresses(link, list.clone());
        let network = IpNetwork::containing(address.ip, address.prefix_length);
        let is_of_link = |route: &Route| route.next_hop_interface.as_deref() == Some(name);
        self.routes.retain(|route| {
            !(is_of_link(route) && route.protocol == Some(2) && route.destination == Some(network))
        });
        let is_elsewhere = self.has_local(address.ip);
        if address.ip.is_ipv4() {
            let has_ipv4 = list.iter().any(|address| address.ip.is_ipv4());
            self.routes
                .retain(|route| route.source != Some(address.ip) || is_elsewhere);
            self.lose(|route| is_of_link(route) && !route.is_ipv6() && !has_ipv4);
        } else if !is_elsewhere {
            for route in &mut self.routes {
                route.source.take_if(|source| *source == address.ip);
            }
        }
        // Another address of the same network takes the connected route over.
        self.connect(name);
    }

    pub(super) fn has_local(&self, ip: IpAddr) -> bool {
        let mut all = self.links.values().flat_map(addresses);
        all.any(|address| address.ip == ip)
    }

    /// Everything on a link that is deleted.
    pub(super) fn flush(&mut self, name: &str) {
        for address in self.addresses_of(name) {
            self.remove_address(name, &address);
        }
        self.lose_with_link(name);
    }

    /// IPv4 keeps its addresses and loses its routes; IPv6 loses both.
    pub(super) fn take_down(&mut self, name: &str) -> Result<(), String> {
        self.link_mut(name)?.state = Some(InterfaceState::Down);
        self.drop_ipv6(name);
        self.lose(|route| route.next_hop_interface.as_deref() == Some(name));
        Ok(())
    }

    fn drop_ipv6(&mut self, name: &str) {
        let ipv6 = self.addresses_of(name).into_iter();
        for address in ipv6.filter(|address| address.ip.is_ipv6()) {
            self.remove_address(name, &address);
        }
        self.lose(|route| route.is_ipv6() && route.next_hop_interface.as_deref() == Some(name));
    }

    pub(super) fn change_ipv4(&mut self, name: &str, forwarding: bool) -> Result<(), String> {
        let section = self.link_mut(name)?.ipv4.get_or_insert_default();
        section.forwarding = Some(forwarding);
        Ok(())
    }

    pub(super) fn switch_ipv6(&mut self, name: &str, enabled: bool) -> Result<(), String> {
        self.change_ipv6(&Ipv6Changes {
            enabled: Some(enabled),
            ..Ipv6Changes::of(name)
        })
    }

    pub(super) fn change_ipv6(&mut self, changes: &Ipv6Changes) -> Result<(), String> {
        let name = changes.interface.as_str();
        let link = self.link(name)?;
        let (mtu, is_up) = (link.mtu, link.state == Some(InterfaceState::Up));
        let section = self.link_mut(name)?.ipv6.get_or_insert_default();
        if is_up && section.enabled != Some(false) {
            make_link_local(section, changes.addr_gen_mode);
        }
        section.autoconf = changes.autoconf.or(section.autoconf);
        if let Some(accept) = changes.accept_ra_defrtr {
            section.accept_ra_defrtr = (!accept).then_some(false);
        }
        section.forwarding = changes.forwarding.or(section.forwarding);
        section.addr_gen_mode = changes.addr_gen_mode.or(section.addr_gen_mode);
        if let Some(token) = changes.token {
            if changes.autoconf.is_none() && section.autoconf != Some(true) {
                return Err("router advertisement is disabled on device".to_string());
            }
            section.token = Some(token).filter(|token| !token.is_unspecified());
        }
        if changes.enabled == Some(true) && mtu < Some(1280) {
            return Err("user: the MTU is too small for IPv6".to_string());
        }
        section.enabled = changes.enabled.or(section.enabled);
        if changes.enabled == Some(false) {
            self.drop_ipv6(name);
        }
        Ok(())
    }
}

/// What the kernel makes as soon as it is told to make addresses in another way (`addrconf_init_auto_addrs`,
/// net/ipv6/addrconf.c).
fn make_link_local(section: &mut Ipv6, mode: Option<AddrGenMode>) {
    let made = match mode.filter(|mode| section.addr_gen_mode != Some(*mode)) {
        None | Some(AddrGenMode::None) => return,
        Some(AddrGenMode::Eui64) => 0xe,
        Some(_) => 0xa,
    };
    let mut address = Address::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, made), 64);
    address.protocol = Some(PROTOCOL_LINK_LOCAL);
    let list = section.address.get_or_insert_default();
    if !list.iter().any(|known| known.key() == address.key()) {
        list.push(address);
    }
}
