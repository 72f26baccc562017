// SPDX-License-Identifier: Apache-2.0

//! Routes that get lost with addresses, without being named: those that prefer such an address as source, and those
//! over a link that is left without any address of the family.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::interface::Interface;
use crate::ip::PROTOCOL_DHCP;
use crate::network_state::NetworkState;
use crate::route::Route;

/// What goes with the addresses that a state takes away.
#[derive(Debug, Default)]
pub(super) struct Loss<'a> {
    without_ipv4: HashSet<&'a str>,
    without_ipv6: HashSet<&'a str>,
    sources: HashMap<&'a str, HashSet<IpAddr>>,
}

impl<'a> Loss<'a> {
    /// What `desired` takes from `current`.
    pub(super) fn of(desired: &'a NetworkState, current: &NetworkState) -> Self {
        let present = current.by_name();
        let mut loss = Self::default();
        for wanted in &desired.interfaces {
            let name = wanted.name.as_str();
            let ipv6 = wanted.ipv6.as_ref();
            if ipv6.is_some_and(|ipv6| ipv6.enabled == Some(false)) {
                loss.without_ipv6.insert(name);
            }
            if let Some(present) = present.get(name) {
                loss.add_ipv4(wanted, present);
            }
        }
        loss
    }

    fn add_ipv4(&mut self, wanted: &'a Interface, present: &Interface) {
        let Some(section) = &wanted.ipv4 else {
            return;
        };
        let kept = match &section.address {
            _ if section.enabled == Some(false) => [].as_slice(),
            Some(list) => list,
            None => return,
        };
        let is_kept = |ip: &IpAddr| kept.iter().any(|kept| IpAddr::from(kept.ip) == *ip);
        let present = present.ipv4.iter().flat_map(|ipv4| &ipv4.address).flatten();
        let present: Vec<IpAddr> = present.map(|address| address.ip.into()).collect();
        if !present.is_empty() && !present.iter().any(is_kept) {
            self.without_ipv4.insert(&wanted.name);
        }
        let gone = present.into_iter().filter(|ip| !is_kept(ip)).collect();
        self.sources.insert(&wanted.name, gone);
    }

    /// Whether the route goes. One that a lease brings comes back with the lease.
    pub(super) fn takes(&self, route: &Route) -> bool {
        let name = route.next_hop_interface.as_deref().unwrap_or_default();
        let without = if route.is_ipv6() {
            &self.without_ipv6
        } else {
            &self.without_ipv4
        };
        let gone = self.sources.get(name);
        let is_gone = |source: &IpAddr| gone.is_some_and(|gone| gone.contains(source));
        route.protocol != Some(PROTOCOL_DHCP)
            && (without.contains(name) || route.source.as_ref().is_some_and(is_gone))
    }
}

#[cfg(test)]
mod tests {
    use crate::network_state::NetworkState;
    use crate::revert::revert_of;

    fn state(text: &str) -> NetworkState {
        crate::yaml::parse(text).unwrap()
    }

    /// Destinations of the routes that the revert brings back.
    fn back(ipv4: &str) -> Vec<String> {
        let current = state(
            "
interfaces: [{name: eth0, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}, {ip: 192.0.2.2, prefix-length: 24}]}},
             {name: eth1, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}]
routes:
  running:
  - {destination: 192.0.2.0/24, next-hop-interface: eth0, protocol: 2}
  - {destination: 10.1.0.0/16, next-hop-interface: eth0, next-hop-address: 192.0.2.9, protocol: 110}
  - {destination: 10.2.0.0/16, next-hop-interface: eth0, source: 192.0.2.2, protocol: 110}
  - {destination: 10.3.0.0/16, next-hop-interface: eth0, protocol: 16}
  - {destination: 10.4.0.0/16, next-hop-interface: eth1, protocol: 110}
  - {destination: '2001:db8::/64', next-hop-interface: eth0, protocol: 110}
",
        );
        let desired = state(&format!("interfaces: [{{name: eth0, ipv4: {{{ipv4}}}}}]"));
        let routes = revert_of(&desired, &current);
        let routes = routes.config_routes().iter();
        routes
            .filter_map(|route| Some(route.destination?.to_string()))
            .collect()
    }

    #[test]
    fn routes_come_back_with_the_addresses_that_they_need() {
        let other = "address: [{ip: 203.0.113.1, prefix-length: 24}]";
        for gone in ["enabled: false", "address: []", other] {
            assert_eq!(back(gone), ["10.1.0.0/16", "10.2.0.0/16"], "{gone}");
        }
        let first = "address: [{ip: 192.0.2.1, prefix-length: 24}]";
        assert_eq!(back(first), ["10.2.0.0/16"]);
        let none: [&str; 0] = [];
        assert_eq!(back("dhcp: false"), none);
    }
}
