// SPDX-License-Identifier: Apache-2.0

use std::net::Ipv6Addr;

use nipart_schemas::lease::{Dhcpv4Config, Dhcpv6Config};

use super::*;

const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77);

fn config(previous_address: Option<Ipv6Addr>) -> DhcpConfig {
    DhcpConfig::Ipv6(Dhcpv6Config {
        interface: "eth0".to_owned(),
        previous_address,
        ..Dhcpv6Config::default()
    })
}

#[test]
fn the_address_of_before_is_no_other_setting() {
    assert!(is_same_client(&config(None), &config(Some(ADDRESS))));
    let named = DhcpConfig::Ipv6(Dhcpv6Config {
        interface: "eth0".to_owned(),
        hostname: Some("tester".to_owned()),
        ..Dhcpv6Config::default()
    });
    assert!(!is_same_client(&config(None), &named));
    let other_family = DhcpConfig::Ipv4(Dhcpv4Config {
        interface: "eth0".to_owned(),
        ..Dhcpv4Config::default()
    });
    assert!(!is_same_client(&config(None), &other_family));
}
