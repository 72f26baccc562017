// SPDX-License-Identifier: Apache-2.0

use std::net::Ipv6Addr;

use nipart_schemas::lease::{Dhcpv4Config, Dhcpv6Address, Dhcpv6Config, Dhcpv6Lease};

use super::*;

const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77);

fn lease(addresses: &[Ipv6Addr]) -> Lease {
    let addresses = addresses.iter().map(|address| Dhcpv6Address {
        address: *address,
        preferred_time: 1,
        valid_time: 2,
    });
    Lease::Ipv6(Dhcpv6Lease {
        interface: "eth0".to_owned(),
        addresses: addresses.collect(),
        server: String::new(),
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
        renewal_time: 1,
        rebinding_time: 2,
    })
}

fn config(previous_address: Option<Ipv6Addr>) -> DhcpConfig {
    DhcpConfig::Ipv6(Dhcpv6Config {
        interface: "eth0".to_owned(),
        previous_address,
        ..Dhcpv6Config::default()
    })
}

#[test]
fn the_address_of_a_client_that_is_replaced_is_asked_for() {
    for (lease, before, after) in [
        (lease(&[ADDRESS]), None, Some(ADDRESS)),
        (lease(&[ADDRESS]), Some(Ipv6Addr::LOCALHOST), Some(ADDRESS)),
        // Settings only: the daemon's wish stands.
        (lease(&[]), Some(ADDRESS), Some(ADDRESS)),
        (lease(&[]), None, None),
    ] {
        let mut known = config(before);
        set_previous_address(&mut known, &lease);
        assert_eq!(known, config(after));
    }
}

#[test]
fn the_address_of_before_is_no_other_setting() {
    assert!(is_same_but_for_addresses(
        &config(None),
        &config(Some(ADDRESS))
    ));
    let named = DhcpConfig::Ipv6(Dhcpv6Config {
        interface: "eth0".to_owned(),
        hostname: Some("tester".to_owned()),
        ..Dhcpv6Config::default()
    });
    assert!(!is_same_but_for_addresses(&config(None), &named));
    let other_family = DhcpConfig::Ipv4(Dhcpv4Config {
        interface: "eth0".to_owned(),
        ..Dhcpv4Config::default()
    });
    assert!(!is_same_but_for_addresses(&config(None), &other_family));
}
