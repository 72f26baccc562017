// SPDX-License-Identifier: Apache-2.0

//! The DHCPv4 client as a state machine (RFC 2131 §4.4, figure 5).
//!
//! ```text
//!                            Stopped ──Start──▶ Unlinked ──link up──▶ (1)
//!                               ▲                  ▲
//!                              Stop             link down             from any state
//!
//!    (1) with a previous address                      (1) without one
//!         │                                                │
//!    ┌────▼─────┐  NAK, or silence  ┌────────┐  delay  ┌───▼─────┐
//!    │Rebooting ├──────────────────▶│ Init   ├────────▶│Selecting│◀─┐ retransmit DISCOVER
//!    └────┬─────┘                   └─▲──▲─▲─┘   up    └───┬───┬─┘  │ after 4, 8, 16, 32, 64, 64 … s
//!         │ACK                        │  │ │               │   └────┘
//!         │          NAK, no answer 60 s │ │               │OFFER, REQUEST sent
//!         │              ┌────────────┘  │ │          ┌────▼─────┐
//!         │              │               │ │          │Requesting│ retransmit REQUEST
//!         │              └───────────────┼─┼──────────┤          │ after 4, 8, 16 s
//!         │                              │ │          └────┬─────┘
//!    ┌────▼──────────────────────────────┼─┼───────────────▼ACK─┐
//!    │ Bound                             │ │                    │◀─────┐
//!    └────┬──────────────────────────────┼─┼────────────────────┘      │
//!         │T1: REQUEST to the server     │ │                           │ACK
//!    ┌────▼─────┐  NAK                   │ │                           │
//!    │Renewing  ├────────────────────────┘ │                           │
//!    └────┬───┬─┘                          │                           │
//!         │   └────────────────────────────┼───────────────────────────┤
//!         │T2: REQUEST to everybody        │                           │
//!    ┌────▼─────┐  NAK, lease expired      │                           │
//!    │Rebinding ├──────────────────────────┘                           │
//!    └────────┬─┘                                                      │
//!             └────────────────────────────────────────────────────────┘
//! ```
//!
//! The machine is a function of time and event: no I/O, no clock, no randomness of its own. One type and file per
//! state; a state consumes itself and names its successor, so that a lease cannot outlive the states that hold it.
//! `Machine::enter` is the only place where the state changes: it logs, publishes and sets the timer.
//!
//! Still to come, with room for it: conflict detection between the ACK and `Bound` (RFC 5227: a state that holds a
//! [`Granted`] and ends in `Bound` or, after a DECLINE, in `Init` with a delay of at least 10 s), rapid commit (a
//! `Selecting` that takes an ACK) and IPv6-only preferred (an `Init` with the delay that option 108 names).

mod bound;
mod extension;
mod idle;
mod init;
mod rebinding;
mod rebooting;
mod renewing;
mod requesting;
mod retransmission;
mod selecting;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use nipart_schemas::ip::IpFamily;
use nipart_schemas::lease::LeaseLoss;
use serde::{Deserialize, Serialize};

use crate::clock::Random;
use crate::events::LeaseEvent;
use crate::v4::granted::Granted;
use crate::v4::message::{ClientMessage, LinkAddress, Path, ServerMessage};

use state::State;

/// What happens to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Begin, at once if the link is up.
    Start,
    /// A server answered the exchange that [`Machine::transaction`] named.
    Packet {
        /// What it said.
        message: ServerMessage,
        /// Hardware address that the packet came from.
        from: LinkAddress,
    },
    /// The time of the last [`Action::SetTimer`] may have come. Harmless when early.
    Timer,
    /// The link has lost its carrier or is down.
    LinkDown,
    /// The link can carry packets.
    LinkUp,
    /// End.
    Stop {
        /// Tell the server and the listener that the address is free. Else the machine goes silently, and whoever
        /// stops it answers for the address.
        release: bool,
    },
}

/// What the machine wants done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send a message. Sockets that it needs are opened, and listened on, until [`Action::CloseSockets`].
    Send {
        /// What.
        message: ClientMessage,
        /// Where to and how.
        path: Path,
    },
    /// Tell the listener.
    Report(LeaseEvent),
    /// The state changed.
    Transition {
        /// Left.
        from: StateName,
        /// Entered.
        to: StateName,
    },
    /// Bring [`Event::Timer`] at this time on `CLOCK_BOOTTIME` in place of an earlier wish; `None`: not at all.
    SetTimer(Option<Duration>),
    /// No answer is awaited now. Closing a packet socket takes many milliseconds: do it out of the way.
    CloseSockets,
}

/// The states by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// Not started yet, or stopped.
    Stopped,
    /// Started, but the link is down.
    Unlinked,
    /// INIT: waits a while before it begins anew.
    Init,
    /// SELECTING: looks for servers.
    Selecting,
    /// REQUESTING: has taken an offer.
    Requesting,
    /// REBOOTING: asks for an address that it had before (INIT-REBOOT).
    Rebooting,
    /// BOUND: has a lease.
    Bound,
    /// RENEWING: asks its server for more time.
    Renewing,
    /// REBINDING: asks any server for more time.
    Rebinding,
}

impl fmt::Display for StateName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stopped => "stopped",
            Self::Unlinked => "unlinked",
            Self::Init => "init",
            Self::Selecting => "selecting",
            Self::Requesting => "requesting",
            Self::Rebooting => "rebooting",
            Self::Bound => "bound",
            Self::Renewing => "renewing",
            Self::Rebinding => "rebinding",
        })
    }
}

/// What outlives a state.
struct Context {
    /// Kernel name of the link.
    interface: String,
    /// Time of the event in hand.
    now: Duration,
    random: Box<dyn Random>,
    /// Whether the link can carry packets.
    link_is_up: bool,
    /// The address to ask for first, next time.
    previous_address: Option<Ipv4Addr>,
    /// NAKs since there was last a lease.
    refusals: u32,
    /// Answer to the event in hand.
    actions: Vec<Action>,
}

impl Context {
    fn send(&mut self, message: ClientMessage, path: Path) {
        self.actions.push(Action::Send { message, path });
    }

    fn report(&mut self, event: LeaseEvent) {
        self.actions.push(Action::Report(event));
    }

    fn report_loss(&mut self, reason: LeaseLoss) {
        let interface = self.interface.clone();
        self.report(LeaseEvent::Lost {
            interface,
            family: IpFamily::Ipv4,
            reason,
        });
    }

    /// Whole seconds since `start`, as `secs` of a message counts them.
    fn seconds_since(&self, start: Duration) -> u16 {
        u16::try_from(self.now.saturating_sub(start).as_secs()).unwrap_or(u16::MAX)
    }

    /// What an acknowledgement grants, counted from when its request went out.
    fn granted(
        &mut self,
        message: &ServerMessage,
        from: LinkAddress,
        sent_at: Duration,
    ) -> Option<Granted> {
        let fuzz = self.random.number();
        let granted = Granted::from_message(&self.interface, message, from, sent_at, fuzz)
            // A request may have travelled for longer than the lease lasts.
            .filter(|granted| !granted.is_expired(self.now));
        if granted.is_none() {
            tracing::warn!(interface = %self.interface, server = %message.server, "acknowledgement without a usable lease time ignored");
        }
        granted
    }
}

/// A DHCPv4 client for one link, without its sockets and its clock.
pub struct Machine {
    context: Context,
    state: State,
}

impl Machine {
    /// A machine in state `Stopped` for the link of this name, which counts as up until told otherwise.
    ///
    /// `previous_address` is asked for first (INIT-REBOOT, RFC 2131 §3.2).
    #[must_use]
    pub fn new(
        interface: &str,
        previous_address: Option<Ipv4Addr>,
        random: Box<dyn Random>,
    ) -> Machine {
        let context = Context {
            interface: interface.to_owned(),
            now: Duration::ZERO,
            random,
            link_is_up: true,
            previous_address,
            refusals: 0,
            actions: Vec::new(),
        };
        Machine {
            context,
            state: State::Stopped,
        }
    }

    /// Takes one event and says what to do. `now` is the time on `CLOCK_BOOTTIME` and must not go back.
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Action> {
        self.context.now = now;
        // An event that was held up (by suspend, say) must not keep alive what ran out before it came.
        if event != Event::Timer
            && self
                .state
                .lease()
                .is_some_and(|granted| granted.is_expired(now))
        {
            self.step(State::on_timer);
        }
        self.step(|state, context| match event {
            Event::Start => state.on_start(context),
            Event::Packet { message, from } => state.on_packet(&message, from, context),
            Event::Timer => match state.deadline() {
                Some(deadline) if deadline <= context.now => state.on_timer(context),
                _ => state,
            },
            Event::LinkDown => state.on_link_down(context),
            Event::LinkUp => state.on_link_up(context),
            Event::Stop { release } => state.on_stop(release, context),
        });
        self.context
            .actions
            .push(Action::SetTimer(self.state.deadline()));
        if self.state.transaction().is_none() {
            self.context.actions.push(Action::CloseSockets);
        }
        std::mem::take(&mut self.context.actions)
    }

    /// Name of the state.
    #[must_use]
    pub fn state(&self) -> StateName {
        self.state.name()
    }

    /// The lease in use, if there is one.
    #[must_use]
    pub fn lease(&self) -> Option<&Granted> {
        self.state.lease()
    }

    /// The exchange whose answers are awaited (`xid`), if any: other packets need not even be decoded.
    #[must_use]
    pub fn transaction(&self) -> Option<u32> {
        self.state.transaction()
    }

    /// Runs one step of the state and enters what comes of it.
    fn step(&mut self, step: impl FnOnce(State, &mut Context) -> State) {
        let from = self.state.name();
        // The placeholder is seen by nobody: `step` cannot reach the machine.
        let state = std::mem::replace(&mut self.state, State::Stopped);
        let next = step(state, &mut self.context);
        self.enter(from, next);
    }

    /// The only place where the state changes: logs and publishes the transition.
    fn enter(&mut self, from: StateName, next: State) {
        let to = next.name();
        self.state = next;
        if from != to {
            tracing::debug!(interface = %self.context.interface, %from, %to, "DHCP state changed");
            self.context.actions.push(Action::Transition { from, to });
        }
    }
}
