// SPDX-License-Identifier: Apache-2.0

//! Renewal, rebinding, the end, and servers that take away.

use ClientMessageKind::{Rebind, Release, Renew, Request, Solicit};

use super::*;

/// Answers as `extension` says to Renew and Rebind.
fn extending(mut extension: impl FnMut(&ClientMessage) -> Vec<ServerMessage> + 'static) -> Server {
    Box::new(move |_, message| match message.kind {
        Renew | Rebind => extension(message),
        _ => answer(message, 100),
    })
}

#[test]
fn renewed_at_t1_for_ever() {
    let mut world = World::started(honest(100));
    world.run_until(120);
    assert_eq!(
        world.story(),
        ["0 acquired 1", "50 renewed 1", "100 renewed 1"]
    );
    let renew = world.last_sent();
    assert_eq!((renew.kind, &renew.server), (Renew, &Some(server())));
    assert_eq!(renew.addresses, [ADDRESS]);
}

#[test]
fn renewed_then_rebound_then_expired() {
    let mut world = World::started(extending(|_| Vec::new()));
    world.run_until(199);
    assert_eq!(world.times(Renew), [50.0, 60.0]);
    assert_eq!(world.times(Rebind), [80.0, 90.0, 110.0, 150.0]);
    assert_eq!(world.last_sent().server, None);
    assert!(world.machine.lease().is_some());
    world.run_until(200);
    // It goes on at once, with the same wish.
    assert_eq!(
        world.story(),
        ["0 acquired 1", "200 lost Expired", "200 acquired 1"]
    );
    let solicit = world
        .sent
        .iter()
        .rfind(|(_, message)| message.kind == Solicit);
    assert_eq!(solicit.unwrap().1.addresses, [ADDRESS]);
}

#[test]
fn renewals_slow_down_to_ten_minutes() {
    let mut world = World::started(Box::new(|_, message| match message.kind {
        Renew => Vec::new(),
        _ => answer(message, 100_000),
    }));
    world.run_until(60_000);
    let times = world.times(Renew);
    assert_eq!(times[..4], [50_000.0, 50_010.0, 50_030.0, 50_070.0]);
    assert_eq!(times[times.len() - 1] - times[times.len() - 2], 600.0);
}

#[test]
fn only_its_server_renews_and_any_server_rebinds() {
    let mut world = World::started(extending(|_| {
        vec![ServerMessage {
            server: other_server(),
            ..lending(ServerMessageKind::Reply, 100)
        }]
    }));
    world.run_until(79);
    assert_eq!(world.story().len(), 1);
    world.run_until(80);
    assert_eq!(world.story()[1], "80 changed 1");
}

#[test]
fn a_suspend_past_the_end_leaves_no_address() {
    let mut world = World::started(honest(100));
    world.now += Duration::from_secs(500);
    world.server = silent();
    world.event(Event::LinkUp);
    assert_eq!(world.story(), ["0 acquired 1", "500 lost Expired"]);
}

#[test]
fn a_server_that_has_forgotten_is_asked_for_the_same() {
    let mut world = World::started(extending(|_| vec![saying(Status::NoBinding)]));
    world.run_until(60);
    assert_eq!(world.story(), ["0 acquired 1", "50 renewed 1"]);
    let (at, request) = &world.sent[3];
    assert_eq!((request.kind, seconds(*at)), (Request, 50.0));
    assert_eq!(request.addresses, [ADDRESS]);
    assert_eq!(request.server, Some(server()));
}

#[test]
fn a_server_that_has_forgotten_and_does_not_lend_again() {
    let mut world = World::started(Box::new(|at, message| match message.kind {
        Renew | Rebind => vec![saying(Status::NoBinding)],
        Request if !at.is_zero() => vec![saying(Status::NoBinding)],
        Solicit if !at.is_zero() => Vec::new(),
        _ => answer(message, 100),
    }));
    world.run_until(60);
    assert_eq!(world.story(), ["0 acquired 1", "50 lost Refused"]);
    assert_eq!(world.state(), StateName::Soliciting);
}

#[test]
fn a_server_that_has_forgotten_and_falls_silent_keeps_the_lease_no_longer_than_its_time() {
    let mut world = World::started(Box::new(|at, message| match message.kind {
        Renew | Rebind => vec![saying(Status::NoBinding)],
        _ if !at.is_zero() => Vec::new(),
        _ => {
            let mut answers = answer(message, 100);
            for answer in &mut answers {
                let association = answer.association.as_mut().unwrap();
                association.addresses[0].valid_time = 120;
            }
            answers
        }
    }));
    world.run_until(119);
    assert_eq!(
        (world.state(), world.story().len()),
        (StateName::Requesting, 1)
    );
    world.run_until(120);
    assert_eq!(world.story()[1], "120 lost Expired");
}

#[test]
fn what_a_reply_takes_away_is_lost() {
    let gone = || {
        let mut reply = lending(ServerMessageKind::Reply, 100);
        let association = reply.association.as_mut().unwrap();
        (
            association.addresses[0].preferred_time,
            association.addresses[0].valid_time,
        ) = (0, 0);
        reply
    };
    let replies = [
        saying(Status::NotOnLink),
        ServerMessage {
            status: Status::NotOnLink,
            ..bare(ServerMessageKind::Reply)
        },
        gone(),
    ];
    for reply in replies {
        let text = format!("{reply:?}");
        let mut world = World::started(extending(move |_| vec![reply.clone()]));
        world.run_until(51);
        let story = world.story();
        assert_eq!(story[..2], ["0 acquired 1", "50 lost Refused"], "{text}");
        // The first refusal is followed by a new search at once, without the old wish.
        assert_eq!(story[2], "50 acquired 1", "{text}");
        let solicit = world
            .sent
            .iter()
            .rfind(|(_, message)| message.kind == Solicit);
        assert!(solicit.unwrap().1.addresses.is_empty(), "{text}");
    }
}

#[test]
fn what_a_reply_does_not_say_changes_nothing() {
    let replies = [
        bare(ServerMessageKind::Reply),
        lending(ServerMessageKind::Advertise, 100),
        saying(Status::Other(1)),
        saying(Status::NoAddresses),
        saying(Status::Success),
        ServerMessage {
            status: Status::Other(5),
            ..bare(ServerMessageKind::Reply)
        },
    ];
    for reply in replies {
        let text = format!("{reply:?}");
        let mut world = World::started(extending(move |_| vec![reply.clone()]));
        world.run_until(79);
        assert_eq!(world.story().len(), 1, "{text}");
        assert_eq!(world.times(Renew), [50.0, 60.0], "{text}");
    }
}

#[test]
fn a_change_is_told_from_a_renewal() {
    let mut world = World::started(extending(|_| {
        vec![ServerMessage {
            dns_servers: vec![DNS_SERVER],
            ..lending(ServerMessageKind::Reply, 100)
        }]
    }));
    world.run_until(100);
    assert_eq!(world.story()[1..], ["50 changed 1", "100 renewed 1"]);
}

#[test]
fn a_lease_for_ever_is_left_alone() {
    let mut world = World::started(honest(u32::MAX));
    world.run_until(1_000_000_000);
    assert_eq!(world.sent.len(), 2);
    let lease = world.machine.lease().unwrap().lease_at(world.now);
    assert_eq!(lease.addresses[0].valid_time, u32::MAX);
}

#[test]
fn released_once_and_only_when_told_to() {
    let mut world = World::started(honest(100));
    world.event(Event::Stop { release: true });
    assert_eq!(world.story(), ["0 acquired 1", "0 lost Released"]);
    let release = world.last_sent();
    assert_eq!((release.kind, &release.server), (Release, &Some(server())));
    assert_eq!(release.addresses, [ADDRESS]);
    let sent = world.sent.len();
    world.run_until(1000);
    assert_eq!(
        (world.sent.len(), world.state()),
        (sent, StateName::Stopped)
    );

    let mut world = World::started(honest(100));
    world.event(Event::Stop { release: false });
    assert_eq!((world.sent.len(), world.story().len()), (2, 1));
    let mut world = World::started(silent());
    world.event(Event::Stop { release: true });
    assert_eq!((world.sent.len(), world.story().len()), (1, 0));
}

/// What a Reply does not name stays as it is (RFC 8415 §18.2.10.1).
#[test]
fn one_address_of_two_is_taken_away() {
    fn two(valid_times: [u32; 2]) -> ServerMessage {
        let mut reply = lending(ServerMessageKind::Reply, 100);
        let addresses = &mut reply.association.as_mut().unwrap().addresses;
        addresses.push(LentAddress {
            address: DNS_SERVER,
            ..addresses[0]
        });
        for (lent, valid_time) in addresses.iter_mut().zip(valid_times) {
            lent.valid_time = valid_time;
            lent.preferred_time = lent.preferred_time.min(valid_time);
        }
        reply
    }
    let mut first_goes = two([0, 200]);
    let association = first_goes.association.as_mut().unwrap();
    association.addresses.pop();
    let mut world = World::started(Box::new(move |_, message| match message.kind {
        Request => vec![two([200, 200])],
        Renew => vec![first_goes.clone()],
        _ => answer(message, 100),
    }));
    world.run_until(60);
    assert_eq!(world.story(), ["0 acquired 2", "50 changed 1"]);
    let held = &world.machine.lease().unwrap().addresses;
    assert_eq!(held[0].address, DNS_SERVER);
}
