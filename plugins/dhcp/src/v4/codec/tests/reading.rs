// SPDX-License-Identifier: Apache-2.0

//! What well-formed and slightly odd replies come to.

use nipart_schemas::lease::LeaseRoute;

use super::*;

fn route(destination: [u8; 4], prefix_length: u8, gateway: [u8; 4]) -> LeaseRoute {
    LeaseRoute {
        destination: destination.into(),
        prefix_length,
        gateway: gateway.into(),
    }
}

#[test]
fn everything_at_once() {
    let message = rich().decode().unwrap();
    let expected = ServerMessage {
        kind: ServerMessageKind::Acknowledge,
        address: Ipv4Addr::new(192, 0, 2, 77),
        server: Ipv4Addr::new(192, 0, 2, 1),
        prefix_length: Some(23),
        routers: vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)],
        classless_routes: Some(vec![
            route([198, 51, 100, 0], 24, [192, 0, 2, 9]),
            route([0, 0, 0, 0], 0, [192, 0, 2, 1]),
        ]),
        dns_servers: vec![Ipv4Addr::new(192, 0, 2, 53)],
        dns_search: ["example.com", "eng.example.org", "sales.example.org"]
            .map(str::to_owned)
            .to_vec(),
        mtu: Some(1400),
        lease_time: Some(3600),
        renewal_time: Some(900),
        rebinding_time: Some(2700),
        text: Some("hello".to_owned()),
        rapid_commit: false,
        ipv6_only_wait: None,
    };
    assert_eq!(message, expected);
}

#[test]
fn kinds_of_messages() {
    for (number, kind) in [
        (2, Ok(ServerMessageKind::Offer)),
        (5, Ok(ServerMessageKind::Acknowledge)),
        (6, Ok(ServerMessageKind::Refuse)),
        // DISCOVER, REQUEST, DECLINE, RELEASE, INFORM, FORCERENEW: not a server's, or not authenticated.
        (0, Err(DecodeError::MessageType)),
        (1, Err(DecodeError::MessageType)),
        (3, Err(DecodeError::MessageType)),
        (4, Err(DecodeError::MessageType)),
        (7, Err(DecodeError::MessageType)),
        (8, Err(DecodeError::MessageType)),
        (9, Err(DecodeError::MessageType)),
        (255, Err(DecodeError::MessageType)),
    ] {
        let reply = Reply::bare()
            .option(53, &[number])
            .option(54, &[192, 0, 2, 1]);
        assert_eq!(reply.decode().map(|message| message.kind), kind, "{number}");
    }
}

#[test]
fn the_shape_of_a_packet() {
    let sound = Reply::acknowledgement();
    let cases: [(&str, Vec<u8>, DecodeError); 13] = [
        ("empty", Vec::new(), DecodeError::TooShort),
        (
            "header only",
            sound.bytes()[..236].to_vec(),
            DecodeError::TooShort,
        ),
        (
            "half a cookie",
            sound.bytes()[..239].to_vec(),
            DecodeError::TooShort,
        ),
        (
            "no options",
            sound.bytes()[..240].to_vec(),
            DecodeError::MessageType,
        ),
        (
            "other cookie",
            [&sound.bytes()[..236], &[99, 130, 83, 98, 255]].concat(),
            DecodeError::NoMagicCookie,
        ),
        (
            "a request",
            sound.clone().header(0, &[1]).bytes(),
            DecodeError::NotAReply,
        ),
        // What makes `chaddr()` of dhcproto 0.15 panic.
        (
            "hlen 200",
            sound.clone().header(2, &[200]).bytes(),
            DecodeError::HardwareLength(200),
        ),
        (
            "hlen 16",
            sound.clone().header(2, &[16]).bytes(),
            DecodeError::OtherClient,
        ),
        (
            "hlen 0",
            sound.clone().header(2, &[0]).bytes(),
            DecodeError::OtherClient,
        ),
        (
            "other xid",
            sound.clone().header(4, &[0]).bytes(),
            DecodeError::OtherTransaction,
        ),
        (
            "other client",
            sound.clone().header(33, &[0]).bytes(),
            DecodeError::OtherClient,
        ),
        (
            "cut option",
            [&sound.without_end()[..], &[6, 4, 1, 2, 3]].concat(),
            DecodeError::OptionLength(6),
        ),
        (
            "option without length",
            [&sound.without_end()[..], &[6]].concat(),
            DecodeError::OptionLength(6),
        ),
    ];
    for (name, bytes, error) in cases {
        assert_eq!(decode(&bytes, TRANSACTION, HARDWARE), Err(error), "{name}");
    }
}

#[test]
fn what_every_reply_must_have() {
    for (name, reply, error) in [
        (
            "no type",
            Reply::bare().option(54, &[192, 0, 2, 1]),
            DecodeError::MessageType,
        ),
        (
            "long type",
            Reply::bare()
                .option(53, &[5, 5])
                .option(54, &[192, 0, 2, 1]),
            DecodeError::MessageType,
        ),
        (
            "no server",
            Reply::bare().option(53, &[5]),
            DecodeError::Server,
        ),
        (
            "short server",
            Reply::bare().option(53, &[5]).option(54, &[1, 2, 3]),
            DecodeError::Server,
        ),
        (
            "zero server",
            Reply::bare().option(53, &[5]).option(54, &[0; 4]),
            DecodeError::Server,
        ),
        (
            "broadcast server",
            Reply::bare().option(53, &[5]).option(54, &[255; 4]),
            DecodeError::Server,
        ),
        // RFC 3396: pieces of one option are joined, so twice is too long.
        (
            "two servers",
            Reply::acknowledgement().option(54, &[192, 0, 2, 1]),
            DecodeError::Server,
        ),
    ] {
        assert_eq!(reply.decode(), Err(error), "{name}");
    }
    for address in [
        [0, 0, 0, 0],
        [127, 0, 0, 1],
        [224, 0, 0, 1],
        [255, 255, 255, 255],
        [0, 1, 2, 3],
    ] {
        let reply = Reply::acknowledgement().header(16, &address);
        assert_eq!(reply.decode(), Err(DecodeError::Address(address.into())));
    }
    // A refusal names no address.
    let refusal = Reply::bare()
        .option(53, &[6])
        .option(54, &[192, 0, 2, 1])
        .header(16, &[0; 4]);
    assert!(refusal.decode().is_ok());
}

#[test]
fn optional_values_that_make_no_sense_are_left_out() {
    type Empty = fn(&ServerMessage) -> bool;
    let cases: [(u8, &[u8], Empty); 26] = [
        (1, &[255, 0, 255, 0], |message| {
            message.prefix_length.is_none()
        }),
        (1, &[0, 0, 0, 0], |message| message.prefix_length.is_none()),
        (1, &[255, 255, 255], |message| {
            message.prefix_length.is_none()
        }),
        (3, &[], |message| message.routers.is_empty()),
        (3, &[192, 0, 2], |message| message.routers.is_empty()),
        (3, &[0, 0, 0, 0, 255, 255, 255, 255], |message| {
            message.routers.is_empty()
        }),
        (6, &[192, 0, 2, 1, 1], |message| {
            message.dns_servers.is_empty()
        }),
        (15, b"", |message| message.dns_search.is_empty()),
        (15, b"\0\0", |message| message.dns_search.is_empty()),
        (15, b"a..b", |message| message.dns_search.is_empty()),
        (15, b"-a.example", |message| message.dns_search.is_empty()),
        (15, b"$(reboot)", |message| message.dns_search.is_empty()),
        (15, b"example.com\nnameserver", |message| {
            message.dns_search == ["example.com", "nameserver"]
        }),
        (15, b"ex\0ample", |message| message.dns_search.is_empty()),
        (15, "exämple".as_bytes(), |message| {
            message.dns_search.is_empty()
        }),
        (26, &[0, 67], |message| message.mtu.is_none()),
        (26, &[0, 0, 5], |message| message.mtu.is_none()),
        (26, &[5], |message| message.mtu.is_none()),
        (58, &[0, 0, 1], |message| message.renewal_time.is_none()),
        (59, &[], |message| message.rebinding_time.is_none()),
        (119, b"\x03abc", |message| message.dns_search.is_empty()),
        (119, b"\xc0\x00", |message| message.dns_search.is_empty()),
        (119, b"\x01a\xc0\x02", |message| {
            message.dns_search.is_empty()
        }),
        (119, b"\x01a\xc0\x00", |message| {
            message.dns_search.is_empty()
        }),
        (119, b"\x40", |message| message.dns_search.is_empty()),
        (56, b"\0", |message| message.text.is_none()),
    ];
    for (code, value, is_empty) in cases {
        let message = Reply::acknowledgement()
            .option(code, value)
            .decode()
            .unwrap();
        assert!(is_empty(&message), "option {code} {value:?}: {message:?}");
        assert_eq!(message.lease_time, Some(3600), "the rest is used");
    }
}

#[test]
fn classless_routes_with_care() {
    let routes = |value: &[u8]| {
        Reply::acknowledgement()
            .option(121, value)
            .decode()
            .unwrap()
            .classless_routes
    };
    // RFC 3442's own way of writing: only significant octets.
    assert_eq!(
        routes(&[16, 10, 1, 0, 0, 0, 0, 32, 10, 2, 3, 4, 10, 0, 0, 1]),
        Some(vec![
            route([10, 1, 0, 0], 16, [0, 0, 0, 0]),
            route([10, 2, 3, 4], 32, [10, 0, 0, 1])
        ])
    );
    // Host bits are cleared.
    assert_eq!(
        routes(&[20, 10, 1, 0xff, 10, 0, 0, 1]),
        Some(vec![route([10, 1, 0xf0, 0], 20, [10, 0, 0, 1])])
    );
    assert_eq!(
        routes(&[31, 10, 1, 2, 3, 10, 0, 0, 1]),
        Some(vec![route([10, 1, 2, 2], 31, [10, 0, 0, 1])])
    );
    // One bad entry refuses the option.
    for bad in [
        &[][..],
        &[33, 10, 1, 2, 3, 4, 10, 0, 0, 1],
        &[40, 10, 1, 2, 3, 4, 10, 0, 0, 1],
        &[255],
        &[24, 10, 1],
        &[24, 10, 1, 2, 10, 0, 0],
        &[0, 10, 0, 0, 1, 24],
        &[0, 224, 0, 0, 1],
        &[0, 10, 0, 0, 1, 33, 1, 2, 3, 4, 5, 10, 0, 0, 1],
    ] {
        assert_eq!(routes(bad), None, "{bad:?}");
    }
}

#[test]
fn options_split_over_several_are_joined() {
    // 60 routes of 8 bytes each do not fit one option (RFC 3396).
    let value: Vec<u8> = (0..60)
        .flat_map(|number| [24, 10, 0, number, 192, 0, 2, 1])
        .collect();
    let mut reply = Reply::acknowledgement();
    for piece in value.chunks(255) {
        reply = reply.option(121, piece);
    }
    assert_eq!(reply.decode().unwrap().classless_routes.unwrap().len(), 60);
}

#[test]
fn overloaded_fields_are_unfolded() {
    // `file` at 108, `sname` at 44: both with options (RFC 2131 §4.1).
    let reply = Reply::bare()
        .option(53, &[5])
        .option(52, &[3])
        .option(6, &[192, 0, 2, 53])
        .header(108, &[54, 4, 192, 0, 2, 1, 6, 4, 192, 0, 2, 54, 255])
        .header(44, &[0, 51, 4, 0, 0, 0, 60, 255]);
    let message = reply.decode().unwrap();
    assert_eq!(
        (message.server, message.lease_time),
        (Ipv4Addr::new(192, 0, 2, 1), Some(60))
    );
    assert_eq!(
        message.dns_servers,
        [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(192, 0, 2, 54)]
    );
    // Without option 52 those fields are text.
    let reply = Reply::acknowledgement().header(108, &[6, 4, 192, 0, 2, 54, 255]);
    assert!(reply.decode().unwrap().dns_servers.is_empty());
    // Only one of them.
    let reply = Reply::acknowledgement()
        .option(52, &[1])
        .header(44, &[6, 200]);
    assert!(reply.decode().is_ok());

    for bad in [&[][..], &[0], &[4], &[1, 1]] {
        assert_eq!(
            Reply::acknowledgement().option(52, bad).decode(),
            Err(DecodeError::Overload),
            "{bad:?}"
        );
    }
    let again = Reply::acknowledgement()
        .option(52, &[3])
        .header(108, &[52, 1, 3, 255]);
    assert_eq!(again.decode(), Err(DecodeError::Overload));
    let beyond = Reply::acknowledgement()
        .option(52, &[2])
        .header(44, &[0; 60])
        .header(104, &[6, 4, 1, 1]);
    assert_eq!(beyond.decode(), Err(DecodeError::OptionLength(6)));
}

#[test]
fn an_end_mark_may_be_missing_and_padding_may_follow() {
    let reply = rich();
    let whole = reply.decode();
    assert_eq!(decode(&reply.without_end(), TRANSACTION, HARDWARE), whole);
    let padded = [&reply.bytes()[..], &[0; 100]].concat();
    assert_eq!(decode(&padded, TRANSACTION, HARDWARE), whole);
    // Whatever comes after the end is not looked at.
    let more = [&reply.bytes()[..], &[6, 255]].concat();
    assert_eq!(decode(&more, TRANSACTION, HARDWARE), whole);
}

#[test]
fn text_is_made_printable() {
    let text = |value: &[u8]| {
        Reply::acknowledgement()
            .option(56, value)
            .decode()
            .unwrap()
            .text
    };
    assert_eq!(text(b"wrong network\0\0"), Some("wrong network".to_owned()));
    assert_eq!(text(b"a\x1b[31mb\nc"), Some("a [31mb c".to_owned()));
    assert_eq!(text(&[0xff, b'x']), Some("\u{fffd}x".to_owned()));
}

#[test]
fn options_for_later() {
    let message = Reply::acknowledgement()
        .option(80, &[])
        .option(108, &300_u32.to_be_bytes())
        .decode()
        .unwrap();
    assert!(message.rapid_commit);
    assert_eq!(message.ipv6_only_wait, Some(300));
}
