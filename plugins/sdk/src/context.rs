// SPDX-License-Identifier: Apache-2.0

//! On whose behalf an event is sent, and how long that one still waits.

use std::time::Duration;

use nipart_schemas::event::{EventData, NipartEvent, Role};
use tokio::time::Instant;
use uuid::Uuid;

/// What a follow-up event takes from the question that it serves: chain, parent, deadline, and as whom we speak.
#[derive(Debug, Clone)]
pub struct EventContext {
    role: Role,
    parent: Option<Uuid>,
    chain: Uuid,
    deadline: Option<Instant>,
}

impl EventContext {
    /// A new chain that nobody asked for: a start, a timer, a notification.
    pub fn root(role: Role) -> Self {
        Self {
            role,
            parent: None,
            chain: Uuid::now_v7(),
            deadline: None,
        }
    }

    /// The context of somebody's question to us, which has just arrived.
    pub fn of<D>(event: &NipartEvent<D>) -> Self {
        Self {
            role: event.receiver.clone(),
            parent: Some(event.uuid),
            chain: event.chain,
            deadline: event.deadline.and_then(|milliseconds| {
                Instant::now().checked_add(Duration::from_millis(milliseconds))
            }),
        }
    }

    /// The same context with a budget of at most `timeout` from now on.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.deadline = Some(Instant::now() + self.remaining(timeout));
        self
    }

    /// The same context without a deadline: for what must be finished although nobody waits, such as a revert.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.deadline = None;
        self
    }

    /// The chain's root request.
    pub fn chain(&self) -> Uuid {
        self.chain
    }

    /// As whom we speak.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// When the asker stops waiting.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// `timeout`, or what is left until the deadline if that is less.
    pub fn remaining(&self, timeout: Duration) -> Duration {
        match self.deadline {
            Some(deadline) => timeout.min(deadline.saturating_duration_since(Instant::now())),
            None => timeout,
        }
    }

    /// An event in this context. With a timeout it is a question, without one something told.
    pub(crate) fn event(
        &self,
        receiver: Role,
        data: EventData,
        timeout: Option<Duration>,
    ) -> NipartEvent {
        NipartEvent {
            ref_uuid: self.parent,
            chain: self.chain,
            deadline: timeout.map(|timeout| {
                u64::try_from(timeout.as_millis())
                    .unwrap_or(u64::MAX)
                    .max(1)
            }),
            ..NipartEvent::root(self.role.clone(), receiver, data)
        }
    }
}
