// SPDX-License-Identifier: Apache-2.0

//! What a transaction is given, and what comes out of it.

use std::time::Duration;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::Interface;
use nipart_schemas::journal::{Journal, Origin};
use nipart_schemas::lease::{Lease, LeaseKey};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::Plan;
use nipart_schemas::unread::Unread;
use tokio::time::Instant;

/// How long what was done is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remember {
    /// On disk.
    Persistent,
    /// Until the next boot.
    Volatile,
    /// Not at all: it is remembered already.
    No,
}

/// What is to be made so, and how.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The wanted state.
    pub desired: NetworkState,
    /// What to do about interfaces that don't exist.
    pub missing: MissingInterfaces,
    /// Leases that are known already; asked for when none.
    pub leases: Option<Vec<Lease>>,
    /// Leases that are gone.
    pub without_lease: Vec<LeaseKey>,
    /// Decide about name resolution and host names, too.
    pub with_names: bool,
    /// Check the outcome.
    pub verify: bool,
    /// What to keep of it.
    pub remember: Remember,
    /// Who asks, and what for.
    pub origin: Option<Origin>,
    /// Leave alone what is wanted up and is down: a change has just brought it up, so somebody has set it down since.
    pub leaves_down: bool,
    /// Wait for the addresses without which interfaces of the wanted state aren't complete (`wait-ip`).
    pub awaits_addresses: bool,
    /// Keep the journal open, for so long, until the change is confirmed.
    pub confirm_within: Option<Duration>,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The operations.
    pub plan: Plan,
    /// Interfaces that are awaited.
    pub pending: Vec<String>,
    /// Whether the outcome was checked.
    pub verified: bool,
    /// The wanted state over what is remembered, of the interfaces that the wish names.
    pub merged: NetworkState,
    /// What the kernel had before.
    pub observed: Unread<NetworkState>,
    /// The change that waits.
    pub unconfirmed: Option<Unconfirmed>,
}

/// A change that was made and not committed.
#[derive(Debug, Clone)]
pub struct Unconfirmed {
    /// Its journal.
    pub journal: Journal,
    /// Until when it waits.
    pub deadline: Instant,
    /// The interfaces whose addresses it waits for; when there are none, for its confirmation.
    pub awaited: Vec<Interface>,
}
