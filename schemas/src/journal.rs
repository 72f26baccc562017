// SPDX-License-Identifier: Apache-2.0

//! What the config plugin keeps on disk.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::network_state::NetworkState;
use crate::operation::Plan;
use crate::request::Requester;

/// A transaction that has begun: enough to undo it exactly, whoever has died meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Journal {
    /// The chain that it belongs to.
    pub id: Uuid,
    /// What the kernel had before, of everything that the plan touches.
    pub before: NetworkState,
    /// When that was, for life times that run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Moment>,
    /// What was going to be done.
    pub plan: Plan,
    /// Who asked for it and what for, for the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// It is done, and waits to be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
}

/// A moment of one boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Moment {
    /// `/proc/sys/kernel/random/boot_id` of the boot.
    pub boot_id: String,
    /// Milliseconds on `CLOCK_BOOTTIME`.
    pub milliseconds: u64,
}

/// Where a change comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Origin {
    /// Who.
    pub requester: Requester,
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An applied change that is undone unless it is committed before the deadline, or when the machine is booted anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Checkpoint {
    /// `/proc/sys/kernel/random/boot_id` of the boot that it was made in.
    pub boot_id: String,
    /// When it is undone: milliseconds on `CLOCK_BOOTTIME` of that boot.
    pub deadline_ms: u64,
    /// What is remembered when it is committed.
    pub commit: Commit,
}

/// The end of a transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalClosing {
    /// The chain.
    pub id: Uuid,
    /// What to remember; none when the transaction was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
}

/// What a transaction leaves behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Commit {
    /// Laid over what is remembered.
    pub state: NetworkState,
    /// Only until the next boot.
    #[serde(default)]
    pub volatile: bool,
}

/// How much of the saved state is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavedScope {
    /// These interfaces, those that name them or are named by them, and the routes through any of these; none for
    /// everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
    /// Only what is on disk, without what lasts until the next boot.
    #[serde(default)]
    pub persistent_only: bool,
}

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavedState {
    /// The saved state over the administrator's files.
    pub state: NetworkState,
    /// Transactions that never ended, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Journal>,
}
