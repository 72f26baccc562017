// SPDX-License-Identifier: Apache-2.0

//! What sound replies say.

use super::*;
use crate::v6::message::{Association, LentAddress, Status};

const OURS: LentAddress = LentAddress {
    address: ADDRESS,
    preferred_time: 100,
    valid_time: 200,
};

fn addresses(inner: &[u8]) -> Vec<LentAddress> {
    let message = read(7, &[association(IAID, inner)]).unwrap();
    message.association.unwrap().addresses
}

#[test]
fn everything() {
    let expected = ServerMessage {
        kind: ServerMessageKind::Reply,
        server: ServerDuid(SERVER.to_vec()),
        status: Status::Success,
        text: Some("all right ".to_owned()),
        preference: 255,
        rapid_commit: true,
        association: Some(Association {
            status: Status::Success,
            renewal_time: 50,
            rebinding_time: 80,
            addresses: vec![OURS],
        }),
        dns_servers: vec![DNS_SERVER],
        dns_search: vec!["example.com".to_owned(), "org".to_owned()],
        refresh_time: Some(7200),
        solicit_limit: Some(120),
        information_limit: Some(240),
    };
    assert_eq!(read(7, &rich()), Ok(expected));
}

#[test]
fn nothing_but_what_must_be_there() {
    let message = read(2, &[]).unwrap();
    assert_eq!(message.kind, ServerMessageKind::Advertise);
    assert_eq!(message.association, None);
    assert_eq!(message.usable(), None);
    assert_eq!(message.server.to_string(), "00:03:00:01:02:00:00:00:00:01");
}

#[test]
fn statuses() {
    let status = |number: u16| option(13, &number.to_be_bytes());
    for (number, expected) in [
        (0, Status::Success),
        (1, Status::Other(1)),
        (2, Status::NoAddresses),
        (3, Status::NoBinding),
        (4, Status::NotOnLink),
        (5, Status::Other(5)),
    ] {
        assert_eq!(read(7, &[status(number)]).unwrap().status, expected);
        let inner = [status(number), lent(ADDRESS, 1, 2)].concat();
        let message = read(7, &[association(IAID, &inner)]).unwrap();
        assert_eq!(message.association.as_ref().unwrap().status, expected);
        assert_eq!(message.usable().is_some(), number == 0);
        // Of one address.
        let value = [&ADDRESS.octets()[..], &[0; 8], &status(number)].concat();
        assert_eq!(
            addresses(&option(5, &value)).len(),
            usize::from(number == 0)
        );
    }
}

#[test]
fn addresses_that_no_host_can_have_are_left_out() {
    for address in ["::", "::1", "fe80::1", "ff02::1", "::ffff:192.0.2.1"] {
        let inner = [
            lent(address.parse().unwrap(), 1, 2),
            lent(ADDRESS, 100, 200),
        ]
        .concat();
        assert_eq!(addresses(&inner), [OURS], "{address}");
    }
}

#[test]
fn lifetimes() {
    assert_eq!(addresses(&lent(ADDRESS, 201, 200)), []);
    // To be told apart from an address that is not mentioned.
    assert_eq!(addresses(&lent(ADDRESS, 0, 0)).len(), 1);
    assert_eq!(addresses(&lent(ADDRESS, u32::MAX, u32::MAX)).len(), 1);
}

#[test]
fn no_more_than_sixteen_addresses_and_each_once() {
    let many: Vec<u8> = (1..100_u16)
        .flat_map(|last| lent(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last), 1, 2))
        .collect();
    assert_eq!(addresses(&many).len(), 16);
    let twice = [lent(ADDRESS, 100, 200), lent(ADDRESS, 1, 2)].concat();
    assert_eq!(addresses(&twice), [OURS]);
}

#[test]
fn the_association_of_another_link_is_passed_over() {
    let others = association([9; 4], &lent(ADDRESS, 1, 2));
    let message = read(7, std::slice::from_ref(&others)).unwrap();
    assert_eq!(message.association, None);
    let message = read(7, &[others, association(IAID, &lent(ADDRESS, 100, 200))]).unwrap();
    assert_eq!(message.association.unwrap().addresses, [OURS]);
}

#[test]
fn limits_have_limits() {
    for (seconds, expected) in [
        (0, None),
        (59, None),
        (60, Some(60)),
        (86_400, Some(86_400)),
        (86_401, None),
        (u32::MAX, None),
    ] {
        let value = seconds.to_be_bytes();
        let message = read(7, &[option(82, &value), option(83, &value)]).unwrap();
        assert_eq!(message.solicit_limit, expected, "{seconds}");
        assert_eq!(message.information_limit, expected, "{seconds}");
    }
}

#[test]
fn settings_that_make_no_sense_are_left_out() {
    for more in [
        option(7, &[1, 2]),
        option(14, &[1]),
        option(23, &[0; 15]),
        option(23, &[0; 16]),
        option(23, &[]),
        // Cut off, compressed, with a character that is none.
        option(24, b"\x07exam"),
        option(24, b"\x03com\0\xc0\x00"),
        option(24, b"\x03c;m\0"),
        option(32, &[1, 2, 3]),
        option(82, &[1, 2, 3, 4, 5]),
    ] {
        let message = read(7, std::slice::from_ref(&more)).unwrap();
        assert_eq!(message, read(7, &[]).unwrap(), "{more:?}");
    }
}

#[test]
fn the_second_of_an_option_that_must_be_single_is_ignored() {
    let [first, second] = [1_u8, 2].map(|preference| option(7, &[preference]));
    assert_eq!(read(2, &[first, second]).unwrap().preference, 1);
}
