// SPDX-License-Identifier: Apache-2.0

//! Advertisements as bytes: good ones, hostile ones, any.

use proptest::prelude::*;

use super::*;
use crate::ra::message::FOR_EVER;

const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53);

/// An advertisement of a router for half an hour, with these flags and options.
fn packet(flags: u8, options: &[Vec<u8>]) -> Vec<u8> {
    let header = [134, 0, 0xab, 0xcd, 64, flags, 0x07, 0x08];
    [&header[..], &[0; 8], &options.concat()].concat()
}

/// An option of whole units.
fn option(kind: u8, body: &[u8]) -> Vec<u8> {
    assert_eq!((body.len() + 2) % UNIT, 0, "{body:?}");
    [&[kind, ((body.len() + 2) / UNIT) as u8], body].concat()
}

fn route_option(prefix_length: u8, flags: u8, lifetime: u32, prefix: &[u8]) -> Vec<u8> {
    let fields = [&[prefix_length, flags], &lifetime.to_be_bytes()[..]].concat();
    option(24, &[&fields, prefix].concat())
}

fn dns_option(lifetime: u32, servers: &[Ipv6Addr]) -> Vec<u8> {
    let servers = servers.iter().flat_map(Ipv6Addr::octets);
    let fields = [&[0, 0], &lifetime.to_be_bytes()[..]].concat();
    option(25, &fields.into_iter().chain(servers).collect::<Vec<u8>>())
}

fn search_option(lifetime: u32, names: &[u8]) -> Vec<u8> {
    let mut body = [&[0, 0], &lifetime.to_be_bytes()[..], names].concat();
    while (body.len() + 2) % UNIT != 0 {
        body.push(0);
    }
    option(31, &body)
}

fn read(options: &[Vec<u8>]) -> Advertisement {
    decode(&packet(0, options), ROUTER).unwrap()
}

fn rich() -> Vec<u8> {
    packet(
        0x08,
        &[
            option(1, &[2, 0, 0, 0, 0, 7]),
            route_option(48, 0x18, 600, &[0x20, 1, 0xd, 0xb8, 0, 7, 0xff, 0xff]),
            dns_option(FOR_EVER, &[SERVER]),
            search_option(60, b"\x01a\x03org\0\x03Lan\0"),
            option(200, &[0; 6]),
        ],
    )
}

#[test]
fn all_that_is_said() {
    let advertisement = decode(&rich(), ROUTER).unwrap();
    let lasting = |what: &str| Lasting {
        what: what.to_string(),
        lifetime: 60,
    };
    let expected = Advertisement {
        router: ROUTER,
        lifetime: 1800,
        preference: Preference::High,
        routes: vec![Lasting {
            what: Destination {
                // Bits beyond the prefix mean nothing.
                address: Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 0),
                prefix_length: 48,
                preference: Preference::Low,
            },
            lifetime: 600,
        }],
        dns_servers: vec![Lasting {
            what: SERVER,
            lifetime: FOR_EVER,
        }],
        dns_search: vec![lasting("a.org"), lasting("lan")],
    };
    assert_eq!(advertisement, expected);
}

#[test]
fn preferences() {
    for (flags, expected) in [
        (0x00, Preference::Medium),
        (0x08, Preference::High),
        (0x10, Preference::Medium),
        (0x18, Preference::Low),
        (0xe7, Preference::Medium),
    ] {
        let advertisement = decode(&packet(flags, &[]), ROUTER).unwrap();
        assert_eq!(advertisement.preference, expected, "{flags:#x}");
    }
    // In the option, the reserved value is as good as no option (RFC 4191 §2.3).
    assert_eq!(read(&[route_option(0, 0x10, 600, &[])]).routes, []);
}

#[test]
fn what_is_dropped_whole() {
    let good = rich();
    let with = |alter: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        alter(&mut bytes);
        decode(&bytes, ROUTER)
    };
    assert!(with(&|_| ()).is_ok());
    for (at, value, expected) in [
        (0, 133, DecodeError::OtherMessage(133, 0)),
        (1, 1, DecodeError::OtherMessage(134, 1)),
        (17, 0, DecodeError::OptionLength(1)),
        (17, 255, DecodeError::OptionLength(1)),
    ] {
        assert_eq!(with(&|bytes| bytes[at] = value), Err(expected));
    }
    // The last option, whatever was good before it.
    let last = good.len() - 7;
    for units in [0, 2] {
        let damaged = with(&|bytes| bytes[last] = units);
        assert_eq!(damaged, Err(DecodeError::OptionLength(200)));
    }
    for length in 0..16 {
        let cut = with(&|bytes| bytes.truncate(length));
        assert_eq!(cut, Err(DecodeError::TooShort(length)));
    }
    for sender in ["2001:db8::1", "::", "ff02::1"] {
        let sender: Ipv6Addr = sender.parse().unwrap();
        assert_eq!(decode(&good, sender), Err(DecodeError::Sender(sender)));
    }
}

#[test]
fn routes_that_make_no_sense() {
    let global = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0];
    let long = [&global[..], &[0; 8]].concat();
    for (prefix_length, prefix, is_good) in [
        (0, &[][..], true),
        (0, &global, true),
        (64, &global, true),
        (64, &long, true),
        (128, &long, true),
        (1, &[], false),
        (65, &global, false),
        (129, &long, false),
        (64, &[&long[..], &[0; 8]].concat(), false),
        (10, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0], false),
        (8, &[0xff, 0, 0, 0, 0, 0, 0, 0], false),
    ] {
        let routes = read(&[route_option(prefix_length, 0, 600, prefix)]).routes;
        assert_eq!(
            routes.len(),
            usize::from(is_good),
            "{prefix_length} {prefix:?}"
        );
    }
}

#[test]
fn servers_and_domains_that_make_no_sense() {
    let unusable = ["::", "::1", "ff02::1"].map(|server| server.parse().unwrap());
    assert_eq!(read(&[dns_option(60, &unusable)]).dns_servers, []);
    assert_eq!(read(&[dns_option(60, &[])]).dns_servers, []);
    // Half an address.
    assert_eq!(read(&[option(25, &[0; 14])]).dns_servers, []);
    for names in [
        // Beyond the option, compressed, and nothing at all.
        &b"\x3fa"[..],
        b"\x01a\xc0\x00",
        b"\xff",
        b"",
    ] {
        assert_eq!(
            read(&[search_option(60, names)]).dns_search,
            [],
            "{names:?}"
        );
    }
    // What no domain can be called is left out, for it ends in files.
    let domains = read(&[search_option(60, b"\x03a\nb\0\x01c\0")]).dns_search;
    assert_eq!(domains.len(), 1, "{domains:?}");
}

#[test]
fn what_is_asked() {
    assert_eq!(solicitation(None), [133, 0, 0, 0, 0, 0, 0, 0]);
    let own = LinkAddress([2, 0, 0, 0, 0, 7]);
    let expected = [133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 7];
    assert_eq!(solicitation(Some(own)), expected);
}

fn is_sound(advertisement: &Advertisement) -> bool {
    let routes = advertisement.routes.iter();
    let mut routes = routes.map(|route| (route.what.prefix_length, route.what.address));
    let mut domains = advertisement.dns_search.iter();
    routes.all(|(length, address)| length <= 128 && !address.is_multicast())
        && domains.all(|domain| crate::names::domain(&domain.what).as_ref() == Some(&domain.what))
}

proptest! {
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode(&bytes, ROUTER);
    }

    #[test]
    fn random_options(kind in prop::sample::select(vec![24, 25, 31]), units in 1..6_usize, fill in prop::collection::vec(any::<u8>(), 46)) {
        let advertisement = read(&[option(kind, &fill[..units * UNIT - 2])]);
        prop_assert!(is_sound(&advertisement), "{advertisement:?}");
    }

    #[test]
    fn mutated_packets(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in 0..200_usize) {
        let mut bytes = rich();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut);
        if let Ok(advertisement) = decode(&bytes, ROUTER) {
            prop_assert!(is_sound(&advertisement), "{advertisement:?}");
        }
    }
}
