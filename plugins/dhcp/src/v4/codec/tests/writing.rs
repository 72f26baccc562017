// SPDX-License-Identifier: Apache-2.0

//! The client's packets, read back byte by byte.

use std::collections::BTreeMap;

use super::*;

fn identity() -> Identity {
    Identity {
        hardware: HARDWARE,
        client_id: None,
        hostname: Some("host".to_owned()),
        mtu: 1500,
    }
}

fn message(kind: ClientMessageKind) -> ClientMessage {
    ClientMessage {
        kind,
        transaction: TRANSACTION,
        seconds: 7,
        client_address: Ipv4Addr::new(10, 1, 2, 3),
        requested_address: Some(Ipv4Addr::new(10, 1, 2, 4)),
        server: Some(Ipv4Addr::new(10, 1, 2, 5)),
    }
}

/// Options of a packet by code, by a reader of its own.
fn options(packet: &[u8]) -> BTreeMap<u8, Vec<u8>> {
    assert_eq!(packet[236..240], [99, 130, 83, 99]);
    let mut options = BTreeMap::new();
    let mut at = 240;
    while packet[at] != 255 {
        let end = at + 2 + usize::from(packet[at + 1]);
        options.insert(packet[at], packet[at + 2..end].to_vec());
        at = end;
    }
    assert!(
        packet[at + 1..].iter().all(|byte| *byte == 0),
        "only padding after the end"
    );
    options
}

#[test]
fn the_header() {
    let packet = encode(&message(ClientMessageKind::Request), &identity()).unwrap();
    assert!(packet.len() >= 300);
    assert_eq!(packet[..4], [1, 1, 6, 0]);
    assert_eq!(packet[4..8], TRANSACTION.to_be_bytes());
    // secs, flags (no broadcast wanted), ciaddr, then yiaddr, siaddr, giaddr.
    assert_eq!(packet[8..16], [0, 7, 0, 0, 10, 1, 2, 3]);
    assert_eq!(packet[16..28], [0; 12]);
    assert_eq!(packet[28..34], HARDWARE.0);
    assert!(packet[34..236].iter().all(|byte| *byte == 0));
}

#[test]
fn options_by_kind() {
    for (kind, number, codes) in [
        (
            ClientMessageKind::Discover,
            1,
            vec![12, 50, 53, 54, 55, 57, 61],
        ),
        (
            ClientMessageKind::Request,
            3,
            vec![12, 50, 53, 54, 55, 57, 61],
        ),
        // RFC 2131 §4.4.1, table 5: no wishes.
        (ClientMessageKind::Decline, 4, vec![50, 53, 54, 61]),
        (ClientMessageKind::Release, 7, vec![50, 53, 54, 61]),
    ] {
        let packet = encode(&message(kind), &identity()).unwrap();
        assert!(packet.len() >= 300);
        let options = options(&packet);
        assert_eq!(
            options.keys().copied().collect::<Vec<_>>(),
            codes,
            "{kind:?}"
        );
        assert_eq!(options[&53], [number]);
        assert_eq!(options[&50], [10, 1, 2, 4]);
        assert_eq!(options[&54], [10, 1, 2, 5]);
        assert_eq!(options[&61], [&[1][..], &HARDWARE.0].concat());
    }
}

#[test]
fn wishes() {
    let mut bare = message(ClientMessageKind::Discover);
    (bare.requested_address, bare.server) = (None, None);
    let options = options(&encode(&bare, &identity()).unwrap());
    assert!(!options.contains_key(&50) && !options.contains_key(&54));
    assert_eq!(options[&12], b"host");
    assert_eq!(options[&57], 1500_u16.to_be_bytes());
    assert_eq!(options[&55], [1, 121, 3, 6, 15, 119, 26, 51, 58, 59]);
}

#[test]
fn identities_that_no_option_can_carry_are_left_out() {
    for (client_id, sent) in [
        (None, vec![1, 2, 0, 0, 0xaa, 0xbb, 0xcc]),
        (Some(vec![]), vec![1, 2, 0, 0, 0xaa, 0xbb, 0xcc]),
        (Some(vec![9]), vec![1, 2, 0, 0, 0xaa, 0xbb, 0xcc]),
        (Some(vec![9; 256]), vec![1, 2, 0, 0, 0xaa, 0xbb, 0xcc]),
        (Some(vec![0xff, 1, 2, 3]), vec![0xff, 1, 2, 3]),
        (Some(vec![9; 255]), vec![9; 255]),
    ] {
        let identity = Identity {
            client_id,
            ..identity()
        };
        let packet = encode(&message(ClientMessageKind::Release), &identity).unwrap();
        assert_eq!(options(&packet)[&61], sent);
    }
    for (hostname, is_sent) in [
        ("".to_owned(), false),
        ("a".repeat(255), true),
        ("a".repeat(256), false),
    ] {
        let identity = Identity {
            hostname: Some(hostname),
            ..identity()
        };
        let packet = encode(&message(ClientMessageKind::Discover), &identity).unwrap();
        assert_eq!(options(&packet).contains_key(&12), is_sent);
    }
}

#[test]
fn message_size_stays_within_bounds() {
    for (mtu, sent) in [
        (68, 576_u16),
        (576, 576),
        (1280, 1280),
        (1500, 1500),
        (9000, 1500),
        (u16::MAX, 1500),
    ] {
        let packet = encode(
            &message(ClientMessageKind::Discover),
            &Identity { mtu, ..identity() },
        )
        .unwrap();
        assert_eq!(options(&packet)[&57], sent.to_be_bytes());
    }
}
