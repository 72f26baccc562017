// SPDX-License-Identifier: Apache-2.0

//! From nothing to a lease.

use ClientMessageKind::{Request, Solicit};

use super::*;

#[test]
fn four_messages_to_a_lease() {
    let world = World::started(honest(100));
    let kinds: Vec<_> = world.sent.iter().map(|(_, message)| message.kind).collect();
    assert_eq!(kinds, [Solicit, Request]);
    let (solicit, request) = (&world.sent[0].1, &world.sent[1].1);
    assert_eq!((&solicit.server, &solicit.addresses[..]), (&None, &[][..]));
    assert_eq!(request.server, Some(server()));
    assert_eq!(request.addresses, [ADDRESS]);
    assert!(solicit.transaction < 1 << 24);
    assert_eq!(world.state(), StateName::Bound);
    assert_eq!(world.story(), ["0 acquired 1"]);
    assert_eq!(world.machine.transaction(), None);
}

#[test]
fn an_address_of_before_is_wished_for() {
    let mut world = World::new(Some(ADDRESS), silent());
    world.event(Event::Start);
    assert_eq!(world.last_sent().addresses, [ADDRESS]);
}

#[test]
fn two_messages_where_the_server_commits_at_once() {
    let commits = |rapid_commit| -> Server {
        Box::new(move |_, message| match message.kind {
            Solicit => vec![ServerMessage {
                rapid_commit,
                ..lending(ServerMessageKind::Reply, 100)
            }],
            _ => Vec::new(),
        })
    };
    let world = World::started(commits(true));
    assert_eq!(world.story(), ["0 acquired 1"]);
    assert_eq!(world.sent.len(), 1);
    // Without the option it is no answer to a Solicit.
    let world = World::started(commits(false));
    assert_eq!(
        (world.story().len(), world.state()),
        (0, StateName::Soliciting)
    );
}

#[test]
fn solicits_are_repeated_ever_more_slowly() {
    let mut world = World::started(silent());
    world.run_until(40_000);
    let times = world.times(Solicit);
    assert_eq!(times[..6], [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]);
    let last: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((last.last().unwrap() - 3600.0).abs() < 1.0, "{last:?}");
    // All in one exchange, which says how long it has lasted.
    let transactions: Vec<_> = world
        .sent
        .iter()
        .map(|(_, message)| message.transaction)
        .collect();
    assert!(transactions.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(world.sent[1].1.elapsed, 100);
    assert_eq!(world.last_sent().elapsed, u16::MAX);
}

#[test]
fn the_first_wait_of_a_solicit_is_never_shorter_than_a_second() {
    struct Always(u32);
    impl Random for Always {
        fn number(&mut self) -> u32 {
            self.0
        }
    }
    for number in [0, 999, 1000, 2000, u32::MAX] {
        let mut machine = Machine::new("eth0", None, Box::new(Always(number)));
        let start = Duration::from_secs(10);
        let actions = machine.handle(start, Event::Start);
        let Some(Action::SetTimer(Some(at))) = actions
            .iter()
            .find(|action| matches!(action, Action::SetTimer(_)))
        else {
            panic!("{actions:?}")
        };
        let wait = (*at - start).as_secs_f64();
        assert!(wait > 1.0 && wait <= 1.1, "{number}: {wait}");
    }
}

#[test]
fn a_server_may_limit_how_often_it_is_asked() {
    let mut world = World::started(Box::new(|_, message| match message.kind {
        Solicit => vec![ServerMessage {
            solicit_limit: Some(60),
            ..without_addresses()
        }],
        _ => Vec::new(),
    }));
    world.run_until(4000);
    let times = world.times(Solicit);
    let waits: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.iter().all(|wait| *wait < 80.0), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait > 59.0), "{waits:?}");
}

#[test]
fn ten_requests_and_the_search_begins_anew() {
    let mut world = World::started(Box::new(|at, message| match message.kind {
        Solicit if at.is_zero() => answer(message, 100),
        _ => Vec::new(),
    }));
    world.run_until(200);
    let times = world.times(Request);
    assert_eq!(
        times,
        [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 61.0, 91.0, 121.0, 151.0]
    );
    assert_eq!(world.times(Solicit)[..2], [0.0, 181.0]);
    assert!(world.story().is_empty());
}

#[test]
fn only_the_chosen_server_is_believed_while_requesting() {
    let mut world = World::started(Box::new(|_, message| match message.kind {
        Solicit => answer(message, 100),
        _ => Vec::new(),
    }));
    world.event(Event::Packet(ServerMessage {
        server: other_server(),
        ..lending(ServerMessageKind::Reply, 100)
    }));
    assert_eq!(world.state(), StateName::Requesting);
    world.event(Event::Packet(lending(ServerMessageKind::Reply, 100)));
    assert_eq!(world.state(), StateName::Bound);
}

#[test]
fn refusals_are_answered_ever_more_slowly() {
    for status in [Status::NotOnLink, Status::NoAddresses, Status::NoBinding] {
        let mut world = World::started(Box::new(move |_, message| match message.kind {
            Request => vec![saying(status)],
            _ => answer(message, 100),
        }));
        world.run_until(3000);
        let times = world.times(Request);
        assert_eq!(times[..2], [0.0, 0.0], "the first is an ordinary answer");
        assert!((5..25).contains(&times.len()), "{times:?}");
        assert!(world.story().is_empty());
    }
}

#[test]
fn a_server_that_fails_is_asked_again() {
    let mut world = World::started(Box::new(|at, message| match message.kind {
        Request if at < Duration::from_secs(2) => vec![ServerMessage {
            status: Status::Other(1),
            ..bare(ServerMessageKind::Reply)
        }],
        _ => answer(message, 100),
    }));
    world.run_until(10);
    assert_eq!(world.story(), ["3 acquired 1"]);
}

#[test]
fn the_lease_counts_from_the_request_that_was_granted() {
    let mut world = World::started(Box::new(|_, message| match message.kind {
        Solicit => answer(message, 100),
        _ => Vec::new(),
    }));
    world.run_until(2);
    world.event(Event::Packet(lending(ServerMessageKind::Reply, 100)));
    let lease = world.machine.lease().unwrap().lease_at(world.now);
    // Asked at 0 and 1 s.
    assert_eq!(lease.addresses[0].preferred_time, 99);
    assert_eq!(lease.addresses[0].valid_time, 199);
}
