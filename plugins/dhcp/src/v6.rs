// SPDX-License-Identifier: Apache-2.0

//! The DHCPv6 client of a link (RFC 8415): addresses (IA_NA), and settings where there are no addresses.
//!
//! ```text
//!   commands ──▶ client ──events──▶ machine      decides; no I/O, no clock, no randomness of its own
//!                 │  ▲                │
//!                 │  └────actions─────┘
//!            socket, codec                       bytes, sockets
//! ```
//!
//! * [`message`]: what the two sides say to each other, as types.
//! * [`codec`]: those types to bytes and back; trusts nothing that it reads.
//! * [`granted`]: what a server granted, with its times worked out.
//! * [`machine`]: the states of RFC 8415 §18.2 as a pure function of time and event.
//! * `duid`: by what a client is known.
//! * [`socket`]: the UDP socket, and news of the link's own address.
//! * `frame`: the last word of a link whose IPv6 is off.
//! * [`duplicates`]: news of addresses that another host has.
//! * [`client`]: joins them for one link.
//!
//! Still to come: prefix delegation (§6.3), Reconfigure (§18.2.11, only with authentication). The unicast option is obsolete (RFC 9915) and not taken.

pub mod client;
pub mod codec;
mod duid;
pub mod duplicates;
mod frame;
pub mod granted;
pub mod machine;
pub mod message;
pub mod socket;
