// SPDX-License-Identifier: Apache-2.0

//! Start, stop, and links that come and go, in every state.

use super::*;
use crate::v4::message::ClientMessageKind::{Discover, Release, Request};

/// A world in each of the states.
fn everywhere() -> Vec<(StateName, World)> {
    let unheard = |_: Duration, message: &ClientMessage| match message.kind {
        Discover => answer(message, 3600),
        _ => Vec::new(),
    };
    let refusing = |_: Duration, message: &ClientMessage| match message.kind {
        Request => vec![reply(ServerMessageKind::Refuse, 0)],
        _ => answer(message, 3600),
    };
    let leased_until = |until| {
        let mut world = World::started(honest(3600));
        world.server = silent();
        world.run_until(until);
        world
    };
    let mut unlinked = World::new(None, Jitter::Middle, silent());
    unlinked.event(Event::LinkDown);
    unlinked.event(Event::Start);
    let mut rebooting = World::new(Some(ADDRESS), Jitter::Middle, silent());
    rebooting.event(Event::Start);
    let worlds = vec![
        (
            StateName::Stopped,
            World::new(None, Jitter::Middle, silent()),
        ),
        (StateName::Unlinked, unlinked),
        (StateName::Init, World::started(Box::new(refusing))),
        (StateName::Selecting, World::started(silent())),
        (StateName::Requesting, World::started(Box::new(unheard))),
        (StateName::Rebooting, rebooting),
        (StateName::Bound, leased_until(0)),
        (StateName::Renewing, leased_until(1800)),
        (StateName::Rebinding, leased_until(3150)),
    ];
    for (state, world) in &worlds {
        assert_eq!(world.machine.state(), *state);
    }
    worlds
}

fn has_lease(state: StateName) -> bool {
    matches!(
        state,
        StateName::Bound | StateName::Renewing | StateName::Rebinding
    )
}

#[test]
fn stop_with_release_gives_the_lease_back() {
    for (state, mut world) in everywhere() {
        let before = (world.sent.len(), world.reports.len());
        world.event(Event::Stop { release: true });
        assert_eq!(world.machine.state(), StateName::Stopped);
        assert_eq!(world.timer, None);
        let news = (world.sent.len() - before.0, world.reports.len() - before.1);
        assert_eq!(
            news,
            if has_lease(state) { (1, 1) } else { (0, 0) },
            "{state}"
        );
        if has_lease(state) {
            let (_, message, path) = world.last_sent();
            assert_eq!(
                (message.kind, message.client_address, message.server),
                (Release, ADDRESS, Some(SERVER))
            );
            assert_eq!(message.requested_address, None);
            assert_eq!(
                *path,
                Path::Direct {
                    source: ADDRESS,
                    destination: SERVER,
                    neighbour: NEIGHBOUR
                }
            );
            assert!(world.story().last().unwrap().ends_with("lost Released"));
        }
    }
}

#[test]
fn the_release_leaves_before_the_loss_is_reported() {
    let mut world = World::started(honest(3600));
    let actions = world
        .machine
        .handle(world.now, Event::Stop { release: true });
    assert!(
        matches!(
            actions.as_slice(),
            [
                Action::Send(_),
                Action::Report(LeaseEvent::Lost { .. }),
                Action::Transition {
                    from: StateName::Bound,
                    to: StateName::Stopped
                },
                Action::SetTimer(None),
                Action::CloseSockets
            ]
        ),
        "{actions:?}"
    );
}

#[test]
fn the_lease_is_reported_before_sockets_are_closed() {
    let server = |_, message: &ClientMessage| match message.kind {
        Discover => answer(message, 3600),
        _ => Vec::new(),
    };
    let mut world = World::started(Box::new(server));
    let message = reply(ServerMessageKind::Acknowledge, 3600);
    let actions = world.machine.handle(
        world.now,
        Event::Packet(Packet {
            message,
            from: NEIGHBOUR,
        }),
    );
    assert!(
        matches!(
            actions.first(),
            Some(Action::Report(LeaseEvent::Acquired(_)))
        ),
        "{actions:?}"
    );
    assert_eq!(actions.last(), Some(&Action::CloseSockets));
}

#[test]
fn stop_without_release_says_nothing() {
    for (state, mut world) in everywhere() {
        let before = (world.sent.len(), world.reports.len());
        world.event(Event::Stop { release: false });
        assert_eq!(world.machine.state(), StateName::Stopped);
        assert_eq!((world.sent.len(), world.reports.len()), before, "{state}");
        world.run_until(10_000);
        assert_eq!((world.sent.len(), world.reports.len()), before, "{state}");
    }
}

#[test]
fn a_lost_link_loses_the_lease_and_nothing_is_sent() {
    for (state, mut world) in everywhere() {
        let before = (world.sent.len(), world.reports.len());
        world.event(Event::LinkDown);
        world.event(Event::LinkDown);
        world.run_until(20_000);
        assert_eq!(world.sent.len(), before.0, "{state}");
        assert_eq!(
            world.reports.len() - before.1,
            usize::from(has_lease(state)),
            "{state}"
        );
        if has_lease(state) {
            assert!(world.story().last().unwrap().ends_with("lost LinkLost"));
        }
        let expected = if state == StateName::Stopped {
            StateName::Stopped
        } else {
            StateName::Unlinked
        };
        assert_eq!(world.machine.state(), expected);
    }
}

#[test]
fn a_link_that_comes_back_has_its_address_confirmed() {
    for (state, mut world) in everywhere() {
        let known = has_lease(state) || state == StateName::Rebooting;
        world.event(Event::LinkDown);
        world.server = honest(3600);
        let before = world.sent.len();
        world.event(Event::LinkUp);
        if state == StateName::Stopped {
            assert_eq!(world.sent.len(), before);
            continue;
        }
        assert_eq!(world.machine.state(), StateName::Bound, "{state}");
        assert!(
            world
                .story()
                .last()
                .unwrap()
                .ends_with("acquired 192.0.2.77")
        );
        let first = &world.sent[before].1;
        let expected = if known {
            (Request, Some(ADDRESS))
        } else {
            (Discover, None)
        };
        assert_eq!((first.kind, first.requested_address), expected, "{state}");
        assert_eq!(first.server, None);
    }
}

#[test]
fn another_network_behind_the_same_link() {
    let mut world = World::started(honest(3600));
    world.event(Event::LinkDown);
    let elsewhere = Ipv4Addr::new(198, 51, 100, 5);
    let mut refused = false;
    world.server = Box::new(move |_, message| {
        if message.kind == Request && !std::mem::replace(&mut refused, true) {
            return vec![ServerMessage {
                server: OTHER_SERVER,
                ..reply(ServerMessageKind::Refuse, 0)
            }];
        }
        let mut answers = answer(message, 3600);
        for answer in &mut answers {
            (answer.address, answer.server) = (elsewhere, OTHER_SERVER);
        }
        answers
    });
    world.event(Event::LinkUp);
    assert_eq!(
        world.story(),
        [
            "0 acquired 192.0.2.77",
            "0 lost LinkLost",
            // The loss of the link leaves it where it is.
            "0 lost Refused",
            "0 acquired 198.51.100.5"
        ]
    );
}

#[test]
fn repeated_and_early_events_change_nothing() {
    for (state, mut world) in everywhere() {
        let before = (world.sent.len(), world.reports.len());
        if state != StateName::Stopped {
            world.event(Event::Start);
        }
        if state != StateName::Unlinked {
            world.event(Event::LinkUp);
        }
        world.event(Event::Timer);
        assert_eq!(world.machine.state(), state);
        assert_eq!((world.sent.len(), world.reports.len()), before, "{state}");
    }
}

#[test]
fn a_stopped_machine_can_start_again() {
    let mut world = World::started(honest(3600));
    world.event(Event::Stop { release: true });
    world.event(Event::Start);
    assert_eq!(
        world.story(),
        [
            "0 acquired 192.0.2.77",
            "0 lost Released",
            "0 acquired 192.0.2.77"
        ]
    );
    // The address was given back: no claim to it is left.
    assert_eq!(world.sent[3].1.kind, Discover);
    assert_eq!(world.sent[3].1.requested_address, None);
}
