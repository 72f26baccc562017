// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::machine::Granted as _;
use crate::v4::message::ServerMessageKind;
use nipart_schemas::lease::LeaseRoute;

fn message(address: [u8; 4]) -> ServerMessage {
    ServerMessage {
        kind: ServerMessageKind::Acknowledge,
        address: address.into(),
        server: Ipv4Addr::new(10, 0, 0, 1),
        prefix_length: None,
        routers: vec![Ipv4Addr::new(10, 0, 0, 1)],
        classless_routes: None,
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
        mtu: None,
        lease_time: Some(3600),
        renewal_time: None,
        rebinding_time: None,
        text: None,
        rapid_commit: false,
        ipv6_only_wait: None,
    }
}

fn granted(message: &ServerMessage) -> Granted {
    let neighbour = LinkAddress([2, 0, 0, 0, 0, 1]);
    Granted::from_message("eth0", message, neighbour, Duration::from_secs(50), 0).unwrap()
}

#[test]
fn the_class_stands_in_for_a_missing_mask() {
    for (address, prefix_length) in [
        ([10, 1, 2, 3], 8),
        ([127, 255, 0, 1], 8),
        ([172, 16, 0, 1], 16),
        ([191, 0, 0, 1], 16),
        ([192, 0, 2, 1], 24),
    ] {
        assert_eq!(
            granted(&message(address)).lease.prefix_length,
            prefix_length
        );
    }
    let sent = ServerMessage {
        prefix_length: Some(32),
        ..message([10, 1, 2, 3])
    };
    assert_eq!(granted(&sent).lease.prefix_length, 32);
}

#[test]
fn classless_routes_replace_routers() {
    let route = LeaseRoute {
        destination: Ipv4Addr::UNSPECIFIED,
        prefix_length: 0,
        gateway: Ipv4Addr::new(10, 0, 0, 254),
    };
    let both = ServerMessage {
        classless_routes: Some(vec![route.clone()]),
        ..message([10, 1, 2, 3])
    };
    let lease = granted(&both).lease;
    assert_eq!(
        (lease.routers, lease.classless_routes),
        (Vec::new(), vec![route])
    );
    assert_eq!(
        granted(&message([10, 1, 2, 3])).lease.routers,
        [Ipv4Addr::new(10, 0, 0, 1)]
    );
}

#[test]
fn what_is_left_counts_down_to_zero() {
    let granted = granted(&message([10, 1, 2, 3]));
    for (now, left) in [(50, 3600), (51, 3599), (3649, 1), (3650, 0), (9999, 0)] {
        let now = Duration::from_secs(now);
        assert_eq!(granted.lease_at(now).remaining_time, left);
        assert_eq!(granted.is_expired(now), left == 0);
    }
}
