// SPDX-License-Identifier: Apache-2.0

//! A client of `io.nipart`: one call at a time, each with a time limit.

use std::io;
use std::path::Path;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::request::{
    ApplyReport, CheckpointReport, HistoryDetail, HistoryEntry, PlanReport, Progress, StatusReport,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::call::{
    ApplyParameters, CheckpointParameters, GetTraceParameters, HistoryParameters,
    ListHistoryParameters, ListTracesParameters, NoParameters, OutgoingCall, PlanParameters,
    ShowParameters,
};
use crate::reply::{
    Applied, Checkpoints, HistoryEntries, IncomingReply, Planned, Plugin, Plugins, Pong, Shown,
    Subscribed, Trace, TraceEvent, TraceEvents, Traces,
};
use crate::transport::{self, MessageReader, MessageWriter, TransportError};
use crate::{APPLY_TIMEOUT, END_TIMEOUT, INTERFACE, READ_TIMEOUT};

/// How long the daemon may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the daemon gets beyond a call's own limit, so that its error arrives rather than ours.
const GRACE: Duration = Duration::from_secs(5);

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    reader: MessageReader,
    writer: MessageWriter,
}

impl Client {
    /// Connects to the daemon that listens at `socket`.
    ///
    /// # Errors
    /// When it can't be reached.
    pub async fn connect(socket: &Path) -> Result<Self, NipartError> {
        let (reader, writer) = transport::connect(socket, CONNECT_TIMEOUT)
            .await
            .map_err(|error| unreachable(socket, &error))?;
        Ok(Self { reader, writer })
    }

    /// Asks whether the daemon answers.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn ping(&mut self) -> Result<Pong, NipartError> {
        self.call("Ping", &NoParameters {}).await
    }

    /// Asks for a state. Gives its JSON text.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn show(&mut self, parameters: &ShowParameters) -> Result<String, NipartError> {
        self.state("Show", parameters).await
    }

    /// Applies a state, and tells `on_progress` how far it is.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn apply(
        &mut self,
        parameters: &ApplyParameters,
        mut on_progress: impl FnMut(&Progress),
    ) -> Result<ApplyReport, NipartError> {
        self.send("Apply", parameters, true).await?;
        let limit = parameters
            .timeout_ms
            .map_or(APPLY_TIMEOUT, Duration::from_millis);
        // What isn't done in time is taken back first.
        let limit = limit + END_TIMEOUT;
        let replies = async {
            loop {
                let message = self.next().await?;
                let applied: Applied<ApplyReport> =
                    understand(reply(&message)?.into_parameters()?)?;
                if let Some(report) = applied.report {
                    return Ok(report);
                }
                if let Some(progress) = applied.progress {
                    on_progress(&progress);
                }
            }
        };
        timeout(limit + GRACE, replies)
            .await
            .map_err(|_| too_late(limit + GRACE))?
    }

    /// Asks what an apply would do.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn plan(&mut self, parameters: &PlanParameters) -> Result<PlanReport, NipartError> {
        let planned: Planned<PlanReport> = self.call("Plan", parameters).await?;
        Ok(planned.report)
    }

    /// Has what a checkpoint has applied kept.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn commit(&mut self, checkpoint: Option<&str>) -> Result<(), NipartError> {
        self.end("Commit", checkpoint).await
    }

    /// Has what a checkpoint has applied taken back.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn rollback(&mut self, checkpoint: Option<&str>) -> Result<(), NipartError> {
        self.end("Rollback", checkpoint).await
    }

    /// Gives up a change that could not be taken back.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn forget(&mut self, checkpoint: &str) -> Result<(), NipartError> {
        self.end("Forget", Some(checkpoint)).await
    }

    /// Asks for the changes that wait to be committed, or that could not be taken back.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn checkpoints(&mut self) -> Result<Vec<CheckpointReport>, NipartError> {
        let reply: Checkpoints = self.call("ListCheckpoints", &NoParameters {}).await?;
        Ok(reply.checkpoints)
    }

    /// Asks whether the network is as saved.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn status(&mut self) -> Result<StatusReport, NipartError> {
        self.call("Status", &NoParameters {}).await
    }

    /// Asks for the state that would undo another one. Gives its JSON text.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn generate_revert(
        &mut self,
        parameters: &PlanParameters,
    ) -> Result<String, NipartError> {
        self.state("GenerateRevert", parameters).await
    }

    /// Asks for the newest committed changes.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn history(
        &mut self,
        limit: Option<usize>,
    ) -> Result<Vec<HistoryEntry>, NipartError> {
        let parameters = ListHistoryParameters { limit };
        let reply: HistoryEntries = self.call("ListHistory", &parameters).await?;
        Ok(reply.entries)
    }

    /// Asks for one committed change.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn history_entry(&mut self, id: u64) -> Result<HistoryDetail, NipartError> {
        self.call("GetHistory", &HistoryParameters { id }).await
    }

    /// Asks for the state that undoes all changes after one. Gives its JSON text.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn rollback_state(&mut self, id: u64) -> Result<String, NipartError> {
        self.state("GetRollbackState", &HistoryParameters { id })
            .await
    }

    /// Waits until the daemon ends the connection, or says what nobody asked for: the caller decides when it is enough.
    /// Dropped before that, nothing is lost.
    pub async fn hung_up(&mut self) -> NipartError {
        match self.reader.hung_up().await {
            Ok(()) => lost(ended()),
            Err(error) => lost(error.into()),
        }
    }

    /// Asks for all plugins.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn plugins(&mut self) -> Result<Vec<Plugin>, NipartError> {
        let reply: Plugins = self.call("ListPlugins", &NoParameters {}).await?;
        Ok(reply.plugins)
    }

    /// Asks for the newest chains.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn traces(&mut self, limit: Option<usize>) -> Result<Vec<Trace>, NipartError> {
        let parameters = ListTracesParameters { limit };
        let reply: Traces = self.call("ListTraces", &parameters).await?;
        Ok(reply.traces)
    }

    /// Asks for the events of a chain.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn trace(&mut self, id: &str) -> Result<Vec<TraceEvent>, NipartError> {
        let parameters = GetTraceParameters { id: id.to_string() };
        let reply: TraceEvents = self.call("GetTrace", &parameters).await?;
        Ok(reply.events)
    }

    /// Asks for every event from now on.
    ///
    /// # Errors
    /// What the daemon says.
    pub async fn subscribe(mut self) -> Result<Subscription, NipartError> {
        self.send("Subscribe", &NoParameters {}, true).await?;
        let message = self.receive(READ_TIMEOUT).await?;
        reply(&message)?.into_parameters()?;
        Ok(Subscription { client: self })
    }

    /// Ends a checkpoint.
    async fn end(&mut self, method: &str, checkpoint: Option<&str>) -> Result<(), NipartError> {
        let parameters = CheckpointParameters {
            checkpoint: checkpoint.map(str::to_string),
        };
        self.send(method, &parameters, false).await?;
        let message = self.receive(END_TIMEOUT + GRACE).await?;
        reply(&message)?.into_parameters().map(|_| ())
    }

    /// Asks for a state; its JSON text passes as it is.
    async fn state<P: Serialize>(
        &mut self,
        method: &str,
        parameters: &P,
    ) -> Result<String, NipartError> {
        self.send(method, parameters, false).await?;
        let message = self.receive(READ_TIMEOUT + GRACE).await?;
        let shown: Shown<'_> = understand(reply(&message)?.into_parameters()?)?;
        Ok(shown.state.get().to_string())
    }

    async fn call<P: Serialize, R: DeserializeOwned>(
        &mut self,
        method: &str,
        parameters: &P,
    ) -> Result<R, NipartError> {
        self.send(method, parameters, false).await?;
        let message = self.receive(READ_TIMEOUT + GRACE).await?;
        let parameters = reply(&message)?.into_parameters()?;
        serde_json::from_str(parameters).map_err(not_understood)
    }

    async fn send<P: Serialize>(
        &mut self,
        method: &str,
        parameters: &P,
        more: bool,
    ) -> Result<(), NipartError> {
        let call = OutgoingCall {
            method: format!("{INTERFACE}.{method}"),
            parameters,
            more,
        };
        let message = serde_json::to_string(&call)
            .map_err(|error| NipartError::new(ErrorKind::Bug, error.to_string()))?;
        self.writer
            .send(message)
            .await
            .map_err(|error| lost(error.into()))
    }

    async fn receive(&mut self, limit: Duration) -> Result<String, NipartError> {
        timeout(limit, self.next())
            .await
            .map_err(|_| too_late(limit))?
    }

    async fn next(&mut self) -> Result<String, NipartError> {
        match self.reader.next().await {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(lost(ended())),
            Err(error) => Err(lost(error.into())),
        }
    }
}

/// Events as they pass.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
}

impl Subscription {
    /// The next event. Waits for as long as nothing happens: the caller decides when it is enough.
    ///
    /// # Errors
    /// When the daemon has gone.
    pub async fn next(&mut self) -> Result<Subscribed, NipartError> {
        let message = self.client.next().await?;
        understand(reply(&message)?.into_parameters()?)
    }
}

fn reply(message: &str) -> Result<IncomingReply<'_>, NipartError> {
    understand(message)
}

fn understand<'message, T: serde::Deserialize<'message>>(
    text: &'message str,
) -> Result<T, NipartError> {
    serde_json::from_str(text).map_err(not_understood)
}

fn not_understood(error: serde_json::Error) -> NipartError {
    NipartError::new(
        ErrorKind::Protocol,
        format!("the daemon's reply is not understood: {error}"),
    )
}

fn too_late(limit: Duration) -> NipartError {
    NipartError::new(
        ErrorKind::Timeout,
        format!("the daemon has not answered within {} s", limit.as_secs()),
    )
}

fn ended() -> NipartError {
    NipartError::new(
        ErrorKind::DaemonUnreachable,
        "the daemon has closed the connection",
    )
}

fn lost(error: NipartError) -> NipartError {
    error.note("the connection to nipartd was lost: its log says why")
}

fn unreachable(socket: &Path, error: &TransportError) -> NipartError {
    let reason = match error {
        TransportError::Io(error) => match error.kind() {
            io::ErrorKind::NotFound => "there is no such socket: is nipartd running?".to_string(),
            io::ErrorKind::ConnectionRefused => {
                "nobody listens there: is nipartd running?".to_string()
            }
            io::ErrorKind::TimedOut => "the daemon doesn't accept connections".to_string(),
            _ => error.to_string(),
        },
        other => other.to_string(),
    };
    NipartError::new(
        ErrorKind::DaemonUnreachable,
        format!("can't connect to {}: {reason}", socket.display()),
    )
}
