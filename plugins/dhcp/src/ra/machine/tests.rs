// SPDX-License-Identifier: Apache-2.0

//! The machine on a clock that jumps from timer to timer.

use std::net::Ipv6Addr;

use nipart_schemas::lease::LeaseLoss;
use proptest::prelude::*;

use super::*;
use crate::clock::Random;
use crate::events::LeaseEvent;
use crate::ra::message::{Advertisement, Lasting, Preference, Solicitation};

type Event = machine::Event<Advertisement>;
type Action = machine::Action<Solicitation>;

const START: Duration = Duration::from_secs(1_000_000);
const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53);

/// A "random" number that gives no jitter at all.
struct Middle;

impl Random for Middle {
    fn number(&mut self) -> u32 {
        1000
    }
}

/// A router with one DNS server.
fn saying(lifetime: u16, dns_lifetime: u32) -> Advertisement {
    Advertisement {
        router: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
        lifetime,
        preference: Preference::Medium,
        routes: Vec::new(),
        dns_servers: vec![Lasting {
            what: SERVER,
            lifetime: dns_lifetime,
        }],
        dns_search: Vec::new(),
    }
}

struct World {
    machine: Machine,
    now: Duration,
    timer: Option<Duration>,
    story: Vec<String>,
}

impl World {
    fn started() -> World {
        let mut world = World {
            machine: Machine::new("eth0", None, Box::new(Middle)),
            now: START,
            timer: None,
            story: Vec::new(),
        };
        world.event(Event::Start);
        world
    }

    fn event(&mut self, event: Event) {
        for action in self.machine.handle(self.now, event) {
            let what = match action {
                Action::Send(Solicitation) => "asked".to_string(),
                Action::Report(LeaseEvent::Acquired(_)) => "acquired".to_string(),
                Action::Report(LeaseEvent::Changed(_)) => "changed".to_string(),
                Action::Report(LeaseEvent::Renewed(_)) => "renewed".to_string(),
                Action::Report(LeaseEvent::Lost {
                    reason, protocol, ..
                }) => {
                    assert_eq!(
                        protocol,
                        nipart_schemas::lease::LeaseProtocol::RouterAdvertisement
                    );
                    format!("lost {reason:?}")
                }
                Action::SetTimer(at) => {
                    self.timer = at;
                    continue;
                }
                Action::CloseSockets => {
                    assert_eq!(self.machine.transaction(), None);
                    continue;
                }
                Action::Transition { .. } => continue,
            };
            self.story
                .push(format!("{} {what}", (self.now - START).as_secs()));
        }
    }

    fn run_until(&mut self, seconds: u64) {
        let end = START + Duration::from_secs(seconds);
        while let Some(at) = self.timer.filter(|at| *at <= end) {
            assert!(at >= self.now, "a timer in the past");
            self.now = at;
            self.event(Event::Timer);
            assert!(
                self.timer.is_none_or(|next| next > self.now),
                "a timer that fires for ever"
            );
        }
        self.now = end;
    }

    fn story(&mut self) -> Vec<String> {
        std::mem::take(&mut self.story)
    }
}

#[test]
fn asks_less_and_less_often() {
    let mut world = World::started();
    world.run_until(200);
    let expected = [
        "0 asked",
        "4 asked",
        "8 asked",
        "12 lost Expired",
        "12 asked",
        "20 asked",
        "36 asked",
        "68 asked",
        "132 asked",
    ];
    assert_eq!(world.story(), expected);
    world.run_until(100_000);
    let late = world.story();
    // About once an hour in the end.
    assert!(late.len() < 35, "{late:?}");
    assert_eq!(world.machine.state(), StateName::Soliciting);
}

#[test]
fn what_is_heard_ends_by_itself() {
    let mut world = World::started();
    world.run_until(1);
    world.event(Event::Packet(saying(1800, 600)));
    assert_eq!(world.machine.state(), StateName::Listening);
    assert_eq!(world.story(), ["0 asked", "1 acquired"]);
    // Lifetimes alone are no news.
    world.run_until(500);
    world.event(Event::Packet(saying(1800, 600)));
    assert_eq!(world.story(), Vec::<String>::new());
    world.run_until(5000);
    assert_eq!(world.story(), ["1100 changed", "2300 lost Expired"]);
    // It listens on.
    world.event(Event::Packet(saying(0, 600)));
    world.run_until(5010);
    world.event(Event::Packet(saying(0, 0)));
    assert_eq!(world.story(), ["5000 acquired", "5010 lost Expired"]);
}

#[test]
fn news_have_a_second_between_them() {
    let mut world = World::started();
    for count in 0..100 {
        world.event(Event::Packet(saying(count % 2, 600)));
    }
    assert_eq!(world.story(), ["0 asked", "0 acquired"]);
    world.run_until(10);
    // The last counts, and it ended within the second.
    assert_eq!(world.story(), Vec::<String>::new());
    for count in 0..101 {
        world.event(Event::Packet(saying(count % 2 * 100, 600)));
    }
    world.run_until(30);
    assert_eq!(world.story(), ["10 changed", "11 changed"]);
}

#[test]
fn asks_again_when_started_again() {
    let mut world = World::started();
    world.event(Event::Packet(saying(1800, 600)));
    world.run_until(100);
    world.event(Event::LinkUp);
    world.run_until(104);
    // What is known stays known meanwhile.
    assert!(world.machine.lease().is_some());
    world.event(Event::Packet(saying(1800, 600)));
    world.run_until(150);
    let expected = [
        "0 asked",
        "0 acquired",
        "100 asked",
        "104 asked",
        "104 renewed",
    ];
    assert_eq!(world.story(), expected);
}

#[test]
fn forgets_all_with_the_link() {
    let mut world = World::started();
    world.event(Event::Packet(saying(1800, 600)));
    world.event(Event::LinkDown);
    assert_eq!(world.machine.state(), StateName::Unlinked);
    world.event(Event::Packet(saying(1800, 600)));
    world.run_until(50);
    world.event(Event::LinkUp);
    world.event(Event::Stop { release: true });
    let expected = ["0 asked", "0 acquired", "0 lost LinkLost", "50 asked"];
    assert_eq!(world.story(), expected);
}

fn step() -> impl Strategy<Value = (Option<u64>, Event)> {
    let lifetime = prop_oneof![Just(0), 1..30_u16, Just(u16::MAX)];
    let dns = prop_oneof![Just(0), 1..30_u32, Just(u32::MAX)];
    let packet = (lifetime, dns, 1..7_u16).prop_map(|(lifetime, dns, router)| {
        let mut advertisement = saying(lifetime, dns);
        advertisement.router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, router);
        Event::Packet(advertisement)
    });
    let event = prop_oneof![
        3 => Just(Event::Start),
        14 => packet,
        12 => Just(Event::Timer),
        1 => Just(Event::LinkDown),
        2 => Just(Event::LinkUp),
        1 => any::<bool>().prop_map(|release| Event::Stop { release }),
    ];
    let pass = prop_oneof![
        Just(None),
        (0..5000_u64).prop_map(Some),
        (0..10_000_000_u64).prop_map(Some)
    ];
    (pass, event)
}

proptest! {
    #[test]
    fn leases_are_reported_consistently(script in prop::collection::vec(step(), 1..120)) {
        let mut machine = Machine::new("eth0", None, Box::new(Middle));
        let mut now = Duration::from_secs(1000);
        let mut timer: Option<Duration> = None;
        let mut told = None;
        for (pass, event) in script {
            now = match pass {
                Some(milliseconds) => now + Duration::from_millis(milliseconds),
                None => timer.map_or(now, |at| now.max(at)),
            };
            for event in [event, Event::Timer] {
                let silent_stop = event == Event::Stop { release: false };
                let again = event == Event::LinkUp;
                let actions = machine.handle(now, event);
                for action in &actions {
                    match action {
                        Action::Report(LeaseEvent::Acquired(lease)) => {
                            prop_assert!(told.is_none() && !again);
                            told = Some(lease.clone());
                        }
                        Action::Report(LeaseEvent::Changed(lease)) => {
                            prop_assert!(told.as_ref().is_some_and(|told| told != lease));
                            told = Some(lease.clone());
                        }
                        Action::Report(LeaseEvent::Renewed(lease)) => prop_assert_eq!(told.as_ref(), Some(lease)),
                        Action::Report(LeaseEvent::Lost { reason, .. }) => {
                            // A client before this one may have left something.
                            prop_assert!(told.is_some() || *reason == LeaseLoss::Expired);
                            told = None;
                        }
                        Action::SetTimer(at) => timer = *at,
                        Action::CloseSockets => prop_assert_eq!(machine.transaction(), None),
                        Action::Send(_) | Action::Transition { .. } => {}
                    }
                }
                if silent_stop {
                    told = None;
                }
                prop_assert_eq!(told.clone(), machine.lease().map(|told| told.lease(now)));
            }
            prop_assert!(timer.is_none_or(|at| at > now), "a timer that fires for ever");
        }
    }
}
