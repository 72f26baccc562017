// SPDX-License-Identifier: Apache-2.0

//! Random leases.

use std::net::Ipv4Addr;

use nipart_schemas::lease::{Dhcpv4Lease, Dhcpv6Address, Dhcpv6Lease, Lease};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::ip::{ipv4, ipv6};

/// Leases for those that ask for one.
pub fn leases() -> impl Strategy<Value = Vec<Lease>> {
    let dhcpv4 = |name: &'static str| {
        (250_u8..253, any::<bool>()).prop_map(move |(host, inside)| Dhcpv4Lease {
            interface: name.to_string(),
            address: ipv4(name, host),
            prefix_length: 24,
            server: ipv4(name, 254),
            routers: vec![if inside {
                ipv4(name, 254)
            } else {
                Ipv4Addr::new(203, 0, 113, 1)
            }],
            classless_routes: Vec::new(),
            dns_servers: Vec::new(),
            dns_search: Vec::new(),
            mtu: None,
            lease_time: 3600,
            renewal_time: 1800,
            rebinding_time: 3000,
            remaining_time: 3000,
        })
    };
    let dhcpv6 = |name: &'static str| {
        subsequence(vec![250, 251], 0..=2).prop_map(move |hosts| Dhcpv6Lease {
            interface: name.to_string(),
            addresses: hosts
                .into_iter()
                .map(|host| Dhcpv6Address {
                    address: ipv6(name, host),
                    preferred_time: 1800,
                    valid_time: 3000,
                })
                .collect(),
            server: "00:01".to_string(),
            dns_servers: Vec::new(),
            dns_search: Vec::new(),
            renewal_time: 900,
            rebinding_time: 1440,
        })
    };
    let of_ipv4 = (of(dhcpv4("eth0")), of(dhcpv4("br0")));
    let of_ipv6 = (of(dhcpv6("eth0")), of(dhcpv6("br0")));
    (of_ipv4, of_ipv6).prop_map(|(ipv4, ipv6)| {
        let ipv4 = ipv4.0.into_iter().chain(ipv4.1).map(Lease::from);
        let ipv6 = ipv6.0.into_iter().chain(ipv6.1).map(Lease::from);
        ipv4.chain(ipv6).collect()
    })
}
