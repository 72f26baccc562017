// SPDX-License-Identifier: Apache-2.0

//! Renewing, rebinding and losing a lease: tables over lease times, T1 and T2, and when the server answers.

use super::*;
use crate::v4::message::ClientMessageKind::{Discover, Request};
use nipart_schemas::lease::LeaseLoss;

/// Dhcpv4Lease times in seconds, from absurd to a week.
const LEASES: [u32; 18] = [
    1, 2, 3, 6, 8, 10, 30, 60, 119, 120, 240, 600, 900, 1800, 3600, 43_200, 86_400, 604_800,
];

/// T1 and T2 as a server may send them, for one lease time, and what they should come to.
fn times_of(lease: u32) -> Vec<(Option<u32>, Option<u32>, f64, f64)> {
    let (half, eighths) = (f64::from(lease) / 2.0, f64::from(lease) / 8.0 * 7.0);
    let mut table = vec![
        (None, None, half, eighths),
        (Some(0), Some(0), half, eighths),
        (Some(lease), Some(lease), half, eighths),
        (Some(u32::MAX), Some(u32::MAX), half, eighths),
        (Some(0), None, half, eighths),
        (None, Some(0), half, eighths),
    ];
    if lease >= 12 {
        let (quarter, third) = (lease / 4, lease / 3);
        table.extend([
            (Some(quarter), Some(third), quarter.into(), third.into()),
            (Some(quarter), None, quarter.into(), eighths),
            (None, Some(lease - 1), half, (lease - 1).into()),
            // In the wrong order, and T2 below half the lease: T1 alone still makes sense.
            (Some(third), Some(quarter), third.into(), eighths),
            // T2 beyond the end.
            (Some(quarter), Some(lease + 1), quarter.into(), eighths),
        ]);
    }
    table
}

fn server_with(
    lease: u32,
    t1: Option<u32>,
    t2: Option<u32>,
    mut heard: impl FnMut(usize) -> bool + 'static,
) -> Server {
    let mut requests = 0;
    Box::new(move |_, message| {
        // The first REQUEST gets the lease.
        requests += usize::from(message.kind == Request);
        if requests > 1 && !heard(requests - 1) {
            return Vec::new();
        }
        let mut answers = answer(message, lease);
        for answer in &mut answers {
            (answer.renewal_time, answer.rebinding_time) = (t1, t2);
        }
        answers
    })
}

#[test]
fn a_server_that_went_away() {
    for lease in LEASES {
        for (sent_t1, sent_t2, t1, t2) in times_of(lease) {
            for jitter in JITTERS {
                let case = format!("lease {lease}, sent {sent_t1:?} {sent_t2:?}, {jitter:?}");
                let mut world = World::new(
                    None,
                    jitter,
                    server_with(lease, sent_t1, sent_t2, |_| false),
                );
                world.event(Event::Start);
                world.run_until(lease.into());

                assert_eq!(
                    world.story(),
                    [
                        "0 acquired 192.0.2.77".to_owned(),
                        format!("{lease} lost Expired")
                    ],
                    "{case}"
                );
                assert_eq!(
                    world.times(Discover).last(),
                    Some(&f64::from(lease)),
                    "{case}: begins anew at once"
                );
                let (routed, broadcast): (Vec<_>, Vec<_>) = world
                    .sent
                    .iter()
                    .filter(|(_, message, _)| {
                        message.kind == Request && !message.client_address.is_unspecified()
                    })
                    .partition(|(_, _, path)| matches!(path, Path::Routed { .. }));
                let at = |list: &[&(Duration, ClientMessage, Path)]| -> Vec<f64> {
                    list.iter().map(|(at, _, _)| seconds(*at)).collect()
                };
                let (routed_at, broadcast_at) = (at(&routed), at(&broadcast));
                let fuzz = (t1 / 50.0).min(10.0) + 0.001;
                assert!(
                    (t1 - fuzz..=t1).contains(&routed_at[0]),
                    "{case}: T1 {t1}, asked at {routed_at:?}"
                );
                assert_eq!(broadcast_at[0], (t2 * 1000.0).round() / 1000.0, "{case}");
                check_retries(&routed_at, t2, &case);
                check_retries(&broadcast_at, lease.into(), &case);
                for (_, message, path) in routed.into_iter().chain(broadcast) {
                    // RFC 2131 §4.3.2: neither option 50 nor 54.
                    assert_eq!((message.requested_address, message.server), (None, None));
                    assert_eq!(message.client_address, ADDRESS);
                    assert!(matches!(
                        path,
                        Path::Routed {
                            source: ADDRESS,
                            destination: SERVER
                        } | Path::Broadcast { source: ADDRESS }
                    ));
                }
            }
        }
    }
}

/// RFC 2131 §4.4.5: after half of what is left, and not within 60 s; in short phases not within a quarter of them.
fn check_retries(times: &[f64], end: f64, case: &str) {
    let shortest = ((end - times[0]) / 4.0).clamp(1.0, 60.0);
    for pair in times.windows(2) {
        let wait = ((end - pair[0]) / 2.0).max(shortest);
        assert!(
            (pair[1] - pair[0] - wait).abs() < 0.01,
            "{case}: {times:?} until {end}"
        );
    }
    let last = times[times.len() - 1];
    assert!(last < end - 0.4 || times.len() == 1, "{case}: {times:?}");
    assert!(
        last + ((end - last) / 2.0).max(shortest) >= end - 0.51,
        "{case}: gave up early: {times:?}"
    );
    if end - times[0] >= 4.0 {
        assert!(
            times.len() >= 3,
            "{case}: a lost packet or two must not cost the lease: {times:?}"
        );
    }
    assert!(times.len() <= 20, "{case}: {times:?}");
}

#[test]
fn an_answer_to_any_of_the_requests_keeps_the_lease() {
    for lease in LEASES {
        let mut world = World::started(server_with(lease, None, None, |_| false));
        world.run_until(lease.into());
        // The first belongs to the lease itself; those after the end to the next.
        let tries = world
            .times(Request)
            .iter()
            .filter(|at| **at > 0. && **at < f64::from(lease))
            .count();
        assert!(tries >= 2, "{lease}");
        for heard in 1..=tries {
            let mut world = World::started(server_with(lease, None, None, move |request| {
                request == heard
            }));
            let asked = loop {
                let next = world.timer.unwrap();
                world.now = next;
                world.event(Event::Timer);
                if world.reports.len() > 1 {
                    break world.since_start();
                }
            };
            let (_, LeaseEvent::Renewed(Lease::Ipv4(renewed))) = &world.reports[1] else {
                panic!("{:?}", world.story())
            };
            assert_eq!(renewed.remaining_time, lease);
            assert_eq!(world.machine.state(), StateName::Bound);
            let end = world.machine.lease().unwrap().expires_at.unwrap();
            assert_eq!(
                end - Duration::from_secs(1_000_000),
                asked + Duration::from_secs(lease.into())
            );
        }
    }
}

#[test]
fn a_year_of_short_leases() {
    let mut world = World::started(honest(120));
    world.run_until(365 * 86_400);
    let [(_, LeaseEvent::Acquired(_)), renewals @ ..] = world.reports.as_slice() else {
        panic!()
    };
    assert_eq!(renewals.len(), 365 * 86_400 / 60);
    assert!(
        renewals
            .iter()
            .all(|(_, event)| matches!(event, LeaseEvent::Renewed(_)))
    );
}

#[test]
fn a_lease_for_ever_needs_nothing() {
    let mut world = World::started(honest(u32::MAX));
    world.run_until(100 * 365 * 86_400);
    assert_eq!(world.story(), ["0 acquired 192.0.2.77"]);
    assert_eq!(world.sent.len(), 2);
    assert_eq!(world.timer, None);
    let lease = world.machine.lease().unwrap().lease_at(world.now);
    assert_eq!(
        (
            lease.remaining_time,
            lease.renewal_time,
            lease.rebinding_time
        ),
        (u32::MAX, u32::MAX, u32::MAX)
    );
}

#[test]
fn a_difference_in_the_lease_is_a_change() {
    type Alteration = fn(&mut ServerMessage);
    let alterations: [(Alteration, bool); 6] = [
        (|_| {}, false),
        (|message| message.lease_time = Some(7200), false),
        (
            |message| message.address = Ipv4Addr::new(192, 0, 2, 78),
            true,
        ),
        (|message| message.routers.clear(), true),
        (|message| message.mtu = Some(1400), true),
        (
            |message| message.dns_search = vec!["example.org".to_owned()],
            true,
        ),
    ];
    for (alter, changes) in alterations {
        let server = move |at: Duration, message: &ClientMessage| {
            let mut answers = answer(message, 3600);
            if !at.is_zero() {
                answers.iter_mut().for_each(alter);
            }
            answers
        };
        let mut world = World::started(Box::new(server));
        world.run_until(1800);
        let changed = matches!(world.reports[1].1, LeaseEvent::Changed(_));
        assert_eq!(changed, changes, "{:?}", world.reports[1]);
    }
}

#[test]
fn only_the_leases_own_server_is_believed_while_renewing() {
    let mut world = World::started(server_with(3600, None, None, |_| false));
    world.run_until(1800);
    assert_eq!(world.machine.state(), StateName::Renewing);
    for kind in [
        ServerMessageKind::Refuse,
        ServerMessageKind::Acknowledge,
        ServerMessageKind::Offer,
    ] {
        world.packet(ServerMessage {
            server: OTHER_SERVER,
            ..reply(kind, 3600)
        });
        assert_eq!(world.machine.state(), StateName::Renewing);
    }
    world.packet(reply(ServerMessageKind::Refuse, 0));
    assert_eq!(world.story()[1], "1800 lost Refused");
    assert_eq!(world.last_sent().1.kind, Discover);
}

#[test]
fn any_server_is_believed_while_rebinding() {
    for (kind, story) in [
        (ServerMessageKind::Acknowledge, "3150 changed 192.0.2.77"),
        (ServerMessageKind::Refuse, "3150 lost Refused"),
    ] {
        let mut world = World::started(server_with(3600, None, None, |_| false));
        world.run_until(3150);
        assert_eq!(world.machine.state(), StateName::Rebinding);
        world.packet(ServerMessage {
            server: OTHER_SERVER,
            ..reply(kind, 3600)
        });
        assert_eq!(world.story()[1], story);
    }
}

#[test]
fn sleep_past_any_of_the_times() {
    // Slept until, and what the host finds when it wakes up.
    for (until, state, story) in [
        (1799, StateName::Bound, None),
        (1801, StateName::Renewing, None),
        (3200, StateName::Rebinding, None),
        (3600, StateName::Selecting, Some("3600 lost Expired")),
        (100_000, StateName::Selecting, Some("100000 lost Expired")),
    ] {
        let mut world = World::started(honest(3600));
        world.server = silent();
        world.sleep_until(until);
        world.event(Event::Timer);
        assert_eq!(world.machine.state(), state, "{until}");
        assert_eq!(world.story().get(1).map(String::as_str), story, "{until}");
    }
}

#[test]
fn an_answer_that_comes_after_the_end_revives_nothing() {
    let mut world = World::started(honest(3600));
    world.server = silent();
    world.run_until(3200);
    world.sleep_until(4000);
    // The timer would have fired first; the packet was quicker.
    world.packet(reply(ServerMessageKind::Acknowledge, 3600));
    assert_eq!(world.machine.state(), StateName::Selecting);
    assert_eq!(world.story()[1..], ["4000 lost Expired"]);
}

#[test]
fn an_answer_that_was_longer_on_its_way_than_the_lease_lasts_is_no_lease() {
    let server = |_, message: &ClientMessage| match message.kind {
        Discover => answer(message, 2),
        _ => Vec::new(),
    };
    let mut world = World::started(Box::new(server));
    world.sleep_until(3);
    world.packet(reply(ServerMessageKind::Acknowledge, 2));
    assert_eq!(world.machine.state(), StateName::Requesting);
    assert!(world.reports.is_empty());
}

#[test]
fn an_expired_address_is_wished_for_again() {
    let mut world = World::started(server_with(3600, None, None, |_| false));
    world.run_until(3600);
    assert!(matches!(
        world.reports[1].1,
        LeaseEvent::Lost {
            reason: LeaseLoss::Expired,
            ..
        }
    ));
    assert_eq!(world.last_sent().1.requested_address, Some(ADDRESS));
}
