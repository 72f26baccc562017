// SPDX-License-Identifier: Apache-2.0

//! Nipart's DHCP plugin: a DHCPv4 client per link (RFC 2131).
//!
//! ```text
//!   daemon ──commands──▶ client ──events──▶ machine      decides; no I/O, no clock, no randomness of its own
//!     ▲                    │  ▲                │
//!     └────LeaseEvent──────┘  └────actions─────┘
//!                          │
//!                  socket, frame, codec, clock           bytes, sockets, timer
//! ```
//!
//! * [`message`]: what the two sides say to each other, as types.
//! * [`codec`]: those types to bytes and back; trusts nothing that it reads.
//! * [`frame`]: IPv4 and UDP headers for the packet socket.
//! * [`granted`]: what a server granted, checked and with its times worked out.
//! * [`machine`]: the states of RFC 2131 §4.4 as a pure function of time and event.
//! * `client_id`: by what a client is known.
//! * [`socket`], [`clock`]: the packet socket, the UDP sender, a timer that counts suspend.
//! * [`client`]: the task that joins them for one link.
//! * [`events`]: what the daemon is told.
//!
//! The client never changes the kernel's network: it says what was lent, others act on it.

pub mod client;
mod client_id;
pub mod clock;
pub mod codec;
pub mod error;
pub mod events;
pub mod frame;
pub mod granted;
pub mod machine;
pub mod message;
mod plugin;
pub mod socket;

pub use self::plugin::run;
