// SPDX-License-Identifier: Apache-2.0

//! What comes in: questions, and things told.

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, NipartEvent, Role};
use nipart_schemas::request::Progress;
use tokio::sync::watch;

use crate::context::EventContext;
use crate::handle::Handle;

/// Something that arrived for the plugin's loop.
#[derive(Debug)]
pub struct Incoming {
    /// What is asked or told.
    pub data: EventData,
    /// Who asked, and the way to answer. For something told, answers go nowhere.
    pub question: Question,
}

/// An open question. Answering consumes it; dropping it unanswered answers `failed`, so that nobody waits in vain.
#[derive(Debug)]
pub struct Question {
    event: NipartEvent<()>,
    context: EventContext,
    cancellation: Cancellation,
    handle: Handle,
    open: bool,
}

impl Question {
    pub(crate) fn new(
        event: NipartEvent<()>,
        cancelled: watch::Receiver<bool>,
        handle: Handle,
    ) -> Self {
        Self {
            context: EventContext::of(&event),
            // Only a question has a deadline; something told wants no answer.
            open: event.deadline.is_some(),
            cancellation: Cancellation { cancelled },
            event,
            handle,
        }
    }

    /// The envelope.
    pub fn event(&self) -> &NipartEvent<()> {
        &self.event
    }

    /// Who asked.
    pub fn sender(&self) -> &Role {
        &self.event.sender
    }

    /// For asking others on behalf of this question.
    pub fn context(&self) -> &EventContext {
        &self.context
    }

    /// Whether somebody waits for an answer.
    pub fn wants_answer(&self) -> bool {
        self.open
    }

    /// Tells when the asker has gone. Work on the question may stop then.
    pub fn cancellation(&self) -> Cancellation {
        self.cancellation.clone()
    }

    /// Tells the asker how far it is. Dropped when the tunnel is busy: progress is never worth waiting for.
    pub fn progress(&self, progress: Progress) {
        if self.open {
            self.handle
                .send_or_drop(&self.event.answer(EventData::Progress(progress)));
        }
    }

    /// Answers. An error as data makes it a failure.
    pub async fn answer(mut self, data: EventData) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        self.handle.answer(&self.event, data).await;
    }

    /// Answers that it failed.
    pub async fn fail(self, error: NipartError) {
        self.answer(EventData::Error(error)).await;
    }

    /// Answers with a result.
    pub async fn finish(self, result: Result<EventData, NipartError>) {
        self.answer(result.unwrap_or_else(EventData::Error)).await;
    }

    /// Answers, without waiting, that too many questions wait already.
    pub(crate) fn refuse_busy(mut self) {
        if std::mem::take(&mut self.open) {
            let message = format!(
                "too many questions wait for the {} plugin",
                self.event.receiver
            );
            self.handle.send_or_drop(
                &self
                    .event
                    .answer(EventData::Error(NipartError::new(ErrorKind::Busy, message))),
            );
        }
    }

    /// Answers that this plugin doesn't know what to do with `data`.
    pub async fn refuse(self, data: &EventData) {
        let message = format!(
            "the {} plugin does not answer `{}`",
            self.event.receiver,
            data.name()
        );
        self.fail(NipartError::new(ErrorKind::NotSupported, message))
            .await;
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.open {
            let message = format!(
                "the {} plugin dropped `{}` without an answer",
                self.event.receiver, self.event.kind
            );
            self.handle
                .send_or_drop(&self.event.answer(EventData::Error(NipartError::new(
                    ErrorKind::PluginFailure,
                    message,
                ))));
        }
    }
}

/// Tells when a question's asker has gone, or the daemon.
#[derive(Debug, Clone)]
pub struct Cancellation {
    cancelled: watch::Receiver<bool>,
}

impl Cancellation {
    /// Whether the asker has gone.
    pub fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow() || self.cancelled.has_changed().is_err()
    }

    /// Ends when the asker has gone.
    pub async fn cancelled(&mut self) {
        // A closed channel says that the tunnel has ended, and with it every asker.
        let _ = self.cancelled.wait_for(|cancelled| *cancelled).await;
    }
}
