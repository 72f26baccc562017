// SPDX-License-Identifier: Apache-2.0

//! Asking, telling and answering.

use std::time::Duration;

use bytes::Bytes;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, EventState, NipartEvent, Role};
use nipart_schemas::request::Progress;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::codec;
use crate::context::EventContext;
use crate::tasks::Outgoing;
use crate::tunnel::Expected;

/// How long one waits for a place in the writer's queue before the daemon counts as gone.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// The sending side of the tunnel. Clone it freely.
#[derive(Debug, Clone)]
pub struct Handle {
    outgoing: mpsc::Sender<Outgoing>,
    expected: mpsc::Sender<Expected>,
}

impl Handle {
    pub(crate) fn new(outgoing: mpsc::Sender<Outgoing>, expected: mpsc::Sender<Expected>) -> Self {
        Self { outgoing, expected }
    }

    /// Asks `receiver` and waits for its answer, for at most `timeout` and never longer than whoever asked us.
    ///
    /// The error is the answerer's own, or says that the deadline passed (`timeout`) or that the plugin is gone
    /// (`plugin-failure`). Dropping the future tells the receiver to stop (`cancel`).
    pub async fn ask(
        &self,
        context: &EventContext,
        receiver: Role,
        data: EventData,
        timeout: Duration,
    ) -> Result<EventData, NipartError> {
        self.ask_following(context, receiver, data, timeout, None)
            .await
    }

    /// As [`Handle::ask`], and passes the receiver's progress on to `progress`, as long as that has room.
    pub async fn ask_following(
        &self,
        context: &EventContext,
        receiver: Role,
        data: EventData,
        timeout: Duration,
        progress: Option<mpsc::Sender<Progress>>,
    ) -> Result<EventData, NipartError> {
        let timeout = context.remaining(timeout);
        let kind = data.name();
        let too_late = |receiver: &Role| {
            NipartError::new(
                ErrorKind::Timeout,
                format!(
                    "the {receiver} plugin has not answered `{kind}` within {} ms",
                    timeout.as_millis()
                ),
            )
        };
        if timeout.is_zero() {
            return Err(too_late(&receiver));
        }
        let event = context.event(receiver, data, Some(timeout));
        let frame = codec::encode(&event)?;
        let envelope = without_data(event);
        let (reply, answer) = oneshot::channel();
        let expected = Expected {
            uuid: envelope.uuid,
            reply,
            progress,
        };
        let asked = async {
            // Expected first: the tunnel must know the question before its answer can arrive.
            self.expected.send(expected).await.map_err(|_| gone())?;
            self.outgoing
                .send(Outgoing::Frame(frame))
                .await
                .map_err(|_| gone())?;
            let mut guard = CancelOnDrop {
                handle: self,
                question: &envelope,
                armed: true,
            };
            let answer = answer.await;
            guard.armed = false;
            answer.map_err(|_| gone())?
        };
        match tokio::time::timeout(timeout, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(too_late(&envelope.receiver)),
        }
    }

    /// Tells `receiver` something that wants no answer.
    pub async fn tell(
        &self,
        context: &EventContext,
        receiver: Role,
        data: EventData,
    ) -> Result<(), NipartError> {
        let frame = codec::encode(&context.event(receiver, data, None))?;
        self.send(frame).await
    }

    /// Waits until everything sent before is written, and ends the writer.
    pub(crate) async fn close(&self, timeout: Duration) {
        let (written, closed) = oneshot::channel();
        let _ = tokio::time::timeout(timeout, async {
            if self.outgoing.send(Outgoing::Close(written)).await.is_ok() {
                let _ = closed.await;
            }
        })
        .await;
    }

    pub(crate) async fn answer(&self, question: &NipartEvent<()>, data: EventData) {
        let frame = codec::encode(&question.answer(data))
            .or_else(|error| codec::encode(&question.answer(EventData::Error(error))));
        let result = match frame {
            Ok(frame) => self.send(frame).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(chain = %question.chain, "cannot answer `{}`: {error}", question.kind);
        }
    }

    /// Sends without waiting; what doesn't fit is lost.
    pub(crate) fn send_or_drop(&self, event: &NipartEvent) {
        match codec::encode(event) {
            Ok(frame) => {
                if self.outgoing.try_send(Outgoing::Frame(frame)).is_err() {
                    tracing::debug!(chain = %event.chain, "no room in the tunnel for `{}`", event.kind);
                }
            }
            Err(error) => tracing::warn!(chain = %event.chain, "{error}"),
        }
    }

    async fn send(&self, frame: Bytes) -> Result<(), NipartError> {
        match tokio::time::timeout(SEND_DEADLINE, self.outgoing.send(Outgoing::Frame(frame))).await
        {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(NipartError::new(
                ErrorKind::Timeout,
                "the daemon does not read what this plugin sends",
            )),
        }
    }
}

/// The error for an answer of a kind that `receiver` should not give.
pub fn unexpected(receiver: &Role, answer: &EventData) -> NipartError {
    NipartError::new(
        ErrorKind::Protocol,
        format!(
            "the {receiver} plugin answered with an unexpected `{}`",
            answer.name()
        ),
    )
}

fn gone() -> NipartError {
    NipartError::new(ErrorKind::Cancelled, "the daemon has gone")
}

pub(crate) fn without_data<D>(event: NipartEvent<D>) -> NipartEvent<()> {
    NipartEvent {
        uuid: event.uuid,
        ref_uuid: event.ref_uuid,
        chain: event.chain,
        state: event.state,
        sender: event.sender,
        receiver: event.receiver,
        deadline: event.deadline,
        kind: event.kind,
        data: (),
    }
}

/// Takes a question back that nobody waits for any more.
struct CancelOnDrop<'ask> {
    handle: &'ask Handle,
    question: &'ask NipartEvent<()>,
    armed: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.handle.send_or_drop(&NipartEvent {
                uuid: Uuid::now_v7(),
                ref_uuid: Some(self.question.uuid),
                chain: self.question.chain,
                state: EventState::Cancelled,
                sender: self.question.sender.clone(),
                receiver: self.question.receiver.clone(),
                deadline: None,
                kind: EventData::Cancel.name().to_string(),
                data: EventData::Cancel,
            });
        }
    }
}
