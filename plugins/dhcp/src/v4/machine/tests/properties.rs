// SPDX-License-Identifier: Apache-2.0

//! What holds whatever happens in whatever order.

use nipart_schemas::lease::LeaseLoss;
use proptest::prelude::*;

use super::*;

/// Any event, with packets from either server that may make sense or not.
fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        Just(ServerMessageKind::Offer),
        Just(ServerMessageKind::Acknowledge),
        Just(ServerMessageKind::Acknowledge),
        Just(ServerMessageKind::Refuse),
    ];
    let times = prop::option::of(prop_oneof![0..200_u32, Just(u32::MAX), any::<u32>()]);
    let packet = (
        kind,
        any::<bool>(),
        times.clone(),
        times.clone(),
        times,
        70..73_u8,
    )
        .prop_map(
            |(kind, other, lease_time, renewal_time, rebinding_time, last)| {
                Event::Packet(Packet {
                    message: ServerMessage {
                        server: if other { OTHER_SERVER } else { SERVER },
                        address: Ipv4Addr::new(192, 0, 2, last),
                        lease_time,
                        renewal_time,
                        rebinding_time,
                        ..reply(kind, 0)
                    },
                    from: NEIGHBOUR,
                })
            },
        );
    prop_oneof![
        3 => Just(Event::Start),
        12 => packet,
        12 => Just(Event::Timer),
        1 => Just(Event::LinkDown),
        2 => Just(Event::LinkUp),
        1 => any::<bool>().prop_map(|release| Event::Stop { release }),
    ]
}

/// Time that passes before an event: none, a little, to the timer exactly, or a long sleep.
#[derive(Debug, Clone)]
enum Pass {
    Milliseconds(u64),
    ToTimer,
    Seconds(u64),
}

fn pass() -> impl Strategy<Value = Pass> {
    prop_oneof![
        (0..5000_u64).prop_map(Pass::Milliseconds),
        Just(Pass::ToTimer),
        (0..10_000_u64).prop_map(Pass::Seconds),
    ]
}

proptest! {
    #[test]
    fn leases_are_reported_consistently(
        script in prop::collection::vec((pass(), event()), 1..120),
        seed in any::<u32>(),
        previous in prop::option::of(Just(ADDRESS)),
    ) {
        struct Sequence(u32);
        impl Random for Sequence {
            fn number(&mut self) -> u32 {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                self.0
            }
        }
        let mut machine = Machine::new("eth0", previous, Box::new(Sequence(seed)));
        let mut now = Duration::from_secs(1000);
        let mut timer = None;
        // Whether the listener believes that there is a lease, and until when.
        let mut leased = false;
        for (pass, event) in script {
            now = match pass {
                Pass::Milliseconds(count) => now + Duration::from_millis(count),
                Pass::Seconds(count) => now + Duration::from_secs(count),
                Pass::ToTimer => timer.map_or(now, |at| now.max(at)),
            };
            let silent_stop = event == Event::Stop { release: false };
            let actions = machine.handle(now, event);

            let sent = actions.iter().filter(|action| matches!(action, Action::Send(_))).count();
            prop_assert!(sent <= 2, "{actions:?}");
            for action in &actions {
                match action {
                    Action::Report(LeaseEvent::Acquired(lease)) => {
                        let lease = ipv4(lease);
                        prop_assert!(!leased);
                        prop_assert!(lease.lease_time > 0);
                        leased = true;
                    }
                    Action::Report(LeaseEvent::Changed(_) | LeaseEvent::Renewed(_)) => prop_assert!(leased),
                    Action::Report(LeaseEvent::Lost { reason, .. }) => {
                        // One of a run of before, or lost with the link, may be still there when it is refused.
                        prop_assert!(leased || *reason == LeaseLoss::Refused);
                        leased = false;
                    }
                    Action::SetTimer(at) => timer = *at,
                    Action::CloseSockets => prop_assert_eq!(machine.transaction(), None),
                    Action::Send(_) | Action::Transition { .. } => {}
                }
            }
            if silent_stop {
                leased = false;
            }
            prop_assert_eq!(leased, machine.lease().is_some());
            if let Some(granted) = machine.lease() {
                prop_assert!(!granted.is_expired(now), "{granted:?} at {now:?}");
                let times = (granted.renew_at, granted.rebind_at, granted.expires_at);
                let ordered = matches!(times, (Some(renew), Some(rebind), Some(end)) if renew < rebind && rebind < end);
                prop_assert!(ordered || times == (None, None, None));
                // The end of the lease is never slept through.
                prop_assert!(times.2.is_none() || timer.is_some_and(|at| Some(at) <= times.2));
            }
            // The timer moves on: no event loop spins.
            if event_was_due(timer, now) {
                let _ = machine.handle(now, Event::Timer);
                prop_assert!(machine.lease().is_none_or(|granted| !granted.is_expired(now)));
                // That step may have reported a loss; ask the machine itself.
                leased = machine.lease().is_some();
            }
        }
    }
}

fn event_was_due(timer: Option<Duration>, now: Duration) -> bool {
    timer.is_some_and(|at| at <= now)
}
