// SPDX-License-Identifier: Apache-2.0

//! Nipart's public interface: Varlink `io.nipart`.
//!
//! [`call`] has what clients ask, [`reply`] what they are answered, [`client`] asks, [`service`] says what the
//! service is, [`transport`] carries messages. The text of the interface, with what each method does, is
//! `io.nipart.varlink`; a test holds the types against it.

pub mod call;
pub mod client;
pub mod reply;
pub mod service;
pub mod transport;

#[cfg(test)]
mod tests;

use std::time::Duration;

/// Name of the interface.
pub const INTERFACE: &str = "io.nipart";

/// Text of the interface.
pub const INTERFACE_DESCRIPTION: &str = include_str!("../io.nipart.varlink");

/// Where the daemon listens unless its settings say otherwise.
pub const DEFAULT_SOCKET: &str = "/run/nipart/io.nipart";

/// How long an apply may take unless the caller says otherwise.
pub const APPLY_TIMEOUT: Duration = Duration::from_secs(120);

/// How long any other method may take.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the end of a checkpoint may take: it may have to wait for another change, and for plugins to be restarted.
pub const END_TIMEOUT: Duration = Duration::from_secs(250);

/// Entries that `ListHistory` gives unless the caller says otherwise.
pub const DEFAULT_HISTORY: usize = 20;

/// Chains that `ListTraces` gives unless the caller says otherwise.
pub const DEFAULT_TRACES: usize = 50;
