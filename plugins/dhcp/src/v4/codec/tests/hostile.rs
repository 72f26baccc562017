// SPDX-License-Identifier: Apache-2.0

//! Packets that mean harm: whatever the bytes, the codec answers and what it lets through is sound.

use dhcproto::Decodable;
use proptest::prelude::*;

use super::*;

/// Decodes, and checks what the rest of the client relies on.
fn survives(packet: &[u8]) -> Option<ServerMessage> {
    let message = decode(packet, TRANSACTION, HARDWARE).ok()?;
    let host = |address: &Ipv4Addr| {
        !address.is_unspecified()
            && !address.is_multicast()
            && !address.is_broadcast()
            && !address.is_loopback()
    };
    assert!(host(&message.server));
    assert!(message.kind == ServerMessageKind::Refuse || host(&message.address));
    assert!(
        message
            .prefix_length
            .is_none_or(|length| (1..=32).contains(&length))
    );
    assert!(message.routers.iter().all(host) && message.dns_servers.iter().all(host));
    assert!(message.mtu.is_none_or(|mtu| mtu >= 68));
    for route in message.classless_routes.iter().flatten() {
        assert!(route.prefix_length <= 32);
        let host_bits = u32::MAX
            .checked_shr(route.prefix_length.into())
            .unwrap_or(0);
        assert_eq!(u32::from(route.destination) & host_bits, 0);
        assert!(route.gateway.is_unspecified() || host(&route.gateway));
    }
    for domain in &message.dns_search {
        assert!(!domain.is_empty() && domain.len() <= 253);
        assert!(
            domain
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
            "{domain}"
        );
    }
    assert!(
        message
            .text
            .iter()
            .all(|text| !text.contains(char::is_control))
    );
    Some(message)
}

#[test]
fn every_truncation() {
    let packet = rich().bytes();
    for length in 0..=packet.len() {
        survives(&packet[..length]);
    }
}

#[test]
fn every_byte_with_every_value() {
    let packet = rich().bytes();
    for at in (0..48).chain(230..packet.len()) {
        for value in 0..=255 {
            let mut packet = packet.clone();
            packet[at] = value;
            survives(&packet);
        }
    }
}

#[test]
fn dhcproto_understands_the_same() {
    // A second opinion on a packet that both can read.
    let packet = rich().bytes();
    let theirs = Message::decode(&mut dhcproto::Decoder::new(&packet)).unwrap();
    let ours = rich().decode().unwrap();
    assert_eq!(theirs.yiaddr(), ours.address);
    let options = theirs.opts();
    assert_eq!(
        options.get(OptionCode::Router),
        Some(&DhcpOption::Router(ours.routers))
    );
    assert_eq!(
        options.get(OptionCode::DomainNameServer),
        Some(&DhcpOption::DomainNameServer(ours.dns_servers))
    );
    assert_eq!(
        options.get(OptionCode::InterfaceMtu),
        ours.mtu.map(DhcpOption::InterfaceMtu).as_ref()
    );
    let Some(DhcpOption::DomainSearch(names)) = options.get(OptionCode::DomainSearch) else {
        panic!()
    };
    let names: Vec<_> = names
        .iter()
        .map(|name| name.to_string().trim_end_matches('.').to_owned())
        .collect();
    assert_eq!(names, ours.dns_search[1..]);
    let Some(DhcpOption::ClasslessStaticRoute(routes)) =
        options.get(OptionCode::ClasslessStaticRoute)
    else {
        panic!()
    };
    let routes: Vec<_> = routes
        .iter()
        .map(|(net, gateway)| (net.network(), net.prefix_len(), *gateway))
        .collect();
    let ours: Vec<_> = ours
        .classless_routes
        .unwrap()
        .iter()
        .map(|route| (route.destination, route.prefix_length, route.gateway))
        .collect();
    assert_eq!(routes, ours);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes(packet in prop::collection::vec(any::<u8>(), 0..1500)) {
        survives(&packet);
    }

    #[test]
    fn random_options_in_a_sound_header(
        options in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..255)), 0..10),
        tail in prop::collection::vec(any::<u8>(), 0..20),
        overload in prop::option::of(0..5_u8),
        fields in prop::collection::vec(any::<u8>(), 192),
    ) {
        let mut reply = Reply::acknowledgement().header(44, &fields);
        if let Some(overload) = overload {
            reply = reply.option(52, &[overload]);
        }
        for (code, value) in options {
            reply = reply.option(code, &value);
        }
        reply.options.extend(tail);
        survives(&reply.bytes());
        survives(&reply.without_end());
    }

    #[test]
    fn the_options_that_are_parsed(
        code in prop::sample::select(vec![1_u8, 3, 6, 15, 26, 51, 56, 58, 59, 119, 121]),
        value in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xc0), 0..40_u8, any::<u8>()], 0..255),
    ) {
        // The other options stand: a bad value spoils nothing but itself. Only 51 is already there.
        let message = survives(&Reply::acknowledgement().option(code, &value).bytes());
        prop_assert!(message.is_some());
    }

    #[test]
    fn domain_lists(value in prop::collection::vec(prop_oneof![Just(0xc0_u8), 0..8_u8, b'a'..b'e'], 0..200)) {
        survives(&Reply::acknowledgement().option(119, &value).bytes());
    }

    #[test]
    fn a_sound_packet_with_bytes_changed(changes in prop::collection::vec((0..400_usize, any::<u8>()), 1..8)) {
        let mut packet = rich().bytes();
        for (at, value) in changes {
            if let Some(byte) = packet.get_mut(at) {
                *byte = value;
            }
        }
        survives(&packet);
    }
}
