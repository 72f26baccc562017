// SPDX-License-Identifier: Apache-2.0

//! Whom a chain talks to.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use nipart_plugin_sdk::{Cancellation, EventContext, Handle};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::journal::Journal;
use nipart_schemas::request::Progress;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::checkpoint::what_next;
use crate::created::Appearance;

/// The other side of every question that a chain asks.
pub trait Peers: Clone + Send + Sync {
    /// Asks the plugin of `receiver`; the answer comes within `timeout`, and within the chain's own budget.
    fn ask(
        &self,
        receiver: Role,
        data: EventData,
        timeout: Duration,
    ) -> impl Future<Output = Result<EventData, NipartError>> + Send;

    /// The same peers for work that must be finished although nobody waits for it any more.
    #[must_use]
    fn detached(&self) -> Self;

    /// The chain's id.
    fn chain(&self) -> Uuid;

    /// Whether whoever asked has gone.
    fn is_cancelled(&self) -> bool {
        false
    }

    /// Until when the chain may wait for what comes by itself; none where it wouldn't hear of it.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Tells whoever asked how far it is.
    fn progress(&self, _message: &str, _done: usize, _total: usize) {}

    /// The journal of a change that could not be taken back stays open. Says what becomes of it.
    fn left_open(&self, _journal: &Journal, _problem: &NipartError) -> String {
        "its journal is kept: nipartd takes it back when it is started".to_string()
    }

    /// Whether the chain has left a journal open: then it changes nothing more.
    fn has_left_open(&self) -> bool {
        false
    }

    /// These links, by name and number, were created by a change, or by taking one back.
    fn created(&self, _links: BTreeMap<String, u32>, _by: Appearance) {}
}

/// Whoever looks after what is left when a change was taken back, or could not be.
pub trait Caretaker: fmt::Debug + Send + Sync {
    /// Takes it over, with the locks of whoever gives it up.
    fn keep(&self, journal: Journal, problem: NipartError);

    /// Whether it has one of this chain.
    fn has(&self, chain: Uuid) -> bool;

    /// Remembers links that were created.
    fn created(&self, links: BTreeMap<String, u32>, by: Appearance);
}

/// The plugins, behind the daemon.
#[derive(Debug, Clone)]
pub struct EventPeers {
    handle: Handle,
    context: EventContext,
    cancellation: Option<Cancellation>,
    progress: Option<tokio::sync::mpsc::Sender<Progress>>,
    caretaker: Option<Arc<dyn Caretaker>>,
}

impl EventPeers {
    /// Peers for a chain in `context`.
    pub fn new(handle: Handle, context: EventContext) -> Self {
        Self {
            handle,
            context,
            cancellation: None,
            progress: None,
            caretaker: None,
        }
    }

    /// The same, which tell somebody what they take back, and leave to him what they can't.
    #[must_use]
    pub fn with_caretaker(self, caretaker: Arc<dyn Caretaker>) -> Self {
        Self {
            caretaker: Some(caretaker),
            ..self
        }
    }

    /// The same, with a budget of at most `limit` from now on.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self {
            context: self.context.within(limit),
            ..self
        }
    }

    /// Waits for `work` as long as the chain may.
    ///
    /// # Errors
    /// Kind `timeout`, when that is over.
    pub async fn in_time<W: Future>(&self, what: &str, work: W) -> Result<W::Output, NipartError> {
        let Some(deadline) = self.context.deadline() else {
            return Ok(work.await);
        };
        let late = |_| {
            NipartError::new(
                ErrorKind::Timeout,
                format!("{what} has not ended in time: nothing was done"),
            )
        };
        timeout_at(deadline, work).await.map_err(late)
    }

    /// Ends when whoever asked has gone; never where nobody can go.
    pub async fn cancelled(&self) {
        match self.cancellation.clone() {
            Some(mut cancellation) => cancellation.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// The same, which stop when the question is cancelled and tell its asker about progress.
    #[must_use]
    pub fn serving(
        self,
        cancellation: Cancellation,
        progress: tokio::sync::mpsc::Sender<Progress>,
    ) -> Self {
        Self {
            cancellation: Some(cancellation),
            progress: Some(progress),
            ..self
        }
    }
}

impl Peers for EventPeers {
    async fn ask(
        &self,
        receiver: Role,
        data: EventData,
        timeout: Duration,
    ) -> Result<EventData, NipartError> {
        self.handle
            .ask(&self.context, receiver, data, timeout)
            .await
    }

    fn detached(&self) -> Self {
        Self {
            context: self.context.clone().detached(),
            cancellation: None,
            ..self.clone()
        }
    }

    fn chain(&self) -> Uuid {
        self.context.chain()
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation
            .as_ref()
            .is_some_and(Cancellation::is_cancelled)
    }

    fn deadline(&self) -> Option<Instant> {
        self.context.deadline()
    }

    fn progress(&self, message: &str, done: usize, total: usize) {
        if let Some(progress) = &self.progress {
            // A full queue means that nobody reads: progress may get lost.
            let _ = progress.try_send(Progress {
                message: message.to_string(),
                done,
                total,
            });
        }
    }

    fn left_open(&self, journal: &Journal, problem: &NipartError) -> String {
        if let Some(caretaker) = &self.caretaker {
            caretaker.keep(journal.clone(), problem.clone());
        }
        what_next(journal.id)
    }

    fn has_left_open(&self) -> bool {
        let caretaker = self.caretaker.as_ref();
        caretaker.is_some_and(|caretaker| caretaker.has(self.chain()))
    }

    fn created(&self, links: BTreeMap<String, u32>, by: Appearance) {
        if let Some(caretaker) = &self.caretaker {
            caretaker.created(links, by);
        }
    }
}
