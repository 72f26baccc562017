// SPDX-License-Identifier: Apache-2.0

//! `NipartEvent`: the only thing that Nipart's processes say to each other.
//!
//! A question is `todo`; its answer is `done` or `failed` with `ref_uuid` = the question's `uuid`. All events
//! that one root request caused carry its uuid in `chain`. The daemon's switch reads the envelope only and
//! passes `data` through unparsed: that is what the type parameter is for.

mod data;
mod role;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::data::*;
pub use self::role::Role;

/// Version of frames, handshake and envelope. Peers with another one are refused at registration.
pub const PROTOCOL_VERSION: u32 = 1;

/// Largest frame that any peer accepts, in bytes.
pub const MAX_FRAME_LENGTH: usize = 64 * 1024 * 1024;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventState {
    /// A question that nobody has answered yet, or something told that wants no answer.
    Todo,
    /// Progress of a question; extends nobody's deadline but the client's wait.
    Ongoing,
    /// The answer.
    Done,
    /// The answer is an error.
    Failed,
    /// The asker has gone: stop working on `ref_uuid`.
    Cancelled,
}

/// One event: the envelope and its `data`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NipartEvent<D = EventData> {
    /// This event.
    pub uuid: Uuid,
    /// The event that it answers or follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_uuid: Option<Uuid>,
    /// The root request that it belongs to; equal to `uuid` at the root.
    pub chain: Uuid,
    /// Where it stands.
    pub state: EventState,
    /// Who says it.
    pub sender: Role,
    /// Whom it is for.
    pub receiver: Role,
    /// How long the asker still waits, in milliseconds from when it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u64>,
    /// Name of the variant of `data`, for switches and traces that don't parse it.
    pub kind: String,
    /// What is asked, answered or told.
    pub data: D,
}

impl NipartEvent {
    /// A question that starts a chain of its own.
    pub fn root(sender: Role, receiver: Role, data: EventData) -> Self {
        let uuid = Uuid::now_v7();
        Self {
            uuid,
            ref_uuid: None,
            chain: uuid,
            state: EventState::Todo,
            sender,
            receiver,
            deadline: None,
            kind: data.name().to_string(),
            data,
        }
    }
}

impl<D> NipartEvent<D> {
    /// A further question inside the chain of `self`.
    pub fn follow_up(&self, sender: Role, receiver: Role, data: EventData) -> NipartEvent {
        NipartEvent {
            ref_uuid: Some(self.uuid),
            chain: self.chain,
            ..NipartEvent::root(sender, receiver, data)
        }
    }

    /// The answer to `self`: `failed` when `data` is an error, else `done`.
    pub fn answer(&self, data: EventData) -> NipartEvent {
        let state = match &data {
            EventData::Error(_) => EventState::Failed,
            EventData::Progress(_) => EventState::Ongoing,
            _ => EventState::Done,
        };
        NipartEvent {
            state,
            ..self.follow_up(self.receiver.clone(), self.sender.clone(), data)
        }
    }
}
