// SPDX-License-Identifier: Apache-2.0

//! The machine against a server made of a closure, on a clock that jumps from timer to timer.

mod declining;
mod keeping;
mod link;
mod obtaining;
mod properties;
mod settings;

use std::net::Ipv6Addr;

use nipart_schemas::lease::{Dhcpv6Lease, Lease};

use super::*;
use crate::clock::Random;
use crate::events::LeaseEvent;
use crate::v6::message::{
    Association, ClientMessage, ClientMessageKind, LentAddress, ServerDuid, ServerMessageKind,
    Status,
};

pub(super) type Event = machine::Event<ServerMessage>;
pub(super) type Action = machine::Action<ClientMessage>;

pub(super) const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77);
pub(super) const DNS_SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53);

/// A "random" number that gives no jitter at all, but for a first Solicit: that has its least.
pub(super) struct Middle;

impl Random for Middle {
    fn number(&mut self) -> u32 {
        1000
    }
}

pub(super) fn server() -> ServerDuid {
    ServerDuid(vec![0, 3, 1])
}

pub(super) fn other_server() -> ServerDuid {
    ServerDuid(vec![0, 3, 2])
}

pub(super) fn ipv6(lease: &Lease) -> &Dhcpv6Lease {
    match lease {
        Lease::Ipv6(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// A server: what it answers to a message that it hears at a time.
pub(super) type Server = Box<dyn FnMut(Duration, &ClientMessage) -> Vec<ServerMessage>>;

/// A message without an association.
pub(super) fn bare(kind: ServerMessageKind) -> ServerMessage {
    ServerMessage {
        kind,
        server: server(),
        status: Status::Success,
        text: None,
        preference: 0,
        rapid_commit: false,
        association: None,
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
        refresh_time: None,
        solicit_limit: None,
        information_limit: None,
    }
}

/// Lends one address: T1 and T2 are a half and 0.8 of `seconds`, the address ends after twice that.
pub(super) fn lending(kind: ServerMessageKind, seconds: u32) -> ServerMessage {
    let lent = LentAddress {
        address: ADDRESS,
        preferred_time: seconds,
        valid_time: seconds.saturating_mul(2),
    };
    ServerMessage {
        association: Some(Association {
            addresses: vec![lent],
            ..Association::default()
        }),
        ..bare(kind)
    }
}

/// A Reply that says this of the association.
pub(super) fn saying(status: Status) -> ServerMessage {
    ServerMessage {
        association: Some(Association {
            status,
            ..Association::default()
        }),
        ..bare(ServerMessageKind::Reply)
    }
}

/// An Advertise without addresses.
pub(super) fn without_addresses() -> ServerMessage {
    ServerMessage {
        status: Status::NoAddresses,
        ..bare(ServerMessageKind::Advertise)
    }
}

/// The answer of a server that does as it should.
pub(super) fn answer(message: &ClientMessage, seconds: u32) -> Vec<ServerMessage> {
    match message.kind {
        ClientMessageKind::Solicit => vec![lending(ServerMessageKind::Advertise, seconds)],
        ClientMessageKind::Request | ClientMessageKind::Renew | ClientMessageKind::Rebind => {
            vec![lending(ServerMessageKind::Reply, seconds)]
        }
        ClientMessageKind::InformationRequest => vec![ServerMessage {
            dns_servers: vec![DNS_SERVER],
            ..bare(ServerMessageKind::Reply)
        }],
        ClientMessageKind::Decline => vec![bare(ServerMessageKind::Reply)],
        ClientMessageKind::Release => Vec::new(),
    }
}

pub(super) fn honest(seconds: u32) -> Server {
    Box::new(move |_, message| answer(message, seconds))
}

pub(super) fn silent() -> Server {
    Box::new(|_, _| Vec::new())
}

/// The machine, its clock, its server, and all that happened.
pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) now: Duration,
    pub(super) server: Server,
    pub(super) sent: Vec<(Duration, ClientMessage)>,
    pub(super) reports: Vec<(Duration, LeaseEvent)>,
    timer: Option<Duration>,
}

impl World {
    pub(super) fn new(previous_address: Option<Ipv6Addr>, server: Server) -> World {
        World {
            machine: Machine::new("eth0", previous_address, Box::new(Middle)),
            // Not zero: times before the start must be possible.
            now: Duration::from_secs(1_000_000),
            server,
            sent: Vec::new(),
            reports: Vec::new(),
            timer: None,
        }
    }

    /// A started world.
    pub(super) fn started(server: Server) -> World {
        let mut world = World::new(None, server);
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
                    Action::Send(message) => {
                        let at = self.since_start();
                        let answers = (self.server)(at, &message);
                        self.sent.push((at, message));
                        waiting.extend(answers.into_iter().map(Event::Packet));
                    }
                    Action::Report(event) => self.reports.push((self.since_start(), event)),
                    Action::SetTimer(at) => self.timer = at,
                    Action::CloseSockets => assert_eq!(self.machine.transaction(), None),
                    Action::Transition { .. } => {}
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

    pub(super) fn since_start(&self) -> Duration {
        self.now - Duration::from_secs(1_000_000)
    }

    pub(super) fn state(&self) -> StateName {
        self.machine.state()
    }

    /// When messages of this kind went out, in seconds to the nearest hundredth.
    pub(super) fn times(&self, kind: ClientMessageKind) -> Vec<f64> {
        self.sent
            .iter()
            .filter(|(_, message)| message.kind == kind)
            .map(|(at, _)| seconds(*at))
            .collect()
    }

    pub(super) fn last_sent(&self) -> &ClientMessage {
        &self.sent.last().unwrap().1
    }

    /// What was reported, in short.
    pub(super) fn story(&self) -> Vec<String> {
        let addresses = |lease: &Lease| ipv6(lease).addresses.len();
        self.reports
            .iter()
            .map(|(at, event)| {
                let what = match event {
                    LeaseEvent::Acquired(lease) => format!("acquired {}", addresses(lease)),
                    LeaseEvent::Changed(lease) => format!("changed {}", addresses(lease)),
                    LeaseEvent::Renewed(lease) => format!("renewed {}", addresses(lease)),
                    LeaseEvent::Lost { reason, .. } => format!("lost {reason:?}"),
                };
                format!("{} {what}", seconds(*at))
            })
            .collect()
    }
}

/// Seconds to the nearest hundredth: the least jitter of a first Solicit is less.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100.0).round() / 100.0
}
