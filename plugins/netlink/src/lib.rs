// SPDX-License-Identifier: Apache-2.0

//! The netlink engine of the `kernel` and `monitor` plugins: the only crate that talks `rtnetlink(7)`.
//!
//! Three kinds of sockets, because the kernel mixes badly what arrives on one:
//!
//! - [`DumpSocket`] asks questions: strict filters, one dump at a time, interrupted dumps retried.
//! - [`ApplySocket`] changes things: batches of up to 64 messages a system call, one result a message,
//!   with the kernel's own error text.
//! - [`MonitorSocket`] only listens. It is never asked anything, since a notification caused by another
//!   process may carry the sequence number of our own request.
//!
//! Asking and changing happen on a small thread per socket: the kernel does the work of a `sendmsg`
//! inside that call (tens of milliseconds for a batch of new interfaces, seconds when it deletes), and
//! the plugin's event loop has to answer heartbeats meanwhile. Everything that waits has a deadline;
//! after one has passed the socket is thrown away and a new one is opened.
//!
//! A socket belongs to the network namespace of the thread that opens it, which for Nipart's processes is
//! the namespace they were started in.
//!
//! Messages are built from the types in [`packet`] and wrapped as [`NetlinkRequest`]s.

mod apply;
mod dump;
mod error;
pub mod genl;
mod monitor;
mod parse;
mod request;
mod socket;
mod sockopt;
pub mod sysctl;
mod wire;
mod worker;

pub use apply::{ApplyOptions, ApplySocket, OnFailure};
pub use dump::filter::{LinkFilter, RouteFilter};
pub use dump::{DumpOptions, DumpSocket};
pub use error::{KernelError, NetlinkError};
pub use genl::GenericSocket;
pub use monitor::{MonitorEvent, MonitorGroup, MonitorOptions, MonitorSocket};
pub use request::NetlinkRequest;

/// Typed `rtnetlink(7)` messages; other crates name them through here, so that one crate pins their version.
pub use netlink_packet_route as packet;

/// Builders of typed messages, without the connection that they come with: messages go through [`ApplySocket`].
pub mod builder {
    pub use rtnetlink::{LinkMessageBuilder, LinkUnspec, RouteMessageBuilder, RouteNextHopBuilder};
}

/// What the typed messages are made of: attributes of unknown kind (`DefaultNla`), `NLM_F_*` flags, traits.
pub use netlink_packet_core as packet_core;
