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
//! One type and file per state; what is not DHCPv4's own is in [`crate::machine`].
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

use std::time::Duration;

use crate::machine::{self, Granted as _};
use crate::v4::granted::Granted;
use crate::v4::message::{ClientMessage, LinkAddress, Path, ServerMessage};

pub(crate) use state::State;

pub use crate::machine::StateName;

/// A DHCPv4 client for one link, without its sockets and its clock.
pub(crate) type Machine = machine::Machine<State>;
/// What outlives a state.
type Context = machine::Context<State>;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    /// What a server said.
    pub(crate) message: ServerMessage,
    /// Hardware address that the packet came from.
    pub(crate) from: LinkAddress,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// What.
    pub(crate) message: ClientMessage,
    /// Where to and how.
    pub(crate) path: Path,
}

impl Context {
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
