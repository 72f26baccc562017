// SPDX-License-Identifier: Apache-2.0

//! From nothing to a lease, and the ways in which that fails.

use super::*;
use crate::v4::message::ClientMessageKind::{Discover, Request};

#[test]
fn four_messages_to_a_lease() {
    let world = World::started(honest(3600));
    assert_eq!(world.story(), ["0 acquired 192.0.2.77"]);
    assert_eq!(
        world.transitions,
        [
            StateName::Selecting,
            StateName::Requesting,
            StateName::Bound
        ]
    );
    let [(_, discover, discover_path), (_, request, request_path)] = world.sent.as_slice() else {
        panic!("{:?}", world.sent);
    };
    assert_eq!(
        (discover.kind, discover.requested_address, discover.server),
        (Discover, None, None)
    );
    assert_eq!(request.kind, Request);
    assert_eq!(request.requested_address, Some(ADDRESS));
    assert_eq!(request.server, Some(SERVER));
    assert_eq!(request.client_address, Ipv4Addr::UNSPECIFIED);
    assert_eq!(request.transaction, discover.transaction);
    let everybody = Path::Broadcast {
        source: Ipv4Addr::UNSPECIFIED,
    };
    assert_eq!((*discover_path, *request_path), (everybody, everybody));
}

#[test]
fn the_lease_says_what_was_granted() {
    let world = World::started(honest(3600));
    let LeaseEvent::Acquired(Lease::Ipv4(lease)) = &world.reports[0].1 else {
        panic!()
    };
    assert_eq!(lease.interface, "eth0");
    assert_eq!(
        (lease.address, lease.prefix_length, lease.server),
        (ADDRESS, 24, SERVER)
    );
    assert_eq!(
        (lease.lease_time, lease.renewal_time, lease.rebinding_time),
        (3600, 1800, 3150)
    );
    assert_eq!(lease.remaining_time, 3600);
}

#[test]
fn discover_is_retransmitted_as_rfc_2131_4_1_says() {
    let tables: [(Jitter, &[f64]); 3] = [
        (Jitter::Lowest, &[0., 3., 10., 25., 56., 119., 182., 245.]),
        (Jitter::Middle, &[0., 4., 12., 28., 60., 124., 188., 252.]),
        (Jitter::Highest, &[0., 5., 14., 31., 64., 129., 194., 259.]),
    ];
    for (jitter, expected) in tables {
        let mut world = World::new(None, jitter, silent());
        world.event(Event::Start);
        world.run_until(300);
        assert_eq!(world.times(Discover), expected, "{jitter:?}");
        let first = &world.sent[0].1;
        for (at, message, _) in &world.sent {
            assert_eq!(message.transaction, first.transaction);
            assert_eq!(u64::from(message.seconds), at.as_secs());
        }
    }
}

#[test]
fn an_offer_at_any_retransmission_is_taken() {
    for heard in 0..8 {
        let mut count = 0;
        let server = move |_, message: &ClientMessage| {
            count += 1;
            if count > heard {
                answer(message, 3600)
            } else {
                Vec::new()
            }
        };
        let mut world = World::new(None, Jitter::Middle, Box::new(server));
        world.event(Event::Start);
        world.run_until(300);
        assert_eq!(world.times(Discover).len(), heard + 1);
        assert_eq!(world.story().len(), 1, "{:?}", world.story());
        // RFC 2131 §4.4.1: the REQUEST carries the `secs` of the DISCOVER that it follows.
        let [.., (_, discover, _), (_, request, _)] = world.sent.as_slice() else {
            panic!()
        };
        assert_eq!(request.seconds, discover.seconds);
    }
}

#[test]
fn an_offer_that_nobody_confirms_is_given_up_after_a_minute() {
    let server = |_, message: &ClientMessage| match message.kind {
        Discover => answer(message, 3600),
        _ => Vec::new(),
    };
    let mut world = World::started(Box::new(server));
    world.run_until(130);
    assert_eq!(
        world.times(Request),
        [0., 4., 12., 28., 60., 64., 72., 88., 120., 124.]
    );
    assert_eq!(world.times(Discover), [0., 60., 120.]);
    assert!(world.reports.is_empty());
}

#[test]
fn the_lease_counts_from_the_request_that_was_granted() {
    // The first two REQUESTs are lost.
    let mut requests = 0;
    let server = move |_, message: &ClientMessage| {
        requests += u32::from(message.kind == Request);
        if message.kind == Request && requests < 3 {
            Vec::new()
        } else {
            answer(message, 100)
        }
    };
    let mut world = World::started(Box::new(server));
    world.run_until(20);
    assert_eq!(world.story(), ["12 acquired 192.0.2.77"]);
    let end = world.machine.lease().unwrap().expires_at.unwrap();
    assert_eq!(end, Duration::from_secs(1_000_000 + 112));
}

#[test]
fn only_the_chosen_server_is_believed_while_requesting() {
    let server = |_, message: &ClientMessage| match message.kind {
        Discover => answer(message, 3600),
        _ => Vec::new(),
    };
    let mut world = World::started(Box::new(server));
    for kind in [
        ServerMessageKind::Offer,
        ServerMessageKind::Acknowledge,
        ServerMessageKind::Refuse,
    ] {
        world.packet(ServerMessage {
            server: OTHER_SERVER,
            ..reply(kind, 3600)
        });
        assert_eq!(world.machine.state(), StateName::Requesting);
    }
    // A second offer of the chosen one changes nothing either.
    world.packet(reply(ServerMessageKind::Offer, 3600));
    assert_eq!(world.sent.len(), 2);
    world.packet(reply(ServerMessageKind::Acknowledge, 3600));
    assert_eq!(world.machine.state(), StateName::Bound);
}

#[test]
fn the_first_offer_is_taken() {
    let server = |_, message: &ClientMessage| match message.kind {
        Discover => vec![
            ServerMessage {
                server: OTHER_SERVER,
                ..reply(ServerMessageKind::Offer, 60)
            },
            reply(ServerMessageKind::Offer, 3600),
        ],
        _ => Vec::new(),
    };
    let world = World::started(Box::new(server));
    assert_eq!(world.last_sent().1.server, Some(OTHER_SERVER));
}

#[test]
fn acknowledgements_and_refusals_mean_nothing_while_selecting() {
    let mut world = World::started(silent());
    world.packet(reply(ServerMessageKind::Acknowledge, 3600));
    world.packet(reply(ServerMessageKind::Refuse, 3600));
    assert_eq!(world.machine.state(), StateName::Selecting);
    assert!(world.reports.is_empty());
}

#[test]
fn an_acknowledgement_without_a_lease_time_is_no_lease() {
    for lease_time in [None, Some(0)] {
        let server = move |_, message: &ClientMessage| {
            let mut answers = answer(message, 3600);
            for answer in &mut answers {
                answer.lease_time = lease_time;
            }
            answers
        };
        let mut world = World::started(Box::new(server));
        assert_eq!(world.machine.state(), StateName::Requesting);
        world.run_until(1000);
        assert!(world.reports.is_empty());
        // 4 REQUESTs a minute, not more.
        assert!(world.times(Request).len() <= 4 * 1000 / 60 + 4);
    }
}

#[test]
fn refusals_are_answered_ever_more_slowly() {
    let server = |_, message: &ClientMessage| match message.kind {
        Request => vec![reply(ServerMessageKind::Refuse, 0)],
        _ => answer(message, 3600),
    };
    let mut world = World::started(Box::new(server));
    world.run_until(1500);
    // At once the first time, then after 2, 4, 8, 16, 32, 64, 128, 256, 300, 300 s.
    assert_eq!(
        world.times(Discover),
        [
            0., 0., 2., 6., 14., 30., 62., 126., 254., 510., 810., 1110., 1410.
        ]
    );
    assert!(world.reports.is_empty());
    // While it waits it listens to nobody.
    assert_eq!(world.machine.transaction(), None);
}

#[test]
fn a_lease_makes_refusals_forgotten() {
    let mut refused = 0;
    let server = move |_, message: &ClientMessage| {
        refused += u32::from(message.kind == Request);
        match message.kind {
            Request if refused <= 3 => vec![reply(ServerMessageKind::Refuse, 0)],
            _ => answer(message, 3600),
        }
    };
    let mut world = World::started(Box::new(server));
    world.run_until(100);
    assert_eq!(world.story(), ["6 acquired 192.0.2.77"]);
    // The next refusal is answered at once again.
    world.server = Box::new(|_, message| match message.kind {
        Request => vec![reply(ServerMessageKind::Refuse, 0)],
        _ => Vec::new(),
    });
    world.run_until(6 + 1800);
    assert_eq!(world.times(Discover).last(), Some(&1806.));
}

#[test]
fn an_address_of_old_is_asked_for_first() {
    let mut world = World::new(Some(ADDRESS), Jitter::Middle, honest(3600));
    world.event(Event::Start);
    assert_eq!(world.story(), ["0 acquired 192.0.2.77"]);
    assert_eq!(world.transitions, [StateName::Rebooting, StateName::Bound]);
    let [(_, request, path)] = world.sent.as_slice() else {
        panic!("{:?}", world.sent)
    };
    // RFC 2131 §4.3.2, INIT-REBOOT.
    assert_eq!(
        (request.kind, request.requested_address, request.server),
        (Request, Some(ADDRESS), None)
    );
    assert_eq!(request.client_address, Ipv4Addr::UNSPECIFIED);
    assert_eq!(
        *path,
        Path::Broadcast {
            source: Ipv4Addr::UNSPECIFIED
        }
    );
}

#[test]
fn a_refused_address_of_old_is_forgotten() {
    let mut refused = false;
    let server = move |_, message: &ClientMessage| match message.kind {
        Request if !std::mem::replace(&mut refused, true) => vec![ServerMessage {
            // Whoever knows better may refuse: no server was chosen yet.
            server: OTHER_SERVER,
            ..reply(ServerMessageKind::Refuse, 0)
        }],
        _ => answer(message, 3600),
    };
    let mut world = World::new(
        Some(Ipv4Addr::new(10, 9, 8, 7)),
        Jitter::Middle,
        Box::new(server),
    );
    world.event(Event::Start);
    // It may still be on the link, from a run of before.
    assert_eq!(world.story(), ["0 lost Refused", "0 acquired 192.0.2.77"]);
    assert_eq!(world.sent[1].1.kind, Discover);
    assert_eq!(world.sent[1].1.requested_address, None);
}

/// Nobody has said anything against the address of old (RFC 2131 §3.2).
#[test]
fn what_is_refused_instead_of_the_address_of_old_takes_nothing_off() {
    let mut asked = 0;
    let server = move |_, message: &ClientMessage| match message.kind {
        // Silence to the wish of old; then another address is offered, and refused.
        Request => {
            asked += 1;
            match asked {
                1 => Vec::new(),
                _ => vec![reply(ServerMessageKind::Refuse, 0)],
            }
        }
        _ => answer(message, 3600),
    };
    let old = Ipv4Addr::new(10, 9, 8, 7);
    let mut world = World::new(Some(old), Jitter::Middle, Box::new(server));
    world.event(Event::Start);
    world.run_until(60);
    assert!(world.times(Request).len() > 2);
    assert_eq!(world.story(), [] as [&str; 0]);
}

#[test]
fn an_address_of_old_that_nobody_gives_back_is_lost_once() {
    let refusing = |_, message: &ClientMessage| match message.kind {
        Request => vec![reply(ServerMessageKind::Refuse, 0)],
        _ => answer(message, 3600),
    };
    let mut world = World::new(Some(ADDRESS), Jitter::Middle, Box::new(refusing));
    world.event(Event::Start);
    world.run_until(300);
    assert_eq!(world.story(), ["0 lost Refused"]);
    // Also when the link was away meanwhile: the address stays on it.
    let mut world = World::started(honest(3600));
    world.server = Box::new(refusing);
    world.event(Event::LinkDown);
    world.event(Event::LinkUp);
    world.run_until(300);
    let story = ["0 acquired 192.0.2.77", "0 lost LinkLost", "0 lost Refused"];
    assert_eq!(world.story(), story);
}

#[test]
fn silence_about_an_address_of_old_leads_to_discover_with_the_same_wish() {
    for (jitter, at) in [
        (Jitter::Lowest, 3.),
        (Jitter::Middle, 4.),
        (Jitter::Highest, 5.),
    ] {
        let mut world = World::new(Some(ADDRESS), jitter, silent());
        world.event(Event::Start);
        world.run_until(5);
        assert_eq!(world.times(Discover), [at]);
        assert_eq!(world.last_sent().1.requested_address, Some(ADDRESS));
    }
}
