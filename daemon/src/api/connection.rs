// SPDX-License-Identifier: Apache-2.0

//! One connection: calls one after the other, each replied to before the next is read.
//!
//! Whatever a client does wrong (garbage, half a message, not reading its reply) ends its connection. A client that
//! hangs up during a call drops the call's future, which cancels the chain; what it should have committed is then
//! taken back.

use std::time::Duration;

use nipart_api::call::{Call, Request};
use nipart_api::reply::{self, CallError, Subscribed, TraceEvent};
use nipart_api::service;
use nipart_api::transport::{
    self, MAX_MESSAGE_LENGTH, MessageReader, MessageWriter, TransportError,
};
use nipart_schemas::event::EventData;
use serde::Serialize;
use tokio::net::UnixStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::kept::KeptCheckpoints;
use super::methods;
use super::peer::Peer;
use crate::handle::CoreHandle;

#[cfg(test)]
mod tests;

/// Longest message of a peer that may only read: a plan of some thousand interfaces.
const MAX_READER_MESSAGE_LENGTH: usize = 4 * 1024 * 1024;

/// How long a client may take from a message's first byte to its last.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Messages from this length on are parsed aside: the thread that everything else runs on must not stand still.
const LONG_MESSAGE: usize = 128 * 1024;

/// Progress that waits to be written; what comes on top is lost.
const PROGRESS_QUEUE: usize = 16;

/// Why a connection ends.
enum End {
    /// The client has gone, or the daemon stops.
    Quiet,
    /// The client did something wrong.
    Fault(String),
}

impl From<TransportError> for End {
    fn from(error: TransportError) -> Self {
        Self::Fault(error.to_string())
    }
}

impl From<serde_json::Error> for End {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(error.to_string())
    }
}

/// Serves one client until it goes, does something wrong, or the daemon stops.
pub(super) async fn serve(
    stream: UnixStream,
    peer: Peer,
    core: CoreHandle,
    stop: CancellationToken,
) {
    let limit = match peer.may_apply {
        true => MAX_MESSAGE_LENGTH,
        false => MAX_READER_MESSAGE_LENGTH,
    };
    let (reader, writer) = transport::split(stream, limit);
    let mut connection = Connection {
        reader,
        writer,
        peer,
        core,
        kept: KeptCheckpoints::default(),
    };
    connection.run(&stop).await;
    let Connection { core, kept, .. } = connection;
    // A daemon that stops leaves what waits to the next one.
    if !stop.is_cancelled() {
        kept.take_back(&core).await;
    }
}

struct Connection {
    reader: MessageReader,
    writer: MessageWriter,
    peer: Peer,
    core: CoreHandle,
    kept: KeptCheckpoints,
}

impl Connection {
    /// Answers calls until the end.
    async fn run(&mut self, stop: &CancellationToken) {
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                message = self.reader.next_within(MESSAGE_TIMEOUT) => match message {
                    Ok(Some(message)) => self.work(message, stop).await,
                    Ok(None) => return,
                    Err(error) => Err(error.into()),
                },
            };
            match ended {
                Ok(()) => {}
                Err(End::Quiet) => return,
                Err(End::Fault(reason)) => {
                    debug!(peer = %self.peer, reason, "an API client is dropped");
                    return;
                }
            }
        }
    }

    async fn work(&mut self, message: String, stop: &CancellationToken) -> Result<(), End> {
        let understood = match message.len() {
            0..LONG_MESSAGE => understand(&message)?,
            _ => spawn_blocking(move || understand(&message))
                .await
                .map_err(|error| End::Fault(error.to_string()))??,
        };
        let outcome = match understood.request {
            Ok(Request::Subscribe) if !understood.wants_more => Err(CallError::ExpectedMore),
            Ok(Request::Subscribe) => return self.subscribe(stop).await,
            Ok(request) => self.answer(request, understood.wants_more).await?,
            Err(error) => Err(error),
        };
        if !understood.is_oneway {
            let reply = match outcome {
                Ok(reply) => reply,
                Err(error) => reply::error_message(&error)?,
            };
            self.writer.send(reply).await?;
        }
        self.kept.told();
        Ok(())
    }

    /// Has the request answered, while watching whether the client is still there.
    async fn answer(
        &mut self,
        request: Request,
        wants_more: bool,
    ) -> Result<Result<String, CallError>, End> {
        let (progress, mut news) = mpsc::channel(PROGRESS_QUEUE);
        let progress = wants_more.then_some(progress);
        let answer = answer(&self.core, self.peer, &mut self.kept, request, progress);
        tokio::pin!(answer);
        loop {
            tokio::select! {
                biased;
                Some(progress) = news.recv() => {
                    let parameters = reply::Applied::<()> { progress: Some(progress), report: None };
                    self.writer.send(reply::message(&parameters, true)?).await?;
                }
                outcome = &mut answer => return Ok(outcome),
                hung_up = self.reader.hung_up() => {
                    hung_up?;
                    return Err(End::Quiet);
                }
            }
        }
    }

    /// Tells every event until the client hangs up.
    async fn subscribe(&mut self, stop: &CancellationToken) -> Result<(), End> {
        let mut events = self.core.subscribe();
        // The first reply says that nothing from here on is missed.
        let begun = reply::message(&Subscribed::default(), true)?;
        self.writer.send(begun).await?;
        let mut missed = 0;
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = stop.cancelled() => return Err(End::Quiet),
                hung_up = self.reader.hung_up() => {
                    hung_up?;
                    return Err(End::Quiet);
                }
            };
            match event {
                Ok(record) => {
                    let told = Subscribed {
                        event: Some(TraceEvent::from(record.as_ref())),
                        missed: (missed > 0).then_some(missed),
                    };
                    self.writer.send(reply::message(&told, true)?).await?;
                    missed = 0;
                }
                Err(RecvError::Lagged(lost)) => missed += lost,
                Err(RecvError::Closed) => return Err(End::Quiet),
            }
        }
    }
}

/// A call, understood or not, and how it wants to be replied to.
struct Understood {
    request: Result<Request, CallError>,
    wants_more: bool,
    is_oneway: bool,
}

fn understand(message: &str) -> Result<Understood, serde_json::Error> {
    let call: Call<'_> = serde_json::from_str(message)?;
    let is_oneway = call.oneway == Some(true);
    Ok(Understood {
        request: Request::understand(&call),
        wants_more: call.more == Some(true) && !is_oneway,
        is_oneway,
    })
}

/// The message that replies to a request with one reply.
async fn answer(
    core: &CoreHandle,
    peer: Peer,
    kept: &mut KeptCheckpoints,
    request: Request,
    progress: Option<mpsc::Sender<nipart_schemas::request::Progress>>,
) -> Result<String, CallError> {
    match request {
        Request::Ping => last(&methods::ping(core, peer)),
        Request::Show(parameters) => methods::show(core, peer, parameters).await,
        Request::Apply(parameters) => {
            methods::change::apply(core, peer, kept, *parameters, progress).await
        }
        Request::Commit(parameters) => {
            methods::change::end(core, peer, kept, parameters, EventData::Commit).await
        }
        Request::Rollback(parameters) => {
            methods::change::end(core, peer, kept, parameters, EventData::Rollback).await
        }
        Request::Forget(parameters) => {
            methods::change::end(core, peer, kept, parameters, EventData::Forget).await
        }
        Request::ListCheckpoints => methods::history::checkpoints(core).await,
        Request::Status => methods::history::status(core).await,
        Request::GenerateRevert(parameters) => {
            methods::history::generate_revert(core, *parameters).await
        }
        Request::ListHistory(parameters) => methods::history::list(core, parameters).await,
        Request::GetHistory(parameters) => methods::history::entry(core, parameters).await,
        Request::GetRollbackState(parameters) => {
            methods::history::rollback_state(core, peer, parameters).await
        }
        Request::Plan(parameters) => methods::plan(core, *parameters).await,
        Request::ListPlugins => last(&methods::plugins(core).await?),
        Request::ListTraces(parameters) => last(&methods::traces(core, parameters).await?),
        Request::GetTrace(parameters) => last(&methods::trace(core, &parameters.id).await?),
        Request::GetInfo => last(&service::information()),
        Request::GetInterfaceDescription(parameters) => {
            last(&service::description(&parameters.interface)?)
        }
        Request::Subscribe => Err(CallError::ExpectedMore),
    }
}

fn last<P: Serialize>(parameters: &P) -> Result<String, CallError> {
    reply::message(parameters, false).map_err(|error| methods::defect(&error).into())
}
