// SPDX-License-Identifier: Apache-2.0

//! Addresses, and the routes that come and go with them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::Address;
use nipart_schemas::route::{IpNetwork, MAIN_TABLE, Route};

use super::Model;

pub(crate) fn addresses(link: &Interface) -> Vec<Address> {
    let ipv4 = link.ipv4.as_ref().and_then(|ipv4| ipv4.address.as_ref());
    let ipv6 = link.ipv6.as_ref().and_then(|ipv6| ipv6.address.as_ref());
    let ipv4 = ipv4.into_iter().flatten().map(Address::any_family);
    let ipv6 = ipv6.into_iter().flatten().map(Address::any_family);
    ipv4.chain(ipv6).collect()
}

fn set_addresses(link: &mut Interface, list: Vec<Address>) {
    fn with_ip<A>(address: &Address, ip: A) -> Address<A> {
        Address {
            ip,
            prefix_length: address.prefix_length,
            valid_life_time: address.valid_life_time,
            preferred_life_time: address.preferred_life_time,
            protocol: address.protocol,
        }
    }
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for address in &list {
        match address.ip {
            IpAddr::V4(ip) => ipv4.push(with_ip(address, ip)),
            IpAddr::V6(ip) => ipv6.push(with_ip(address, ip)),
        }
    }
    link.ipv4.get_or_insert_default().address = Some(ipv4);
    link.ipv6.get_or_insert_default().address = Some(ipv6);
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
                metric: Some(if address.ip.is_ipv4() { 0 } else { 256 }),
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
        match list.iter_mut().find(|known| known.key() == address.key()) {
            Some(known) => *known = *address,
            None => list.push(*address),
        }
        set_addresses(link, list);
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

    pub(super) fn change_ipv6(
        &mut self,
        name: &str,
        enabled: Option<bool>,
        autoconf: Option<bool>,
    ) -> Result<(), String> {
        let mtu = self.link(name)?.mtu;
        let section = self.link_mut(name)?.ipv6.get_or_insert_default();
        section.autoconf = autoconf.or(section.autoconf);
        if enabled == Some(true) && mtu < Some(1280) {
            return Err("user: the MTU is too small for IPv6".to_string());
        }
        section.enabled = enabled.or(section.enabled);
        if enabled == Some(false) {
            self.drop_ipv6(name);
        }
        Ok(())
    }
}
