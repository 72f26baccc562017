// SPDX-License-Identifier: Apache-2.0

//! Nipart's DHCP plugin: a client per link and version of the protocol.
//!
//! ```text
//!   daemon ──commands──▶ v4, v6: one task per link
//!     ▲                    │
//!     └────LeaseEvent──────┘
//! ```
//!
//! * [`v4`]: DHCPv4 (RFC 2131).
//! * [`clock`]: a timer that counts suspend, and chance.
//! * [`events`]: what the daemon is told.
//!
//! A client never changes the kernel's network: it says what was lent, others act on it.

pub mod clock;
pub mod error;
pub mod events;
mod plugin;
pub mod v4;

pub use self::plugin::run;
