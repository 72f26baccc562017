// SPDX-License-Identifier: Apache-2.0

//! Networks that have settings and no addresses.

use ClientMessageKind::{InformationRequest, Request, Solicit};

use super::*;

/// No addresses before `lends_at` seconds, and these settings.
fn settings_only(dns_servers: &[Ipv6Addr], lends_at: u64) -> Server {
    let dns_servers = dns_servers.to_vec();
    Box::new(move |at, message| match message.kind {
        Solicit if at < Duration::from_secs(lends_at) => vec![without_addresses()],
        InformationRequest => vec![ServerMessage {
            dns_servers: dns_servers.clone(),
            refresh_time: Some(900),
            ..bare(ServerMessageKind::Reply)
        }],
        _ => answer(message, 10_000),
    })
}

#[test]
fn settings_are_reported_and_addresses_looked_for_again() {
    let mut world = World::started(settings_only(&[DNS_SERVER], 1000));
    world.run_until(10);
    assert_eq!(world.story(), ["1 acquired 0"]);
    let (_, LeaseEvent::Acquired(lease)) = &world.reports[0] else {
        panic!()
    };
    assert_eq!(ipv6(lease).dns_servers, [DNS_SERVER]);
    assert_eq!(ipv6(lease).renewal_time, 900);
    assert_eq!(world.state(), StateName::Informed);
    // The search goes on as if nobody had answered.
    assert_eq!(world.times(Solicit), [0.0, 1.0, 3.0, 7.0]);

    // Still none, then an address; the settings stay in use meanwhile.
    world.run_until(2000);
    assert_eq!(
        world.story(),
        ["1 acquired 0", "901 renewed 0", "1023.1 changed 1"]
    );
}

#[test]
fn a_network_without_anything_reports_nothing() {
    let mut world = World::started(settings_only(&[], 1000));
    world.run_until(1000);
    assert!(world.story().is_empty());
    assert_eq!(world.times(InformationRequest), [1.0, 901.0]);
    world.run_until(3000);
    assert_eq!(world.story(), ["1023.1 acquired 1"]);
}

#[test]
fn an_address_that_comes_within_the_first_second_is_preferred() {
    let mut world = World::started(Box::new(|_, message| match message.kind {
        Solicit => vec![
            without_addresses(),
            lending(ServerMessageKind::Advertise, 100),
        ],
        _ => answer(message, 100),
    }));
    assert_eq!(world.story(), ["0 acquired 1"]);
    assert!(world.times(InformationRequest).is_empty());
    world.run_until(10);
    assert_eq!(world.times(Request), [0.0]);
}

#[test]
fn a_server_without_addresses_or_answers_does_not_end_the_search() {
    let mut world = World::started(Box::new(|at, message| match message.kind {
        Solicit if at < Duration::from_secs(100) => vec![without_addresses()],
        InformationRequest => Vec::new(),
        _ => answer(message, 1_000_000),
    }));
    world.run_until(1000);
    assert_eq!(world.times(InformationRequest)[..4], [1.0, 2.0, 4.0, 8.0]);
    let solicits = world.times(Solicit);
    assert_eq!(solicits[..2], [0.0, 16.0]);
    assert_eq!(world.story().len(), 1, "{:?}", world.story());
    assert_eq!(world.state(), StateName::Bound);
}

#[test]
fn dnsmasq_says_no_in_a_reply() {
    let mut world = World::started(Box::new(|_, message| match message.kind {
        Solicit => vec![ServerMessage {
            kind: ServerMessageKind::Reply,
            rapid_commit: true,
            ..without_addresses()
        }],
        _ => answer(message, 100),
    }));
    world.run_until(10);
    assert_eq!(world.story(), ["1 acquired 0"]);
}

#[test]
fn settings_that_go_are_lost() {
    let mut world = World::started(settings_only(&[DNS_SERVER], 10_000));
    world.run_until(10);
    world.server = settings_only(&[], 10_000);
    world.run_until(1000);
    assert_eq!(world.story(), ["1 acquired 0", "901 lost Refused"]);
}

#[test]
fn a_stop_or_a_flap_ends_settings_too() {
    let mut world = World::started(settings_only(&[DNS_SERVER], 10_000));
    world.run_until(10);
    world.event(Event::LinkDown);
    world.event(Event::LinkUp);
    world.run_until(20);
    world.event(Event::Stop { release: true });
    assert_eq!(
        world.story(),
        [
            "1 acquired 0",
            "10 lost LinkLost",
            "11 acquired 0",
            "20 lost Released"
        ]
    );
    assert!(world.times(ClientMessageKind::Release).is_empty());
}

/// A server that has addresses may be slower than one that has none.
#[test]
fn a_slow_server_with_addresses_is_waited_for() {
    let mut world = World::started(settings_only(&[DNS_SERVER], 2));
    world.run_until(10);
    assert_eq!(world.story(), ["1 acquired 0", "3 changed 1"]);
}

#[test]
fn a_server_that_falls_silent_leaves_its_settings() {
    let mut world = World::started(settings_only(&[DNS_SERVER], 10_000));
    world.run_until(10);
    world.server = silent();
    world.run_until(4000);
    assert_eq!(world.story(), ["1 acquired 0"]);
    assert_eq!(world.state(), StateName::Informed);
    // Asked at the refresh time, in vain, and again ten minutes later.
    let asked = world.times(InformationRequest);
    assert_eq!(asked[..6], [1.0, 901.0, 902.0, 904.0, 908.0, 1516.0]);
}
