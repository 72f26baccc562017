// SPDX-License-Identifier: Apache-2.0

//! Links that come and go.

use ClientMessageKind::{Rebind, Solicit};

use super::*;

fn flap(world: &mut World, seconds: u64) {
    world.event(Event::LinkDown);
    assert_eq!(world.state(), StateName::Unlinked);
    world.now += Duration::from_secs(seconds);
    world.event(Event::LinkUp);
}

#[test]
fn a_lease_is_kept_over_a_flap() {
    let mut world = World::started(honest(100));
    flap(&mut world, 10);
    assert_eq!(
        world.story(),
        ["0 acquired 1", "0 lost LinkLost", "10 acquired 1"]
    );
    let rebind = world.last_sent();
    assert_eq!((rebind.kind, &rebind.server), (Rebind, &None));
    assert_eq!(rebind.addresses, [ADDRESS]);
}

#[test]
fn a_network_that_says_nothing_of_it_is_searched_after_three_seconds() {
    let mut world = World::started(honest(100));
    world.server = Box::new(|_, message| match message.kind {
        Rebind => Vec::new(),
        _ => answer(message, 100),
    });
    flap(&mut world, 10);
    assert_eq!(world.state(), StateName::Rebooting);
    assert!(
        world.machine.lease().is_none(),
        "not in use before it is confirmed"
    );
    world.run_until(20);
    assert_eq!(world.times(Rebind), [10.0, 11.0]);
    assert_eq!(world.times(Solicit), [0.0, 13.0]);
    assert_eq!(world.story()[2], "13 acquired 1");
}

#[test]
fn a_network_that_refuses_is_searched_at_once() {
    // The loss of the link leaves the address where it is.
    let refused: &[&str] = &["10 lost Refused", "10 acquired 1"];
    let forgotten: &[&str] = &["10 acquired 1"];
    for (status, expected) in [(Status::NotOnLink, refused), (Status::NoBinding, forgotten)] {
        let mut world = World::started(honest(100));
        world.server = Box::new(move |_, message| match message.kind {
            Rebind => vec![saying(status)],
            _ => answer(message, 100),
        });
        flap(&mut world, 10);
        assert_eq!(world.story()[1], "0 lost LinkLost");
        assert_eq!(world.story()[2..], *expected);
    }
}

#[test]
fn a_lease_that_ended_meanwhile_is_no_more_than_a_wish() {
    let mut world = World::started(honest(100));
    flap(&mut world, 200);
    assert!(world.times(Rebind).is_empty());
    let solicit = world
        .sent
        .iter()
        .rfind(|(_, message)| message.kind == Solicit);
    assert_eq!(solicit.unwrap().1.addresses, [ADDRESS]);
}

#[test]
fn nothing_is_said_without_a_link() {
    let mut world = World::new(None, honest(100));
    world.event(Event::LinkDown);
    world.event(Event::Start);
    world.run_until(1000);
    assert_eq!((world.sent.len(), world.state()), (0, StateName::Unlinked));
    world.event(Event::LinkUp);
    assert_eq!(world.state(), StateName::Bound);
    // What comes late changes nothing.
    world.event(Event::LinkUp);
    world.event(Event::Start);
    world.event(Event::Packet(saying(Status::NoBinding)));
    assert_eq!(world.story(), ["1000 acquired 1"]);
}

#[test]
fn a_lease_is_kept_over_two_flaps() {
    let mut world = World::started(honest(1000));
    world.server = silent();
    flap(&mut world, 10);
    world.event(Event::LinkDown);
    world.server = honest(1000);
    world.event(Event::LinkUp);
    assert_eq!(world.story()[1..], ["0 lost LinkLost", "10 acquired 1"]);
    assert_eq!(world.last_sent().kind, Rebind);
}
