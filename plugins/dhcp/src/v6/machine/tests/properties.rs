// SPDX-License-Identifier: Apache-2.0

//! What holds whatever happens in whatever order.

use proptest::prelude::*;

use super::*;
use crate::machine::Granted as _;

fn seconds() -> impl Strategy<Value = u32> {
    prop_oneof![0..200_u32, Just(u32::MAX), any::<u32>()]
}

fn association() -> impl Strategy<Value = Association> {
    let status = prop_oneof![
        4 => Just(Status::Success),
        1 => Just(Status::NoAddresses),
        1 => Just(Status::NoBinding),
        1 => Just(Status::NotOnLink),
        1 => Just(Status::Other(1)),
    ];
    let lent = (70..73_u16, seconds(), seconds()).prop_map(|(last, one, other)| LentAddress {
        address: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last),
        preferred_time: one.min(other),
        valid_time: one.max(other),
    });
    let addresses = prop::collection::vec(lent, 0..3);
    (status, seconds(), seconds(), addresses).prop_map(
        |(status, renewal_time, rebinding_time, addresses)| Association {
            status,
            renewal_time,
            rebinding_time,
            addresses,
        },
    )
}

fn packet() -> impl Strategy<Value = Event> {
    (
        any::<[bool; 4]>(),
        prop::option::of(association()),
        prop::option::of(seconds()),
    )
        .prop_map(
            |([advertise, other, rapid_commit, dns], association, refresh_time)| {
                let kind = match advertise {
                    true => ServerMessageKind::Advertise,
                    false => ServerMessageKind::Reply,
                };
                Event::Packet(ServerMessage {
                    server: if other { other_server() } else { server() },
                    rapid_commit,
                    association,
                    refresh_time,
                    dns_servers: if dns { vec![DNS_SERVER] } else { Vec::new() },
                    ..bare(kind)
                })
            },
        )
}

/// Any event, after milliseconds; none stands for "when the timer is due".
fn step() -> impl Strategy<Value = (Option<u64>, Event)> {
    let event = prop_oneof![
        3 => Just(Event::Start),
        14 => packet(),
        12 => Just(Event::Timer),
        2 => (70..73_u16).prop_map(|last| {
            Event::Conflict(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into())
        }),
        1 => Just(Event::LinkDown),
        2 => Just(Event::LinkUp),
        1 => any::<bool>().prop_map(|release| Event::Stop { release }),
    ];
    let pass = prop_oneof![
        Just(None),
        (0..5000_u64).prop_map(Some),
        (0..10_000_000_u64).prop_map(Some),
    ];
    (pass, event)
}

proptest! {
    #[test]
    fn leases_are_reported_consistently(script in prop::collection::vec(step(), 1..120)) {
        let mut machine = Machine::new("eth0", None, Box::new(Middle));
        let mut now = Duration::from_secs(1000);
        let mut timer: Option<Duration> = None;
        // Whether the listener believes that there is a lease.
        let mut leased = false;
        for (pass, event) in script {
            now = match pass {
                Some(milliseconds) => now + Duration::from_millis(milliseconds),
                None => timer.map_or(now, |at| now.max(at)),
            };
            // The timer, if it is due meanwhile: no event loop spins.
            for event in [event, Event::Timer] {
                let silent_stop = event == Event::Stop { release: false };
                let actions = machine.handle(now, event);
                let sent = actions.iter().filter(|action| matches!(action, Action::Send(_))).count();
                prop_assert!(sent <= 2, "{actions:?}");
                for action in &actions {
                    match action {
                        Action::Report(LeaseEvent::Acquired(_)) => {
                            prop_assert!(!leased);
                            leased = true;
                        }
                        Action::Report(LeaseEvent::Changed(_) | LeaseEvent::Renewed(_)) => prop_assert!(leased),
                        Action::Report(LeaseEvent::Lost { reason, .. }) => {
                            // What was lost with the link may be still there, when the next network refuses it.
                            prop_assert!(leased || *reason == LeaseLoss::Refused);
                            leased = false;
                        }
                        Action::SetTimer(at) => timer = *at,
                        Action::CloseSockets => prop_assert_eq!(machine.transaction(), None),
                        Action::Send(_) | Action::Transition { .. } => {}
                    }
                }
                leased &= !silent_stop;
                prop_assert_eq!(leased, machine.lease().is_some());
                if let Some(granted) = machine.lease() {
                    prop_assert!(!granted.is_expired(now), "{granted:?} at {now:?}");
                    prop_assert!(!granted.is_empty());
                    // The end of the lease is never slept through.
                    let end = granted.expires_at;
                    prop_assert!(end.is_none() || timer.is_some_and(|at| Some(at) <= end));
                }
            }
            prop_assert!(timer.is_none_or(|at| at > now), "a timer that fires for ever");
        }
    }
}
