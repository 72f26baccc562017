// SPDX-License-Identifier: Apache-2.0

//! Router discovery on a link (RFC 4861 §6): what routers advertise besides the addresses, which the kernel makes.
//!
//! ```text
//!   commands ──▶ client ──events──▶ machine ──▶ heard     decide; no I/O, no clock, no randomness of their own
//!                 │  ▲                │
//!                 │  └────actions─────┘
//!            socket, codec                                 bytes, sockets
//! ```
//!
//! * [`message`]: what a router says, as types.
//! * [`codec`]: those types from bytes; trusts nothing that it reads.
//! * [`heard`]: what has been heard of which router, and what all of that means together.
//! * [`machine`]: asking and listening as a pure function of time and event.
//! * [`socket`]: the ICMPv6 socket.
//! * [`client`]: joins them for one link.
//!
//! The kernel hears the same advertisements. It takes the addresses, prefixes, MTU and hop limit of them, and makes the
//! default route unless it is told not to.

pub mod client;
pub mod codec;
pub mod heard;
pub mod machine;
pub mod message;
pub mod socket;
