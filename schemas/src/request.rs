// SPDX-License-Identifier: Apache-2.0

//! What clients ask, and what they are answered.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network_state::NetworkState;
use crate::operation::Plan;
use crate::overlay::Difference;

/// Which state to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateSource {
    /// The kernel's, with what only Nipart knows: DHCP.
    #[default]
    Running,
    /// The kernel's alone.
    Kernel,
    /// What is saved.
    Saved,
}

/// Show a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ShowRequest {
    /// Only these interfaces and routes through them; empty for all.
    #[serde(default)]
    pub interfaces: Vec<String>,
    /// Which state.
    #[serde(default)]
    pub source: StateSource,
    /// Show secrets instead of `<hidden>`. The daemon sees to it that only those who may change ask for it.
    #[serde(default)]
    pub show_secrets: bool,
}

/// Make a state so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ApplyRequest {
    /// What is wanted.
    pub state: NetworkState,
    /// Check the outcome, and undo everything when it differs. Default true.
    #[serde(default = "yes")]
    pub verify: bool,
    /// Don't save: gone at the next start.
    #[serde(default)]
    pub memory_only: bool,
    /// Take everything back unless it is confirmed in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<ConfirmRequest>,
    /// Give up, and take everything back, after so many milliseconds; what is waited for has to come within them.
    /// Without it: when the question's own time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Fail at once when another change holds an interface, instead of waiting for it.
    #[serde(default)]
    pub no_wait: bool,
    /// For the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who asks; filled in by the daemon, from the peer's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Requester>,
}

impl ApplyRequest {
    /// How long the change waits for its confirmation.
    pub fn confirmation_time(&self) -> Option<Duration> {
        let seconds = self.confirm.map(|confirm| confirm.timeout);
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }
}

/// How a change waits for its confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ConfirmRequest {
    /// How long, in seconds.
    pub timeout: u32,
}

/// Who asked for a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Requester {
    /// User id (`SO_PEERCRED`).
    pub uid: u32,
    /// Process id, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Name of the program (`/proc/PID/comm`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

fn yes() -> bool {
    true
}

/// What an apply has done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ApplyReport {
    /// Operations executed; 0 when everything was so already.
    pub operations: usize,
    /// The first of them, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// The chain, for `nipartctl trace show`; none without a daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Whether the outcome was checked.
    pub verified: bool,
    /// Whether it was saved.
    pub saved: bool,
    /// The checkpoint that waits for `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointReport>,
}

/// An applied change that is taken back unless it is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckpointReport {
    /// Its id: that of the apply's chain.
    pub id: String,
    /// Seconds until it is taken back.
    pub remaining: u32,
    /// Interfaces that it holds.
    pub interfaces: Vec<String>,
    /// Why it could not be taken back when that was tried; it is tried again after `remaining` seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Which checkpoint is meant: by its id, or the beginning of it; the newest when none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckpointRequest {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// Whether an interface is as it was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// It is as saved.
    InSync,
    /// Somebody changed it.
    Drifted,
    /// It isn't there yet.
    Pending,
    /// It could not be made so.
    Failed,
}

/// How one saved interface compares with the kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InterfaceStatus {
    /// Its name; `routes`, `route-rules`, `dns-resolver` or `hostname` for what belongs to none.
    pub interface: String,
    /// The verdict.
    pub state: SyncState,
    /// What would have to be done to make it as saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How the network compares with what is saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StatusReport {
    /// Every saved interface.
    pub interfaces: Vec<InterfaceStatus>,
    /// Changes that wait for their confirmation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checkpoints: Vec<CheckpointReport>,
    /// What was taken back at the last start because it had not ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovered: Vec<String>,
}

/// One committed change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HistoryEntry {
    /// Its number; later changes have higher ones.
    pub id: u64,
    /// When: seconds since the Unix epoch.
    pub time: u64,
    /// Who.
    #[serde(default)]
    pub requester: Requester,
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The chain, for `nipartctl trace show`.
    pub trace: String,
    /// How many operations it took.
    pub operations: usize,
    /// The first of them, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// One committed change, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HistoryDetail {
    /// In short.
    pub entry: HistoryEntry,
    /// What was asked for.
    pub desired: NetworkState,
    /// A state that undoes it.
    pub revert: NetworkState,
    /// The whole saved state after it; none when that is no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<NetworkState>,
}

impl HistoryDetail {
    /// Replaces each secret by `<hidden>`.
    pub fn hide_secrets(&mut self) {
        let states = [&mut self.desired, &mut self.revert];
        for state in states.into_iter().chain(&mut self.saved) {
            state.hide_secrets();
        }
    }
}

/// Which part of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryRequest {
    /// The newest entries, newest first.
    List {
        /// At most so many.
        limit: usize,
    },
    /// One entry, whole.
    Show {
        /// Its number.
        id: u64,
    },
    /// A state that undoes all changes after this one.
    RollbackTo {
        /// Its number.
        id: u64,
    },
}

/// The answer to a [`HistoryRequest`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryReport {
    /// To `list`.
    Entries(Vec<HistoryEntry>),
    /// To `show`.
    Detail(Box<HistoryDetail>),
    /// To `rollback-to`.
    State(Box<NetworkState>),
}

/// Tell what an apply would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlanRequest {
    /// What is wanted.
    pub state: NetworkState,
}

/// What an apply would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlanReport {
    /// The operations that would be executed.
    pub plan: Plan,
    /// What would change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// How far a question is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Progress {
    /// What is being done.
    pub message: String,
    /// Steps done.
    pub done: usize,
    /// Steps in all; 0 when unknown.
    pub total: usize,
}

/// How much of the kernel's network to read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueryScope {
    /// Only these interfaces, with their controllers, ports, base interfaces and veth peers; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
    /// Whether routes are wanted: those through the interfaces of the scope.
    #[serde(default)]
    pub routes: bool,
    /// Whether name resolution and host names are wanted.
    #[serde(default)]
    pub dns: bool,
    /// Leave out the routes that the kernel keeps for addresses: a third of all that there is to tell, and of no
    /// interest to who only wants to know whether links and addresses are as they should be.
    #[serde(default)]
    pub without_connected_routes: bool,
    /// Also routes that lead through none of them, when an `absent` entry may mean any.
    #[serde(default)]
    pub all_routes: bool,
    /// Whether rules are wanted: all of them.
    #[serde(default)]
    pub rules: bool,
    /// The interfaces of which settings of the hardware are wanted, too: each takes questions of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hardware: Vec<String>,
    /// These settings also of all network cards of the scope.
    #[serde(default)]
    pub cards: bool,
    /// Only addresses by which others can reach the interface: neither those of the link alone, nor those of which it
    /// isn't known that nobody else has them (RFC 4862 §5.4).
    #[serde(default)]
    pub usable_addresses: bool,
}
