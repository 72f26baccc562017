// SPDX-License-Identifier: Apache-2.0

//! Another host has a leased address.

use ClientMessageKind::{Decline, Renew, Request, Solicit};

use super::*;

const SECOND: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x78);

fn conflict(world: &mut World, address: Ipv6Addr) {
    world.event(Event::Conflict(address.into()));
}

/// Lends two addresses.
fn lending_two() -> Server {
    Box::new(|_, message| {
        let mut answers = answer(message, 100);
        for association in answers.iter_mut().filter_map(|it| it.association.as_mut()) {
            association.addresses.push(LentAddress {
                address: SECOND,
                ..association.addresses[0]
            });
        }
        answers
    })
}

#[test]
fn the_server_is_told_and_the_search_begins_after_ten_seconds() {
    let mut world = World::started(honest(100));
    world.run_until(20);
    conflict(&mut world, ADDRESS);
    assert_eq!(world.story(), ["0 acquired 1", "20 lost Conflict"]);
    let decline = world.last_sent();
    assert_eq!((decline.kind, &decline.server), (Decline, &Some(server())));
    assert_eq!(decline.addresses, [ADDRESS]);
    // Its Reply ends the exchange.
    assert_eq!(world.state(), StateName::Soliciting);
    world.run_until(29);
    assert_eq!(world.times(Solicit), [0.0]);
    world.run_until(60);
    assert_eq!(world.times(Decline), [20.0]);
    // The middle of the jitter that this machine has is none.
    assert_eq!(world.times(Solicit), [0.0, 30.0]);
    let is_solicit = |(_, message): &&(Duration, ClientMessage)| message.kind == Solicit;
    let solicit = world.sent.iter().rfind(is_solicit).unwrap();
    assert_eq!(solicit.1.addresses, [] as [Ipv6Addr; 0], "not wished for");
    assert_eq!(world.story()[2], "30 acquired 1");
}

/// The first address is always another host's: each round takes longer, until a lease is extended.
#[test]
fn a_server_that_lends_it_again_and_again_is_asked_ever_more_slowly() {
    let mut world = World::started(honest(100));
    let mut conflict_and_wait = |wait: u64| {
        conflict(&mut world, ADDRESS);
        let searched = world.times(Solicit).len();
        let now = world.since_start().as_secs();
        world.run_until(now + wait - 1);
        assert_eq!(world.times(Solicit).len(), searched, "{wait}");
        world.run_until(now + wait);
        assert_eq!(world.times(Solicit).len(), searched + 1, "{wait}");
        assert_eq!(world.state(), StateName::Bound);
        now + wait
    };
    for wait in [10, 20, 40, 80, 160, 300] {
        conflict_and_wait(wait);
    }
    let bound_at = conflict_and_wait(300);
    world.run_until(bound_at + 60);
    assert_eq!(world.times(Renew).len(), 1, "extended");
    conflict(&mut world, ADDRESS);
    let now = world.since_start().as_secs();
    let searched = world.times(Solicit).len();
    world.run_until(now + 10);
    assert_eq!(world.times(Solicit).len(), searched + 1);
}

#[test]
fn a_silent_server_is_told_four_times() {
    let mut world = World::started(honest(100));
    world.server = silent();
    conflict(&mut world, ADDRESS);
    assert_eq!(world.state(), StateName::Declining);
    let ours = world.last_sent().clone();
    // Another server's answer is none to this.
    world.event(Event::Packet(ServerMessage {
        server: other_server(),
        ..bare(ServerMessageKind::Reply)
    }));
    assert_eq!(world.state(), StateName::Declining);
    world.run_until(16);
    assert_eq!(world.times(Decline), [0.0, 1.0, 3.0, 7.0]);
    assert_eq!(world.last_sent().kind, Solicit);
    // More than ten seconds have passed.
    assert_eq!(world.times(Solicit), [0.0, 15.0]);
    let mut declines = world.sent.iter().filter(|(_, it)| it.kind == Decline);
    assert!(declines.all(|(_, it)| it.transaction == ours.transaction));
}

/// "The client considers the Decline event completed, regardless of the Status Code" (RFC 8415 §18.2.10.3).
#[test]
fn an_answer_that_says_no_is_an_answer() {
    for status in [Status::NoBinding, Status::Other(1)] {
        let mut world = World::started(honest(100));
        world.server = Box::new(move |_, _| vec![saying(status)]);
        conflict(&mut world, ADDRESS);
        assert_eq!(world.state(), StateName::Soliciting);
        assert_eq!(world.story(), ["0 acquired 1", "0 lost Conflict"]);
    }
}

#[test]
fn what_is_not_leased_is_nobodys_business() {
    let mut world = World::started(honest(100));
    conflict(&mut world, SECOND);
    world.event(Event::Conflict("192.0.2.77".parse().unwrap()));
    assert_eq!((world.state(), world.sent.len()), (StateName::Bound, 2));
    let mut world = World::started(silent());
    conflict(&mut world, ADDRESS);
    assert_eq!(
        (world.state(), world.sent.len()),
        (StateName::Soliciting, 1)
    );
}

#[test]
fn the_other_address_stays() {
    let mut world = World::started(lending_two());
    conflict(&mut world, ADDRESS);
    assert_eq!(world.story(), ["0 acquired 2", "0 changed 1"]);
    assert_eq!(world.state(), StateName::Bound);
    assert_eq!(world.times(Solicit), [0.0]);
    world.server = honest(100);
    world.run_until(50);
    let is_renew = |(_, message): &&(Duration, ClientMessage)| message.kind == Renew;
    let renew = world.sent.iter().find(is_renew).unwrap();
    assert_eq!(renew.1.addresses, [SECOND]);
}

#[test]
fn both_addresses_are_others() {
    let mut world = World::started(lending_two());
    world.server = silent();
    conflict(&mut world, ADDRESS);
    world.run_until(2);
    conflict(&mut world, SECOND);
    let story = ["0 acquired 2", "0 changed 1", "2 lost Conflict"];
    assert_eq!(world.story(), story);
    assert_eq!(world.last_sent().addresses, [ADDRESS, SECOND]);
    // What is told twice is said once.
    let sent = world.sent.len();
    conflict(&mut world, SECOND);
    assert_eq!(world.sent.len(), sent);
    world.server = honest(100);
    world.run_until(30);
    assert_eq!(world.times(Decline), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(world.times(Solicit), [0.0, 12.0]);
}

/// The other address ends while the server is being told: no later than it may.
#[test]
fn the_other_address_ends_meanwhile() {
    let mut world = World::started(Box::new(|_, message| {
        let mut answers = answer(message, 100);
        for association in answers.iter_mut().filter_map(|it| it.association.as_mut()) {
            association.addresses.push(LentAddress {
                address: SECOND,
                preferred_time: 5,
                valid_time: 5,
            });
        }
        answers
    }));
    world.server = silent();
    conflict(&mut world, ADDRESS);
    assert_eq!(world.state(), StateName::Declining);
    world.run_until(6);
    let story = ["0 acquired 2", "0 changed 1", "5 lost Expired"];
    assert_eq!(world.story(), story);
    world.run_until(16);
    assert_eq!(world.times(Decline), [0.0, 1.0, 3.0, 7.0]);
    assert_eq!(world.times(Solicit), [0.0, 15.0]);
}

#[test]
fn in_the_middle_of_other_exchanges() {
    // Renewing, rebinding, and asking a server that has forgotten.
    for (at, status) in [(55, None), (85, None), (50, Some(Status::NoBinding))] {
        let mut world = World::started(honest(100));
        world.server = Box::new(move |_, message| match (message.kind, status) {
            (Renew, Some(status)) => vec![saying(status)],
            (Request, _) | (Renew, _) => Vec::new(),
            (Decline, _) => answer(message, 100),
            _ => Vec::new(),
        });
        world.run_until(at);
        conflict(&mut world, ADDRESS);
        assert_eq!(world.last_sent().kind, Decline);
        assert_eq!(world.story()[1], format!("{at} lost Conflict"));
        assert_eq!(world.state(), StateName::Soliciting);
    }
}

#[test]
fn a_link_that_goes_or_a_stop_ends_it() {
    for event in [Event::LinkDown, Event::Stop { release: true }] {
        let mut world = World::started(honest(100));
        world.server = silent();
        conflict(&mut world, ADDRESS);
        let sent = world.sent.len();
        world.event(event);
        world.run_until(100);
        assert_eq!(world.sent.len(), sent);
        assert_eq!(world.story(), ["0 acquired 1", "0 lost Conflict"]);
        world.event(Event::LinkUp);
        world.event(Event::Start);
        assert_eq!(world.last_sent().kind, Solicit);
        assert_eq!(world.last_sent().addresses, [] as [Ipv6Addr; 0]);
    }
}
