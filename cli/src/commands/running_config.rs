// SPDX-License-Identifier: Apache-2.0

//! The part of a running network that somebody has set: what a file would say of it.

use nipart_schemas::ip::Address;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::{Route, Routes};
use nipart_schemas::route_rule::RouteRules;

/// Addresses that the kernel makes by itself: of the loopback interface, from router advertisements, link-local
/// (`IFAPROT_KERNEL_*`, `linux/if_addr.h`).
const KERNEL_ADDRESSES: std::ops::RangeInclusive<u8> = 1..=3;
/// Who adds routes and rules that are set: by hand (`RTPROT_BOOT`, `RTPROT_STATIC`, `linux/rtnetlink.h`), and Nipart.
const SET_BY: [u8; 3] = [3, 4, 110];

/// `state` without what is leased, advertised, made by the kernel, or shown only.
pub(super) fn running_config(mut state: NetworkState) -> NetworkState {
    for interface in &mut state.interfaces {
        if let Some(list) = interface
            .ipv4
            .as_mut()
            .and_then(|ipv4| ipv4.address.as_mut())
        {
            list.retain(is_set);
        }
        if let Some(list) = interface
            .ipv6
            .as_mut()
            .and_then(|ipv6| ipv6.address.as_mut())
        {
            list.retain(is_set);
        }
    }
    let routes = state.running_routes().iter();
    let routes = routes.filter(|route| route.protocol.is_none_or(|by| SET_BY.contains(&by)));
    let routes: Vec<Route> = routes.cloned().collect();
    let rules = state.rules().iter();
    let rules = rules.filter(|rule| rule.protocol.is_none_or(|by| SET_BY.contains(&by)));
    let rules = RouteRules::of(rules.cloned().collect());
    state.routes = Routes::of(routes);
    state.route_rules = rules;
    state.without_shown_only()
}

fn is_set<A>(address: &Address<A>) -> bool {
    let is_kernels = address
        .protocol
        .is_some_and(|protocol| KERNEL_ADDRESSES.contains(&protocol));
    address.valid_life_time.is_none() && !is_kernels
}

#[cfg(test)]
mod tests {
    use nipart_schemas::yaml;

    use super::*;

    #[test]
    fn what_is_set_stays() {
        let running = "\
interfaces:
- name: eth0
  type: ethernet
  mtu: 1500
  max-mtu: 9000
  driver: virtio_net
  ipv4:
    enabled: true
    dhcp: true
    address:
    - {ip: 192.0.2.1, prefix-length: 24, protocol: 110}
    - {ip: 192.0.2.2, prefix-length: 24, protocol: 16, valid-life-time: 600}
  ipv6:
    enabled: true
    address:
    - {ip: 'fe80::1', prefix-length: 64, protocol: 3}
    - {ip: '2001:db8::1', prefix-length: 64}
routes:
  running:
  - {destination: 192.0.2.0/24, next-hop-interface: eth0, protocol: 2}
  - {destination: 0.0.0.0/0, next-hop-interface: eth0, next-hop-address: 192.0.2.254, protocol: 16}
  - {destination: 198.51.100.0/24, next-hop-interface: eth0, protocol: 110}
  - {destination: 203.0.113.0/24, next-hop-interface: eth0, protocol: 186}
route-rules:
  config:
  - {family: ipv4, priority: 7, route-table: 7, protocol: 3}
  - {family: ipv4, priority: 8, route-table: 8, protocol: 186}
";
        let expected = "\
interfaces:
- name: eth0
  type: ethernet
  mtu: 1500
  ipv4:
    enabled: true
    dhcp: true
    address:
    - {ip: 192.0.2.1, prefix-length: 24}
  ipv6:
    enabled: true
    address:
    - {ip: '2001:db8::1', prefix-length: 64}
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-interface: eth0}
route-rules:
  config:
  - {family: ipv4, priority: 7, route-table: 7}
";
        let running: NetworkState = yaml::parse(running).unwrap();
        let expected: NetworkState = yaml::parse(expected).unwrap();
        assert_eq!(running_config(running), expected);
    }
}
