// SPDX-License-Identifier: Apache-2.0

//! The reading side of the tunnel: gives answers to whoever waits for them, and questions to the plugin's loop.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, EventState, NipartEvent, Role};
use nipart_schemas::request::Progress;
use serde_json::value::RawValue;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::codec::{self, FrameReader};
use crate::handle::{Handle, without_data};
use crate::memory::Memory;
use crate::plugin::Phase;
use crate::question::{Incoming, Question};
use crate::tasks::Outgoing;

/// Tables are swept of what nobody waits for when they have grown to this, or to twice what the last sweep left.
const SWEEP_AT_LEAST: usize = 64;

/// Somebody waits for the answer to the question `uuid`.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) uuid: Uuid,
    pub(crate) reply: oneshot::Sender<Result<EventData, NipartError>>,
    pub(crate) progress: Option<mpsc::Sender<Progress>>,
}

/// Owner of the socket's reading side and of the two tables.
pub(crate) struct Tunnel {
    reader: FrameReader<OwnedReadHalf>,
    outgoing: mpsc::Sender<Outgoing>,
    expected_queue: mpsc::Receiver<Expected>,
    incoming: mpsc::Sender<Incoming>,
    handle: Handle,
    phase: watch::Sender<Phase>,
    silence: Duration,
    expected: HashMap<Uuid, Expected>,
    /// Questions being worked on, and the way to tell that their asker has gone.
    working: HashMap<Uuid, watch::Sender<bool>>,
    sweep_at: usize,
    memory: Memory,
}

impl Tunnel {
    pub(crate) fn new(
        reader: FrameReader<OwnedReadHalf>,
        outgoing: mpsc::Sender<Outgoing>,
        expected_queue: mpsc::Receiver<Expected>,
        incoming: mpsc::Sender<Incoming>,
        handle: Handle,
        phase: watch::Sender<Phase>,
        silence: Duration,
    ) -> Self {
        Self {
            reader,
            outgoing,
            expected_queue,
            incoming,
            handle,
            phase,
            silence,
            expected: HashMap::new(),
            working: HashMap::new(),
            sweep_at: SWEEP_AT_LEAST,
            memory: Memory::default(),
        }
    }

    /// Reads until the daemon has gone, is silent, or breaks the protocol.
    pub(crate) async fn run(mut self) {
        match self.read_all().await {
            Ok(()) => tracing::debug!("the daemon closed the tunnel"),
            Err(error) => tracing::error!("the tunnel to the daemon ended: {error}"),
        }
        self.phase.send_replace(Phase::Ended);
    }

    async fn read_all(&mut self) -> Result<(), NipartError> {
        let mut silent_at = Instant::now() + self.silence;
        loop {
            let next = async {
                tokio::select! {
                    // Expectations first: each was queued before its question was sent.
                    biased;
                    Some(expected) = self.expected_queue.recv() => Next::Expected(expected),
                    frame = self.reader.next() => Next::Frame(frame),
                }
            };
            match timeout_at(silent_at, next).await {
                Ok(Next::Expected(expected)) => {
                    self.sweep();
                    self.expected.insert(expected.uuid, expected);
                }
                Ok(Next::Frame(Ok(Some(frame)))) => {
                    silent_at = Instant::now() + self.silence;
                    self.take(&frame)?;
                }
                Ok(Next::Frame(Ok(None))) => return Ok(()),
                Ok(Next::Frame(Err(error))) => return Err(error),
                Err(_) => {
                    return Err(NipartError::new(
                        ErrorKind::Protocol,
                        format!(
                            "the daemon has sent nothing for {} ms, not even a heartbeat",
                            self.silence.as_millis()
                        ),
                    ));
                }
            }
        }
    }

    /// Only a broken envelope is an error of the tunnel. Broken data is its sender's, and answered.
    fn take(&mut self, frame: &Bytes) -> Result<(), NipartError> {
        let event: NipartEvent<&RawValue> = codec::decode(frame)?;
        let data: Result<EventData, NipartError> = codec::data(event.data).map_err(|error| {
            NipartError::new(
                ErrorKind::Protocol,
                format!(
                    "the {} plugin sent a `{}` that cannot be read: {error}",
                    event.sender, event.kind
                ),
            )
        });
        let envelope = without_data(event);
        match envelope.state {
            EventState::Todo => self.take_question(envelope, data),
            EventState::Ongoing => self.take_progress(&envelope, data),
            EventState::Done | EventState::Failed => self.take_answer(&envelope, data),
            EventState::Cancelled => {
                if let Some(cancelled) = envelope
                    .ref_uuid
                    .and_then(|uuid| self.working.remove(&uuid))
                {
                    cancelled.send_replace(true);
                }
            }
        }
        Ok(())
    }

    fn take_question(&mut self, envelope: NipartEvent<()>, data: Result<EventData, NipartError>) {
        match data {
            Ok(EventData::Heartbeat) => {
                self.send(&NipartEvent::root(
                    envelope.receiver,
                    Role::Daemon,
                    EventData::Heartbeat,
                ));
                self.memory.tend();
            }
            Ok(EventData::Shutdown) => {
                self.phase.send_if_modified(|phase| {
                    let running = *phase == Phase::Running;
                    if running {
                        *phase = Phase::Stopping;
                    }
                    running
                });
            }
            Ok(data) => {
                let (cancel, cancelled) = watch::channel(false);
                let uuid = envelope.uuid;
                let question = Question::new(envelope, cancelled, self.handle.clone());
                self.sweep();
                if question.wants_answer() {
                    self.working.insert(uuid, cancel);
                }
                self.deliver(Incoming { data, question });
            }
            Err(error) if envelope.deadline.is_some() => {
                self.send(&envelope.answer(EventData::Error(error)));
            }
            Err(error) => tracing::warn!(chain = %envelope.chain, "{error}"),
        }
    }

    /// Never waits for the plugin's loop: it may itself be waiting for an answer that only we can read.
    fn deliver(&mut self, incoming: Incoming) {
        match self.incoming.try_send(incoming) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(incoming)) => {
                let question = incoming.question;
                tracing::warn!(
                    chain = %question.context().chain(),
                    "too many questions wait: `{}` is refused",
                    incoming.data.name()
                );
                question.refuse_busy();
            }
            // The loop has ended; dropping the question answers it.
            Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    fn take_progress(&mut self, envelope: &NipartEvent<()>, data: Result<EventData, NipartError>) {
        let expected = envelope.ref_uuid.and_then(|uuid| self.expected.get(&uuid));
        if let (Some(progress), Ok(EventData::Progress(step))) = (
            expected.and_then(|expected| expected.progress.as_ref()),
            data,
        ) {
            // Who doesn't keep up misses steps, and that is all.
            let _ = progress.try_send(step);
        }
    }

    fn take_answer(&mut self, envelope: &NipartEvent<()>, data: Result<EventData, NipartError>) {
        // An answer that nobody expects any more is one to a question that was cancelled.
        if let Some(expected) = envelope
            .ref_uuid
            .and_then(|uuid| self.expected.remove(&uuid))
        {
            let answer = match data {
                Ok(EventData::Error(error)) | Err(error) => Err(error),
                Ok(data) => Ok(data),
            };
            let _ = expected.reply.send(answer);
        }
    }

    /// A heartbeat or refusal that finds no room is lost: the daemon has stopped reading, and will be missed soon.
    fn send(&self, event: &NipartEvent) {
        match codec::encode(event) {
            Ok(frame) => {
                let _ = self.outgoing.try_send(Outgoing::Frame(frame));
            }
            Err(error) => tracing::error!("{error}"),
        }
    }

    /// Forgets asks that were dropped and questions that were answered: neither can send a message that surely fits.
    fn sweep(&mut self) {
        if self.expected.len() + self.working.len() < self.sweep_at {
            return;
        }
        self.expected
            .retain(|_, expected| !expected.reply.is_closed());
        self.working.retain(|_, cancel| !cancel.is_closed());
        self.sweep_at = SWEEP_AT_LEAST.max(2 * (self.expected.len() + self.working.len()));
    }
}

/// What ended a wait of the tunnel.
enum Next {
    Expected(Expected),
    Frame(Result<Option<Bytes>, NipartError>),
}
