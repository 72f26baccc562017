// SPDX-License-Identifier: Apache-2.0

//! The table of open questions, and their deadlines in order.

use std::collections::{BTreeSet, HashMap};

use nipart_plugin_sdk::codec::Envelope;
use nipart_schemas::error::{ErrorKind, NipartError};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Asker, PluginId};

/// Questions open at a time, of everybody.
const MAX_OPEN: usize = 16 * 1024;

/// A question that somebody is owed an answer to.
#[derive(Debug)]
pub(crate) struct OpenQuestion {
    pub(crate) asker: Asker,
    pub(crate) receiver: PluginId,
    pub(crate) deadline: Instant,
    pub(crate) envelope: Envelope,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct OpenQuestions {
    questions: HashMap<Uuid, OpenQuestion>,
    deadlines: BTreeSet<(Instant, Uuid)>,
}

impl OpenQuestions {
    pub(crate) fn add(&mut self, question: OpenQuestion) -> Result<(), NipartError> {
        if self.questions.len() >= MAX_OPEN {
            return Err(NipartError::new(
                ErrorKind::Busy,
                format!("{MAX_OPEN} questions are open already"),
            ));
        }
        let uuid = question.envelope.uuid;
        if self.questions.contains_key(&uuid) {
            return Err(NipartError::new(
                ErrorKind::Protocol,
                format!("question {uuid} is open already: every question needs its own uuid"),
            ));
        }
        self.deadlines.insert((question.deadline, uuid));
        self.questions.insert(uuid, question);
        Ok(())
    }

    pub(crate) fn close(&mut self, uuid: &Uuid) -> Option<OpenQuestion> {
        let question = self.questions.remove(uuid)?;
        self.deadlines.remove(&(question.deadline, *uuid));
        Some(question)
    }

    /// Closes one whose deadline has passed, if there is one.
    pub(crate) fn close_expired(&mut self, now: Instant) -> Option<OpenQuestion> {
        let (deadline, uuid) = *self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.close(&uuid)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    pub(crate) fn contains(&self, uuid: &Uuid) -> bool {
        self.questions.contains_key(uuid)
    }

    pub(crate) fn asker(&self, uuid: &Uuid) -> Option<Asker> {
        self.questions.get(uuid).map(|question| question.asker)
    }

    pub(crate) fn receiver(&self, uuid: &Uuid) -> Option<PluginId> {
        self.questions.get(uuid).map(|question| question.receiver)
    }

    pub(crate) fn of_receiver(&self, plugin: PluginId) -> Vec<Uuid> {
        self.select(|question| question.receiver == plugin)
    }

    pub(crate) fn of_asker(&self, asker: Asker) -> Vec<Uuid> {
        self.select(|question| question.asker == asker)
    }

    pub(crate) fn all(&self) -> Vec<Uuid> {
        self.select(|_| true)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.questions.len()
    }

    /// In the order of their uuids, which is the order in which they were asked.
    fn select(&self, wanted: impl Fn(&OpenQuestion) -> bool) -> Vec<Uuid> {
        let mut uuids: Vec<Uuid> = self
            .questions
            .iter()
            .filter(|(_, question)| wanted(question))
            .map(|(uuid, _)| *uuid)
            .collect();
        uuids.sort_unstable();
        uuids
    }
}
