// SPDX-License-Identifier: Apache-2.0

//! The DHCPv4 client of a link (RFC 2131).
//!
//! ```text
//!   commands ──▶ client ──events──▶ machine      decides; no I/O, no clock, no randomness of its own
//!                 │  ▲                │
//!                 │  └────actions─────┘
//!        socket, frame, codec                    bytes, sockets
//! ```
//!
//! * [`message`]: what the two sides say to each other, as types.
//! * [`codec`]: those types to bytes and back; trusts nothing that it reads.
//! * [`frame`]: IPv4 and UDP headers for the packet socket.
//! * [`granted`]: what a server granted, checked and with its times worked out.
//! * [`machine`]: the states of RFC 2131 §4.4 as a pure function of time and event.
//! * `client_id`: by what a client is known.
//! * [`socket`]: the packet socket, the UDP sender.
//! * [`client`]: the task that joins them for one link.

pub mod client;
mod client_id;
pub mod codec;
pub mod frame;
pub mod granted;
pub mod machine;
pub mod message;
pub mod socket;
