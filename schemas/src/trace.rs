// SPDX-License-Identifier: Apache-2.0

//! What the daemon's switch remembers of the events that passed it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{EventState, Role};

/// One event as the switch saw it: the envelope, its size and when it passed. Never its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TraceRecord {
    /// The event.
    #[schemars(with = "String")]
    pub uuid: Uuid,
    /// The event that it answers or follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ref_uuid: Option<Uuid>,
    /// The root request.
    #[schemars(with = "String")]
    pub chain: Uuid,
    /// Name of what it carries.
    pub kind: String,
    /// Where it stood.
    #[schemars(with = "String")]
    pub state: EventState,
    /// Who said it.
    #[schemars(with = "String")]
    pub sender: Role,
    /// To whom.
    #[schemars(with = "String")]
    pub receiver: Role,
    /// Length of its frame in bytes.
    pub bytes: usize,
    /// When the switch saw it: microseconds since the Unix epoch, from a clock that never steps back.
    pub at_us: u64,
}

/// A chain in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TraceSummary {
    /// The root request.
    pub id: String,
    /// What was asked.
    pub kind: String,
    /// When the first event passed: microseconds since the Unix epoch.
    pub started_us: u64,
    /// From the first event to the last, in microseconds.
    pub duration_us: u64,
    /// Where the root question stands.
    #[schemars(with = "String")]
    pub state: EventState,
    /// How many events of the chain are still remembered.
    pub events: usize,
    /// Bytes of all of them.
    pub bytes: usize,
}
