// SPDX-License-Identifier: Apache-2.0

//! Random leases.

use std::net::Ipv4Addr;

use nipart_schemas::lease::Lease;
use proptest::option::of;
use proptest::prelude::*;

use crate::ip::ipv4;

/// Leases for those that ask for one.
pub fn leases() -> impl Strategy<Value = Vec<Lease>> {
    let lease = |name: &'static str| {
        (250_u8..253, any::<bool>()).prop_map(move |(host, inside)| Lease {
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
    (of(lease("eth0")), of(lease("br0")))
        .prop_map(|(one, other)| one.into_iter().chain(other).collect())
}
