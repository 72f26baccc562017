// SPDX-License-Identifier: Apache-2.0

use std::net::Ipv4Addr;

use nipart_schemas::lease::{Dhcpv4Lease, Lease, LeaseLoss, LeaseProtocol};

use super::*;

#[test]
fn unheard_news_are_merged() {
    let lease = |seconds| Dhcpv4Lease {
        interface: "eth0".to_owned(),
        address: Ipv4Addr::new(192, 0, 2, 77),
        prefix_length: 24,
        server: Ipv4Addr::new(192, 0, 2, 1),
        routers: Vec::new(),
        classless_routes: Vec::new(),
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
        mtu: None,
        lease_time: seconds,
        renewal_time: 0,
        rebinding_time: 0,
        remaining_time: seconds,
    };
    use LeaseEvent::{Acquired, Changed, Renewed};
    let lost = || LeaseEvent::Lost {
        interface: "eth0".to_owned(),
        protocol: LeaseProtocol::Dhcpv4,
        reason: LeaseLoss::Expired,
    };
    let (old, new) = (Lease::from(lease(1)), Lease::from(lease(2)));
    for (unheard, newer, expected) in [
        (
            Acquired(old.clone()),
            Renewed(new.clone()),
            Acquired(new.clone()),
        ),
        (
            Acquired(old.clone()),
            Changed(new.clone()),
            Acquired(new.clone()),
        ),
        (
            Changed(old.clone()),
            Renewed(new.clone()),
            Changed(new.clone()),
        ),
        (
            Renewed(old.clone()),
            Changed(new.clone()),
            Changed(new.clone()),
        ),
        (
            Renewed(old.clone()),
            Renewed(new.clone()),
            Renewed(new.clone()),
        ),
        (Changed(old.clone()), lost(), lost()),
        (Acquired(old), lost(), lost()),
        (lost(), Acquired(new.clone()), Acquired(new)),
    ] {
        assert_eq!(merged(unheard, newer), expected);
    }
}
