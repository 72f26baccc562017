// SPDX-License-Identifier: Apache-2.0

//! Nipart's DHCP plugin: DHCP clients and router discovery, a client per link and protocol.
//!
//! ```text
//!   daemon ──commands──▶ v4, v6, ra: one task per link
//!     ▲                    │
//!     └────LeaseEvent──────┘
//! ```
//!
//! * [`v4`]: DHCPv4 (RFC 2131).
//! * [`v6`]: DHCPv6 (RFC 8415).
//! * [`ra`]: router advertisements (RFC 4861).
//! * [`client`]: the task that joins machine, sockets and timer, for any of them.
//! * [`machine`]: what their state machines have in common.
//! * `identity`, [`link`], `names`: by what a client is known, what it must know of its link, domain names.
//! * `neighbours`: sockets of IPv6, which need an address of the link to speak from.
//! * `bpf`, `closing`: codes of socket filters, and sockets that take long to close.
//! * [`clock`]: a timer that counts suspend, and chance.
//! * [`events`]: what the daemon is told.
//!
//! A client never changes the kernel's network: it says what was lent, others act on it.

mod bpf;
pub mod client;
pub mod clock;
mod closing;
pub mod error;
pub mod events;
mod identity;
pub mod link;
pub mod machine;
mod names;
mod neighbours;
mod plugin;
pub mod ra;
pub mod v4;
pub mod v6;

pub use self::plugin::run;
