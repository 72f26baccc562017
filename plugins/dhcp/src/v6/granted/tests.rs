// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::machine::Granted as _;
use crate::v6::message::{LentAddress, ServerMessageKind, Status};

const START: Duration = Duration::from_secs(1000);

fn address(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}

fn lent(last: u16, preferred_time: u32, valid_time: u32) -> LentAddress {
    LentAddress {
        address: address(last),
        preferred_time,
        valid_time,
    }
}

fn message(times: (u32, u32), addresses: &[LentAddress]) -> ServerMessage {
    ServerMessage {
        kind: ServerMessageKind::Reply,
        server: ServerDuid(vec![0, 1, 2]),
        status: Status::Success,
        text: None,
        preference: 0,
        rapid_commit: false,
        association: Some(Association {
            status: Status::Success,
            renewal_time: times.0,
            rebinding_time: times.1,
            addresses: addresses.to_vec(),
        }),
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
        refresh_time: None,
        solicit_limit: None,
        information_limit: None,
    }
}

fn granted(times: (u32, u32), addresses: &[LentAddress]) -> Granted {
    Granted::from_message("eth0", &message(times, addresses), START, None).unwrap()
}

#[test]
fn times_of_renewal() {
    let one = [lent(1, 100, 200)];
    let two = [lent(1, 100, 200), lent(2, 50, 80)];
    let for_ever = [lent(1, FOR_EVER, FOR_EVER)];
    let deprecated = [lent(1, 0, 100)];
    for (sent, addresses, expected) in [
        ((10, 20), &one[..], (10, 20)),
        ((20, 20), &one, (20, 20)),
        ((0, 0), &one, (50, 80)),
        ((0, 90), &one, (50, 90)),
        ((10, 0), &one, (10, 80)),
        // Out of order, by themselves or with the other's default.
        ((21, 20), &one, (50, 80)),
        ((0, 49), &one, (50, 80)),
        ((81, 0), &one, (50, 80)),
        // Beyond the end of the first address that ends.
        ((10, 201), &one, (10, 80)),
        ((201, 202), &one, (50, 80)),
        ((FOR_EVER, FOR_EVER), &one, (50, 80)),
        ((10, 81), &two, (10, 40)),
        ((0, 0), &two, (25, 40)),
        ((0, 0), &for_ever, (FOR_EVER, FOR_EVER)),
        ((10, FOR_EVER), &for_ever, (10, FOR_EVER)),
        ((0, 0), &deprecated, (50, 80)),
        ((0, 0), &[lent(1, 1, 1)], (1, 1)),
    ] {
        let granted = granted(sent, addresses);
        let times = (granted.renewal_time, granted.rebinding_time);
        assert_eq!(times, expected, "{sent:?} {addresses:?}");
    }
}

#[test]
fn times_on_the_clients_clock() {
    let granted = granted(
        (10, 20),
        &[lent(1, 30, 40), lent(2, 50, FOR_EVER), lent(3, 0, 5)],
    );
    let at = |seconds| Some(START + Duration::from_secs(seconds));
    assert_eq!((granted.renew_at, granted.rebind_at), (at(5 / 2), at(4)));
    assert_eq!(granted.expires_at, None);
    let lease = granted.lease_at(START + Duration::from_secs(35));
    let times: Vec<_> = lease
        .addresses
        .iter()
        .map(|lent| (lent.address, lent.preferred_time, lent.valid_time))
        .collect();
    // The third has ended.
    assert_eq!(times, [(address(1), 0, 5), (address(2), 15, FOR_EVER)]);
    assert_eq!(lease.server, "00:01:02");
}

#[test]
fn the_lease_ends_with_the_last_of_its_addresses() {
    let granted = granted((0, 0), &[lent(1, 30, 40), lent(2, 50, 60)]);
    for (seconds, expired) in [(0, false), (59, false), (60, true)] {
        assert_eq!(
            granted.is_expired(START + Duration::from_secs(seconds)),
            expired
        );
    }
}

#[test]
fn an_extension_takes_and_leaves_addresses() {
    let before = granted(
        (0, 0),
        &[lent(1, 30, 40), lent(2, 50, 60), lent(3, 50, 600)],
    );
    let later = START + Duration::from_secs(50);
    // 1 has ended, 2 is taken away, 3 is not mentioned, 4 is new.
    let message = message((0, 0), &[lent(2, 0, 0), lent(4, 100, 200)]);
    let after = Granted::from_message("eth0", &message, later, Some(&before)).unwrap();
    assert_eq!(after.addresses_at(later), [address(4), address(3)]);
    assert_eq!(after.addresses[1], before.addresses[2]);
    assert!(!after.lends_the_same(&before));
}

#[test]
fn nothing_is_granted() {
    for addresses in [&[][..], &[lent(1, 0, 0)]] {
        let message = message((0, 0), addresses);
        assert_eq!(Granted::from_message("eth0", &message, START, None), None);
    }
    let mut refused = message((0, 0), &[lent(1, 10, 20)]);
    refused.status = Status::NoAddresses;
    assert_eq!(Granted::from_message("eth0", &refused, START, None), None);
}

#[test]
fn settings_are_asked_for_again_between_ten_minutes_and_an_hour() {
    for (sent, expected) in [
        (None, 3600),
        (Some(0), 600),
        (Some(599), 600),
        (Some(1000), 1000),
        (Some(FOR_EVER), 3600),
    ] {
        let mut message = message((0, 0), &[]);
        message.refresh_time = sent;
        let granted = Granted::settings("eth0", &message, START);
        assert_eq!(granted.renewal_time, expected, "{sent:?}");
        assert!(granted.is_empty() && granted.expires_at.is_none());
    }
}

#[test]
fn what_counts_as_a_change() {
    let lease = granted((0, 0), &[lent(1, 30, 40), lent(2, 30, 40)]);
    let with = |alter: &dyn Fn(&mut Granted)| {
        let mut other = lease.clone();
        alter(&mut other);
        !lease.lends_the_same(&other)
    };
    assert!(!with(&|other| other.expires_at = None));
    assert!(!with(&|other| other.addresses.reverse()));
    assert!(with(&|other| other.addresses.truncate(1)));
    assert!(with(&|other| other.server = ServerDuid(vec![9; 3])));
    assert!(with(&|other| other.dns_servers.push(address(53))));
    assert!(with(&|other| other.dns_search.push("org".to_owned())));
}
