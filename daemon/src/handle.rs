// SPDX-License-Identifier: Apache-2.0

//! What the public API may ask of the core.

use std::time::{Duration, Instant};

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, NipartEvent, Role};
use nipart_schemas::plugin::PluginReport;
use nipart_schemas::request::Progress;
use nipart_schemas::trace::{TraceRecord, TraceSummary};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot};
use uuid::Uuid;

/// Questions of clients that are worked on at a time.
pub(crate) const MAX_CALLS: usize = 1024;

/// Questions and commands for the core's loop.
#[derive(Debug)]
pub(crate) enum Request {
    /// A client asks.
    Call(Box<Call>),
    /// The client that asked this has gone.
    CallDropped(Uuid),
    /// What do the plugins do?
    Plugins(oneshot::Sender<Vec<PluginReport>>),
    /// The newest chains, at most so many.
    Traces(usize, oneshot::Sender<Vec<TraceSummary>>),
    /// One chain.
    Trace(Uuid, oneshot::Sender<Vec<TraceRecord>>),
}

/// A client's question on its way to the core's loop.
#[derive(Debug)]
pub(crate) struct Call {
    /// The question, with its deadline.
    pub(crate) event: NipartEvent,
    /// Where the answer goes.
    pub(crate) reply: oneshot::Sender<Result<Box<RawValue>, NipartError>>,
    /// Where progress goes.
    pub(crate) progress: Option<mpsc::Sender<Progress>>,
    /// Given back when the question is closed.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// The core, as seen by the API's tasks. Clone it freely.
#[derive(Debug, Clone)]
pub(crate) struct CoreHandle {
    requests: mpsc::Sender<Request>,
    permits: Arc<Semaphore>,
    events: broadcast::Sender<Arc<TraceRecord>>,
    started: Instant,
}

impl CoreHandle {
    /// A handle whose requests arrive at the other end of `requests`, and subscriptions follow `events`.
    pub(crate) fn new(
        requests: mpsc::Sender<Request>,
        events: broadcast::Sender<Arc<TraceRecord>>,
    ) -> Self {
        Self {
            requests,
            permits: Arc::new(Semaphore::new(MAX_CALLS)),
            events,
            started: Instant::now(),
        }
    }

    /// Asks `receiver` in a client's name: the root of a chain. Returns the chain and the answer's data, unparsed:
    /// the JSON of an [`EventData`], such as `{"state":{…}}`.
    ///
    /// Waits at most `deadline`. Dropping the future cancels the chain. Progress that finds `progress` full is lost.
    pub(crate) async fn call(
        &self,
        receiver: Role,
        data: EventData,
        deadline: Duration,
        progress: Option<mpsc::Sender<Progress>>,
    ) -> Result<(Uuid, Box<RawValue>), NipartError> {
        let event = NipartEvent::root(Role::Client, receiver, data);
        self.call_root(event, deadline, progress).await
    }

    /// The same for a question whose chain the caller wants to know before it is answered.
    pub(crate) async fn call_root(
        &self,
        mut event: NipartEvent,
        deadline: Duration,
        progress: Option<mpsc::Sender<Progress>>,
    ) -> Result<(Uuid, Box<RawValue>), NipartError> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| {
            NipartError::new(
                ErrorKind::Busy,
                format!("nipartd works on {MAX_CALLS} requests already"),
            )
        })?;
        event.deadline = Some(
            u64::try_from(deadline.as_millis())
                .unwrap_or(u64::MAX)
                .max(1),
        );
        let chain = event.chain;
        let (reply, answer) = oneshot::channel();
        self.send(Request::Call(Box::new(Call {
            event,
            reply,
            progress,
            permit,
        })))
        .await?;
        let mut guard = DropGuard {
            requests: &self.requests,
            chain: Some(chain),
        };
        let answer = answer.await.map_err(|_| stopping())?;
        guard.chain = None;
        answer.map(|data| (chain, data))
    }

    /// All plugins, in the order of the settings.
    pub(crate) async fn plugins(&self) -> Result<Vec<PluginReport>, NipartError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Plugins(reply)).await?;
        answer.await.map_err(|_| stopping())
    }

    /// The newest chains that are remembered, newest first, at most `limit`.
    pub(crate) async fn traces(&self, limit: usize) -> Result<Vec<TraceSummary>, NipartError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Traces(limit, reply)).await?;
        answer.await.map_err(|_| stopping())
    }

    /// The events of one chain that are remembered, oldest first.
    pub(crate) async fn trace(&self, chain: Uuid) -> Result<Vec<TraceRecord>, NipartError> {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Trace(chain, reply)).await?;
        let records = answer.await.map_err(|_| stopping())?;
        if records.is_empty() {
            return Err(NipartError::new(
                ErrorKind::NotFound,
                format!("no trace of {chain}: unknown, or forgotten since"),
            ));
        }
        Ok(records)
    }

    /// Every event from now on. Who lags loses the oldest ones, and is told how many (`RecvError::Lagged`).
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<TraceRecord>> {
        self.events.subscribe()
    }

    /// How long the daemon has been running.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// The daemon's version.
    pub(crate) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    async fn send(&self, request: Request) -> Result<(), NipartError> {
        self.requests.send(request).await.map_err(|_| stopping())
    }
}

fn stopping() -> NipartError {
    NipartError::new(ErrorKind::Cancelled, "nipartd is shutting down")
}

/// Tells the core that nobody waits for the answer any more.
struct DropGuard<'call> {
    requests: &'call mpsc::Sender<Request>,
    chain: Option<Uuid>,
}

impl Drop for DropGuard<'_> {
    fn drop(&mut self) {
        if let Some(chain) = self.chain {
            // Should the queue be full, the core still closes the question at its deadline.
            let _ = self.requests.try_send(Request::CallDropped(chain));
        }
    }
}
