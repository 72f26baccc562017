// SPDX-License-Identifier: Apache-2.0

//! The machine against a server made of a closure, on a clock that jumps from timer to timer.

mod commands;
mod keeping;
mod obtaining;
mod properties;

use std::net::Ipv4Addr;

use nipart_schemas::lease::{Dhcpv4Lease, Lease};

use super::*;
use crate::clock::Random;
use crate::events::LeaseEvent;
use crate::machine::Granted as _;
use crate::v4::message::{ClientMessageKind, ServerMessageKind};

pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const OTHER_SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);
pub(super) const NEIGHBOUR: LinkAddress = LinkAddress([2, 0, 0, 0, 0, 1]);

/// A "random" number that gives jitter at its lowest, its middle, or its highest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Jitter {
    Lowest,
    Middle,
    Highest,
}

pub(super) const JITTERS: [Jitter; 3] = [Jitter::Lowest, Jitter::Middle, Jitter::Highest];

impl Random for Jitter {
    fn number(&mut self) -> u32 {
        match self {
            Jitter::Lowest => 0,
            Jitter::Middle => 1000,
            // The largest multiple of 2001 below 2³², less one.
            Jitter::Highest => u32::MAX - u32::MAX % 2001 - 1,
        }
    }
}

pub(super) fn ipv4(lease: &Lease) -> &Dhcpv4Lease {
    match lease {
        Lease::Ipv4(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// A server: what it answers to a message that it hears at a time.
pub(super) type Server = Box<dyn FnMut(Duration, &ClientMessage) -> Vec<ServerMessage>>;

pub(super) fn reply(kind: ServerMessageKind, lease_time: u32) -> ServerMessage {
    ServerMessage {
        kind,
        address: ADDRESS,
        server: SERVER,
        prefix_length: Some(24),
        routers: vec![SERVER],
        classless_routes: None,
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
        mtu: None,
        lease_time: Some(lease_time),
        renewal_time: None,
        rebinding_time: None,
        text: None,
        rapid_commit: false,
        ipv6_only_wait: None,
    }
}

/// The answer of a server that does as it should.
pub(super) fn answer(message: &ClientMessage, lease_time: u32) -> Vec<ServerMessage> {
    match message.kind {
        ClientMessageKind::Discover => vec![reply(ServerMessageKind::Offer, lease_time)],
        ClientMessageKind::Request => vec![reply(ServerMessageKind::Acknowledge, lease_time)],
        ClientMessageKind::Decline | ClientMessageKind::Release => Vec::new(),
    }
}

pub(super) fn honest(lease_time: u32) -> Server {
    Box::new(move |_, message| answer(message, lease_time))
}

pub(super) fn silent() -> Server {
    Box::new(|_, _| Vec::new())
}

pub(super) type Event = machine::Event<Packet>;
pub(super) type Action = machine::Action<Outgoing>;

/// The machine, its clock, its server, and all that happened.
pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) now: Duration,
    pub(super) server: Server,
    pub(super) sent: Vec<(Duration, ClientMessage, Path)>,
    pub(super) reports: Vec<(Duration, LeaseEvent)>,
    pub(super) transitions: Vec<StateName>,
    timer: Option<Duration>,
}

impl World {
    pub(super) fn new(previous_address: Option<Ipv4Addr>, jitter: Jitter, server: Server) -> World {
        World {
            machine: Machine::new("eth0", previous_address, Box::new(jitter)),
            // Not zero: times before the start must be possible.
            now: Duration::from_secs(1_000_000),
            server,
            sent: Vec::new(),
            reports: Vec::new(),
            transitions: Vec::new(),
            timer: None,
        }
    }

    /// A started world.
    pub(super) fn started(server: Server) -> World {
        let mut world = World::new(None, Jitter::Middle, server);
        world.event(Event::Start);
        world
    }

    /// Brings one event now, and whatever the server answers to what the machine says.
    pub(super) fn event(&mut self, event: Event) {
        let mut waiting = vec![event];
        while !waiting.is_empty() {
            let actions = self.machine.handle(self.now, waiting.remove(0));
            for action in actions {
                match action {
                    Action::Send(Outgoing { message, path }) => {
                        let at = self.since_start();
                        let answers = (self.server)(at, &message);
                        self.sent.push((at, message, path));
                        waiting.extend(answers.into_iter().map(|message| {
                            Event::Packet(Packet {
                                message,
                                from: NEIGHBOUR,
                            })
                        }));
                    }
                    Action::Report(event) => self.reports.push((self.since_start(), event)),
                    Action::Transition { to, .. } => self.transitions.push(to),
                    Action::SetTimer(at) => self.timer = at,
                    Action::CloseSockets => assert_eq!(self.machine.transaction(), None),
                }
            }
        }
    }

    /// Lets time pass until `seconds` after the beginning, with a timer event whenever one is due.
    pub(super) fn run_until(&mut self, seconds: u64) {
        let end = Duration::from_secs(1_000_000 + seconds);
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

    /// The host slept: time has passed and no timer fired.
    pub(super) fn sleep_until(&mut self, seconds: u64) {
        self.now = Duration::from_secs(1_000_000 + seconds);
    }

    pub(super) fn packet(&mut self, message: ServerMessage) {
        self.event(Event::Packet(Packet {
            message,
            from: NEIGHBOUR,
        }));
    }

    pub(super) fn since_start(&self) -> Duration {
        self.now - Duration::from_secs(1_000_000)
    }

    /// When messages of this kind went out, in seconds to the nearest millisecond.
    pub(super) fn times(&self, kind: ClientMessageKind) -> Vec<f64> {
        self.sent
            .iter()
            .filter(|(_, message, _)| message.kind == kind)
            .map(|(at, _, _)| seconds(*at))
            .collect()
    }

    pub(super) fn last_sent(&self) -> &(Duration, ClientMessage, Path) {
        self.sent.last().unwrap()
    }

    /// What was reported, in short.
    pub(super) fn story(&self) -> Vec<String> {
        self.reports
            .iter()
            .map(|(at, event)| {
                let what = match event {
                    LeaseEvent::Acquired(lease) => format!("acquired {}", ipv4(lease).address),
                    LeaseEvent::Changed(lease) => format!("changed {}", ipv4(lease).address),
                    LeaseEvent::Renewed(lease) => format!("renewed {}", ipv4(lease).address),
                    LeaseEvent::Lost { reason, .. } => format!("lost {reason:?}"),
                };
                format!("{} {what}", seconds(*at))
            })
            .collect()
    }
}

/// Seconds to the nearest millisecond: jitter in the tests' favourite middle moves T1 by microseconds.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
