// SPDX-License-Identifier: Apache-2.0

//! Router discovery as a state machine (RFC 4861 §6.3.7, RFC 7559).
//!
//! ```text
//!   Stopped ──Start──▶ Unlinked ──link up──▶ Soliciting: asks after 0, 4, 8, 12, 20 … s
//!      ▲                  ▲                      │    ▲
//!     Stop             link down                 │    │ started once more
//!              from any state         a router   ▼    │
//!                                     is heard  Listening: nothing is asked; each thing that was heard ends by itself
//! ```
//!
//! News are told when what all routers say together is another than what was told last, and no more than once a second,
//! whoever floods the link. An advertisement that changes nothing but lifetimes is not told: nobody else counts them.

mod solicitation;
mod state;
#[cfg(test)]
mod tests;

use std::time::Duration;

use nipart_schemas::lease::{AdvertisedLease, Lease};

use crate::machine::{self, Granted};

pub use crate::machine::StateName;
pub(crate) use state::State;

/// Router discovery for one link, without its socket and its clock.
pub(crate) type Machine = machine::Machine<State>;
/// What outlives a state.
type Context = machine::Context<State>;

/// What was told last. Its times are looked after by the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told(pub(crate) AdvertisedLease);

impl Granted for Told {
    fn is_expired(&self, _now: Duration) -> bool {
        false
    }

    fn lends_the_same(&self, other: &Told) -> bool {
        self == other
    }

    fn lease(&self, _now: Duration) -> Lease {
        self.0.clone().into()
    }
}
