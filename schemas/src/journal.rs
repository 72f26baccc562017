// SPDX-License-Identifier: Apache-2.0

//! What the config plugin keeps on disk.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::network_state::NetworkState;
use crate::operation::Plan;

/// A transaction that has begun: enough to undo it exactly, whoever has died meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Journal {
    /// The chain that it belongs to.
    pub id: Uuid,
    /// What the kernel had before, of everything that the plan touches.
    pub before: NetworkState,
    /// What was going to be done.
    pub plan: Plan,
}

/// The end of a transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct JournalClosing {
    /// The chain.
    pub id: Uuid,
    /// What to lay over the saved state; none when it was undone or is not to be saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<NetworkState>,
}

/// What is on disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavedState {
    /// The saved state over the administrator's files.
    pub state: NetworkState,
    /// Transactions that never ended, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Journal>,
}
