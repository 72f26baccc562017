// SPDX-License-Identifier: Apache-2.0

//! What clients ask, and what they are answered.

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
    /// Also routes that lead through none of them, when an `absent` entry may mean any.
    #[serde(default)]
    pub all_routes: bool,
}
