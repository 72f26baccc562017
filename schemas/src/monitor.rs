// SPDX-License-Identifier: Apache-2.0

//! Rules that turn kernel notifications into events.

use serde::{Deserialize, Serialize};

use crate::event::Role;

/// The condition of a link that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkCondition {
    /// It exists.
    Present,
    /// It doesn't exist.
    Absent,
    /// It exists, is administratively up and has carrier (`IFF_UP` and `IFF_LOWER_UP`).
    Up,
    /// It exists and is not up in that sense.
    Down,
    /// Something of it, or of its addresses, may have changed. Told by `links-changed`, many names at once.
    Changed,
    /// A route of ours through it has gone. Told by `links-changed`, too.
    Rerouted,
}

/// Tell `followup` each time that `interface` comes into one of the conditions, and at once when it is there already.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MonitorRule {
    /// Kernel name of the link; it need not exist.
    pub interface: String,
    /// Conditions that matter.
    pub interested: Vec<LinkCondition>,
    /// The condition that the asker knows the link to be in: not told until it has changed. Without it, a condition
    /// that holds already is told at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<LinkCondition>,
    /// Who is told.
    pub followup: Role,
}

/// A link came into a condition that a rule names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LinkChange {
    /// Kernel name of the link.
    pub interface: String,
    /// The condition that it is in now.
    pub condition: LinkCondition,
    /// Its number (`ifi_index`), as long as it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}
