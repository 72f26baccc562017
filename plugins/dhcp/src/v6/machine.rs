// SPDX-License-Identifier: Apache-2.0

//! The DHCPv6 client as a state machine (RFC 8415 §18.2).
//!
//! ```text
//!                     Stopped ──Start──▶ Unlinked ──link up──▶ (1)
//!                        ▲                  ▲
//!                       Stop             link down             from any state
//!
//!   (1) with a lease of before            (1) without one
//!        │                                     │
//!   ┌────▼────┐ silence for 3 s, "no"     ┌────▼─────┐◀─┐ Solicit again after
//!   │Rebooting├──────────────────────────▶│Soliciting├──┘ 1, 2, 4 … 3600 s
//!   │ REBIND  │        ┌─────────────────▶│          │◀────────────────────────────────────┐
//!   └────┬────┘        │                  └─┬──┬───┬─┘                                     │
//!        │             │          Advertise │  │   │ Advertise without addresses, only     │
//!        │             │ 10 times  ┌────────▼─┐│ ┌─▼───────────────────┐ no answer ────────┤
//!        │             ├───────────┤Requesting││ │InformationRequesting│                   │
//!        │             │    "no"   └─▲──────┬─┘│ └─┬───────────────────┘                   │
//!        │             │             │      │  │   │ Reply: settings, until the refresh    │
//!        │Reply        │   NoBinding │ Reply│  │   └───────────────────────────────────────┘
//!        │             │             │      │  │ Reply at once
//!   ┌────▼─────────────┼─────────────┼──────▼──▼─────┐
//!   │ Bound            │             │               │◀──┐
//!   └────┬─────────────┼─────────────┼───────────────┘   │
//!        │T1      ┌────┴─────┐ ──────┤                   │ Reply
//!        ├───────▶│ Renewing ├───────┼───────────────────┤
//!        │        └────┬─────┘       │                   │
//!        │T2      ┌────▼─────┐ ──────┘                   │
//!        └───────▶│Rebinding ├───────────────────────────┘
//!                 └────┬─────┘
//!                      └──▶ Soliciting: "no", or the last address has ended
//! ```
//!
//! A search that goes on while settings are held is called `Informed`. One type and file per state; what is not DHCPv6's own is in [`crate::machine`]. A lease stays in use, and reported,
//! while it is renewed, requested anew after NoBinding, or, if it has settings only, while addresses are looked for.
//!
//! Not drawn: from every state that has an address, the news that another host has it leads to `Declining`, and from there
//! to `Soliciting` after a while, or back to `Bound` with the addresses that are left.

mod bound;
mod declining;
mod exchange;
mod extension;
mod information;
mod rebinding;
mod rebooting;
mod renewing;
mod requesting;
mod soliciting;
mod state;
#[cfg(test)]
mod tests;

use std::net::Ipv6Addr;
use std::time::Duration;

use nipart_schemas::lease::LeaseLoss;

use crate::machine::{self, Granted as _};
use crate::v6::granted::Granted;
use crate::v6::message::ServerMessage;

pub(crate) use state::State;

pub use crate::machine::StateName;

/// A DHCPv6 client for one link, without its sockets and its clock.
pub(crate) type Machine = machine::Machine<State>;
/// What outlives a state.
type Context = machine::Context<State>;

/// What else outlives a state.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The lease that the link had when it went down.
    kept: Option<Granted>,
    /// How often in a row another host had what was leased: none of those leases was extended.
    conflicts: u32,
    /// SOL_MAX_RT and INF_MAX_RT, when a server gave them.
    solicit_limit: Option<Duration>,
    information_limit: Option<Duration>,
}

impl Context {
    /// Takes over limits that any message of a server may bring (RFC 8415 §18.2.9, §18.2.10).
    fn learn_limits(&mut self, message: &ServerMessage) {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let memory = &mut self.memory;
        memory.solicit_limit = message.solicit_limit.map(seconds).or(memory.solicit_limit);
        memory.information_limit = message
            .information_limit
            .map(seconds)
            .or(memory.information_limit);
    }

    /// What a Reply grants, counted from when its request went out.
    fn granted(
        &self,
        message: &ServerMessage,
        sent_at: Duration,
        before: Option<&Granted>,
    ) -> Option<Granted> {
        Granted::from_message(&self.interface, message, sent_at, before)
            // A request may have travelled for longer than the lease lasts.
            .filter(|granted| !granted.is_expired(self.now))
    }

    /// A server takes away, or doesn't give: the address of old is worth nothing now. Says how long to wait.
    ///
    /// The address of old was `refused`, too, if it was asked for: it may be on the link since a run of before.
    fn refused(
        &mut self,
        message: &ServerMessage,
        held: Option<&Granted>,
        refused: &[Ipv6Addr],
    ) -> Duration {
        let previous = self.previous_address.take();
        if held.is_some() || previous.is_some_and(|address| refused.contains(&address)) {
            self.report_loss(LeaseLoss::Refused);
        }
        let wait = self.wait_after_refusal();
        let association = message.association.as_ref();
        let status = (
            message.status,
            association.map(|association| association.status),
        );
        let text = message.text.as_deref().unwrap_or_default();
        tracing::info!(interface = %self.interface, server = %message.server, ?status, ?wait, text, "DHCPv6 server refused the address");
        wait
    }
}
