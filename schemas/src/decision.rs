// SPDX-License-Identifier: Apache-2.0

//! What the state plugin is asked, and what it decides.

use serde::{Deserialize, Serialize};

use crate::lease::{Lease, LeaseKey};
use crate::network_state::NetworkState;
use crate::operation::Plan;
use crate::overlay::Difference;
use crate::unread::Unread;

/// Everything that a decision depends on: the same input always gives the same plan.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DecisionRequest {
    /// What is wanted.
    pub desired: NetworkState,
    /// What the kernel has, of everything that `desired` mentions.
    pub observed: Unread<NetworkState>,
    /// What we were told before: tells our addresses, routes and ports from those of others.
    pub saved: NetworkState,
    /// Leases on interfaces that `desired` mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leases: Vec<Lease>,
    /// Leases that are known to be gone: what one brought is taken off. Of the others without a lease
    /// nothing is known yet, and a leased address that is still there stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_lease: Vec<LeaseKey>,
    /// What to do about interfaces that don't exist.
    #[serde(default)]
    pub missing: MissingInterfaces,
    /// List the differences for people, too.
    #[serde(default)]
    pub explain: bool,
    /// Undo this transaction instead: `desired` is what was observed before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Plan>,
}

/// What to do about interfaces that are wanted, don't exist, and can't be created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingInterfaces {
    /// A user's apply: refuse the whole.
    #[default]
    Refuse,
    /// Start-up: leave them, and what depends on them, for when they appear.
    Await,
}

/// The state plugin's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// What to do, in order. Empty when everything is as wanted: that is also how verification succeeds.
    pub plan: Plan,
    /// The same as changes of the state, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// Interfaces that are awaited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<String>,
}
