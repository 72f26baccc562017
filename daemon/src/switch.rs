// SPDX-License-Identifier: Apache-2.0

//! The event switch: who gets which event, and who is still owed an answer.
//!
//! A pure state machine. [`crate::exchange`] feeds it what happened and when, and carries out the [`Output`]s. It never
//! waits: whoever cannot be reached makes the question fail at once, except while his plugin is about to come (back).
//!
//! ```text
//!                  delivered           answered, or the asker told that it failed
//!   question ─────► open ────────────► closed
//!      │             ▲ │ asker gone ──► cancel to the receiver
//!      │  plugin up  │ │ deadline ────► `timeout` to the asker, cancel to the receiver
//!      └──► held ────┘ │ plugin lost ─► `plugin-failure` to the asker
//! ```
//!
//! Invariant: every question that was taken in is closed exactly once, at its deadline at the latest.

mod member;
mod open;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use nipart_plugin_sdk::codec::{self, Envelope};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, EventState, NipartEvent, Role};
use tokio::time::Instant;
use uuid::Uuid;

use self::member::Member;
pub(crate) use self::member::Presence;
use self::open::{OpenQuestion, OpenQuestions};

/// A plugin's place in the settings.
pub(crate) type PluginId = usize;

/// Longest deadline of a question; longer ones are cut.
const LONGEST_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// An event on its way: its envelope, and the frame that is passed on as it is.
#[derive(Debug, Clone)]
pub(crate) struct Passing {
    pub(crate) envelope: Envelope,
    pub(crate) frame: Bytes,
}

impl Passing {
    /// Of an event made here.
    pub(crate) fn of(event: &NipartEvent) -> Result<Self, NipartError> {
        Ok(Self {
            frame: codec::encode(event)?,
            envelope: codec::envelope(event),
        })
    }
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A client of the public API.
    Client,
    /// A plugin.
    Plugin(PluginId),
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Output {
    /// Remember that this event passed.
    Passed { envelope: Envelope, bytes: usize },
    /// Put this into the plugin's queue; if it has no room, say so with [`Switch::refused`].
    Deliver { plugin: PluginId, passing: Passing },
    /// Progress or answer for the client who asked `question`.
    Client { question: Uuid, passing: Passing },
}

/// Members, open questions, and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    members: Vec<Member>,
    by_role: HashMap<Role, PluginId>,
    open: OpenQuestions,
    outputs: Vec<Output>,
}

impl Switch {
    /// Adds a plugin that is about to be started.
    pub(crate) fn add(&mut self, name: &str, roles: &[Role]) -> PluginId {
        let plugin = self.members.len();
        self.members.push(Member::new(name, roles));
        for role in roles {
            self.by_role.insert(role.clone(), plugin);
        }
        plugin
    }

    /// What has to be done since the last time.
    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// When [`Switch::expire`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.open.next_deadline()
    }

    /// How many questions are open.
    #[cfg(test)]
    pub(crate) fn open_questions(&self) -> usize {
        self.open.len()
    }

    /// A plugin sent an event.
    pub(crate) fn plugin_sent(&mut self, now: Instant, plugin: PluginId, passing: Passing) {
        let envelope = &passing.envelope;
        let Some(member) = self.members.get(plugin) else {
            return;
        };
        if !member.roles.contains(&envelope.sender) {
            let error = NipartError::new(
                ErrorKind::PermissionDenied,
                format!(
                    "the {} plugin may not speak as {}",
                    member.name, envelope.sender
                ),
            );
            tracing::warn!(chain = %envelope.chain, "{error}");
            self.refuse(Asker::Plugin(plugin), envelope, error);
            return;
        }
        match envelope.state {
            EventState::Todo => self.todo(now, Some(Asker::Plugin(plugin)), passing),
            EventState::Ongoing | EventState::Done | EventState::Failed => {
                self.answer(plugin, passing);
            }
            EventState::Cancelled => {
                if let Some(question) = envelope.ref_uuid
                    && self.open.asker(&question) == Some(Asker::Plugin(plugin))
                {
                    self.cancel(question);
                }
            }
        }
    }

    /// A client asks. The answer is for the question's uuid.
    pub(crate) fn client_asked(&mut self, now: Instant, passing: Passing) {
        self.todo(now, Some(Asker::Client), passing);
    }

    /// The daemon tells the plugin of a role something.
    pub(crate) fn tell(&mut self, now: Instant, receiver: Role, data: EventData) {
        match Passing::of(&NipartEvent::root(Role::Daemon, receiver, data)) {
            Ok(passing) => self.todo(now, None, passing),
            Err(error) => tracing::error!("{error}"),
        }
    }

    /// The client who asked this has gone.
    pub(crate) fn client_gone(&mut self, question: Uuid) {
        if self.open.asker(&question) == Some(Asker::Client) {
            self.cancel(question);
        }
    }

    /// A plugin is there: what was held for it goes out.
    pub(crate) fn up(&mut self, plugin: PluginId, pid: Option<u32>) {
        let Some(member) = self.members.get_mut(plugin) else {
            return;
        };
        member.pid = pid;
        member.presence = Presence::Up;
        for passing in member.take_held() {
            let question = passing.envelope.deadline.is_some();
            // What was cancelled or has expired meanwhile has nobody waiting.
            if !question || self.open.contains(&passing.envelope.uuid) {
                self.outputs.push(Output::Deliver { plugin, passing });
            }
        }
    }

    /// A plugin is about to be lost: what it is still sent would never be read, and is held for its successor.
    pub(crate) fn closing(&mut self, plugin: PluginId) {
        if let Some(member) = self.members.get_mut(plugin) {
            member.presence = Presence::Coming;
        }
    }

    /// A plugin is not there: either soon back ([`Presence::Coming`]) or not ([`Presence::Away`]).
    ///
    /// What it was working on has failed, and what it asked is of no use to anybody.
    pub(crate) fn lost(&mut self, plugin: PluginId, presence: Presence, reason: &str) {
        let Some(member) = self.members.get_mut(plugin) else {
            return;
        };
        let who = member.describe();
        member.presence = presence;
        member.pid = None;
        let coming = member.presence == Presence::Coming;
        let held = member.held_events();
        if !coming {
            member.take_held();
        }
        for question in self.open.of_receiver(plugin) {
            let delivered = !held.contains(&question);
            if coming && !delivered {
                continue;
            }
            let Some(open) = self.open.close(&question) else {
                continue;
            };
            let kind = &open.envelope.kind;
            let error = NipartError::new(
                ErrorKind::PluginFailure,
                if delivered {
                    format!("{who} ended while it was working on `{kind}`: {reason}")
                } else {
                    format!("{who} cannot be asked `{kind}`: {reason}")
                },
            );
            self.refuse(open.asker, &open.envelope, error);
        }
        for question in self.open.of_asker(Asker::Plugin(plugin)) {
            self.cancel(question);
        }
    }

    /// A plugin's queue has no room for this. Its asker must not wait for what was never delivered.
    pub(crate) fn refused(&mut self, plugin: PluginId, envelope: &Envelope) {
        let Some(member) = self.members.get(plugin) else {
            return;
        };
        tracing::warn!(
            chain = %envelope.chain,
            "{} is slow: it does not read what it is sent; `{}` is refused",
            member.describe(),
            envelope.kind
        );
        let error = NipartError::new(
            ErrorKind::PluginFailure,
            format!(
                "{} is slow: its queue has no room for `{}`",
                member.describe(),
                envelope.kind
            ),
        );
        if envelope.state == EventState::Todo
            && let Some(open) = self.open.close(&envelope.uuid)
        {
            self.refuse(open.asker, &open.envelope, error);
        }
    }

    /// Closes what has passed its deadline.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(open) = self.open.close_expired(now) {
            let who = self
                .members
                .get(open.receiver)
                .map_or_else(String::new, Member::describe);
            let error = NipartError::new(
                ErrorKind::Timeout,
                format!(
                    "{who} has not answered `{}` within {} ms",
                    open.envelope.kind,
                    open.envelope.deadline.unwrap_or_default()
                ),
            );
            self.tell_cancelled(&open);
            self.refuse(open.asker, &open.envelope, error);
        }
    }

    /// Fails everything that is open: the daemon ends.
    pub(crate) fn end(&mut self) {
        for question in self.open.all() {
            if let Some(open) = self.open.close(&question) {
                let error = NipartError::new(ErrorKind::Cancelled, "nipartd is shutting down");
                self.refuse(open.asker, &open.envelope, error);
            }
        }
    }

    /// A question (it has a deadline, and `asker` is told) or something told.
    fn todo(&mut self, now: Instant, asker: Option<Asker>, passing: Passing) {
        let envelope = &passing.envelope;
        self.outputs.push(Output::Passed {
            envelope: envelope.clone(),
            bytes: passing.frame.len(),
        });
        let question = asker.zip(envelope.deadline);
        let Some(plugin) = self.by_role.get(&envelope.receiver).copied() else {
            let error = NipartError::new(
                ErrorKind::PluginFailure,
                format!("no plugin has the role `{}`", envelope.receiver),
            );
            self.refuse_unasked(asker, &passing, error);
            return;
        };
        let Some(member) = self.members.get_mut(plugin) else {
            return;
        };
        if let Err(error) = member.reachable(envelope) {
            self.refuse_unasked(asker, &passing, error);
            return;
        }
        if let Some((asker, milliseconds)) = question {
            let deadline = now + LONGEST_DEADLINE.min(Duration::from_millis(milliseconds));
            let open = OpenQuestion {
                asker,
                receiver: plugin,
                deadline,
                envelope: envelope.clone(),
            };
            if let Err(error) = self.open.add(open) {
                self.refuse_unasked(Some(asker), &passing, error);
                return;
            }
        }
        if member.presence == Presence::Up {
            self.outputs.push(Output::Deliver { plugin, passing });
        } else {
            member.hold(passing);
        }
    }

    /// Progress, or the answer that closes a question.
    fn answer(&mut self, plugin: PluginId, passing: Passing) {
        let Some(question) = passing.envelope.ref_uuid else {
            return;
        };
        if self.open.receiver(&question) != Some(plugin) {
            // Too late: cancelled, expired, or never asked.
            tracing::debug!(
                chain = %passing.envelope.chain,
                "`{}` of {} answers nothing that is open",
                passing.envelope.kind,
                passing.envelope.sender
            );
            return;
        }
        self.outputs.push(Output::Passed {
            envelope: passing.envelope.clone(),
            bytes: passing.frame.len(),
        });
        let asker = self.open.asker(&question);
        if passing.envelope.state != EventState::Ongoing {
            self.open.close(&question);
        }
        if let Some(asker) = asker {
            self.hand_over(asker, question, passing);
        }
    }

    fn cancel(&mut self, question: Uuid) {
        if let Some(open) = self.open.close(&question) {
            self.tell_cancelled(&open);
        }
    }

    /// Tells the receiver of a closed question to stop working on it.
    fn tell_cancelled(&mut self, open: &OpenQuestion) {
        let envelope = &open.envelope;
        let event = NipartEvent {
            state: EventState::Cancelled,
            ..envelope.follow_up(
                envelope.sender.clone(),
                envelope.receiver.clone(),
                EventData::Cancel,
            )
        };
        let Ok(passing) = Passing::of(&event) else {
            return;
        };
        self.outputs.push(Output::Passed {
            envelope: passing.envelope.clone(),
            bytes: passing.frame.len(),
        });
        let plugin = open.receiver;
        let up = self
            .members
            .get(plugin)
            .is_some_and(|member| member.presence == Presence::Up);
        if up {
            self.outputs.push(Output::Deliver { plugin, passing });
        }
    }

    /// Answers in the receiver's place.
    fn refuse(&mut self, asker: Asker, question: &Envelope, error: NipartError) {
        if question.state != EventState::Todo || question.deadline.is_none() {
            return;
        }
        match Passing::of(&question.answer(EventData::Error(error))) {
            Ok(passing) => {
                self.outputs.push(Output::Passed {
                    envelope: passing.envelope.clone(),
                    bytes: passing.frame.len(),
                });
                self.hand_over(asker, question.uuid, passing);
            }
            Err(error) => tracing::error!("{error}"),
        }
    }

    fn refuse_unasked(&mut self, asker: Option<Asker>, passing: &Passing, error: NipartError) {
        match asker {
            Some(asker) if passing.envelope.deadline.is_some() => {
                self.refuse(asker, &passing.envelope, error);
            }
            _ => {
                tracing::info!(chain = %passing.envelope.chain, "`{}` is lost: {error}", passing.envelope.kind)
            }
        }
    }

    fn hand_over(&mut self, asker: Asker, question: Uuid, passing: Passing) {
        self.outputs.push(match asker {
            Asker::Client => Output::Client { question, passing },
            Asker::Plugin(plugin) => Output::Deliver { plugin, passing },
        });
    }
}

#[cfg(test)]
mod tests;
