// SPDX-License-Identifier: Apache-2.0

//! A plugin without a daemon: for tests of plugins, in one process.
//!
//! ```no_run
//! # async fn test() -> Result<(), nipart_schemas::error::NipartError> {
//! use std::time::Duration;
//! use nipart_plugin_sdk::testing;
//! use nipart_schemas::event::{EventData, Role};
//!
//! let (plugin, mut daemon) = testing::pair(vec![Role::Kernel])?;
//! // tokio::spawn(nipart_kernel::run(plugin));
//! let question = daemon
//!     .ask(Role::Commander, Role::Kernel, EventData::Heartbeat, Duration::from_secs(1))
//!     .await?;
//! let answer = daemon.answer_to(&question, Duration::from_secs(1)).await?;
//! # Ok(()) }
//! ```

use std::path::Path;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, EventState, NipartEvent, Role};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use uuid::Uuid;

use crate::codec::{self, FrameReader, write_frame};
use crate::environment::Environment;
use crate::plugin::Plugin;
use crate::tasks;

/// The daemon's end of the tunnel, and with it everybody whom the plugin talks to.
#[derive(Debug)]
pub struct DaemonEnd {
    reader: FrameReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// A connected plugin and the daemon's end of its tunnel. Directories are those of [`environment`] under `/nonexistent`.
pub fn pair(roles: Vec<Role>) -> Result<(Plugin, DaemonEnd), NipartError> {
    pair_in(environment(Path::new("/nonexistent")), roles)
}

/// As [`pair`], started with `environment`.
pub fn pair_in(
    environment: Environment,
    roles: Vec<Role>,
) -> Result<(Plugin, DaemonEnd), NipartError> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| {
        NipartError::new(
            ErrorKind::Bug,
            format!("cannot make a socket pair: {error}"),
        )
    })?;
    let (reader, writer) = tasks::split(theirs);
    let plugin = tasks::start(reader, writer, environment, roles);
    let (reader, writer) = tasks::split(ours);
    Ok((plugin, DaemonEnd { reader, writer }))
}

/// An environment whose directories are `run`, `state` and `states` in `directory`, with heartbeats off for an hour.
pub fn environment(directory: &Path) -> Environment {
    Environment {
        name: "test".to_string(),
        instance: "test-1".to_string(),
        token: "token".to_string(),
        socket: directory.join("run/plugins/test.sock"),
        core_socket: directory.join("run/plugins/_core.sock"),
        run_dir: directory.join("run"),
        state_dir: directory.join("state"),
        states_dir: directory.join("states"),
        heartbeat: Duration::from_secs(3600),
    }
}

impl DaemonEnd {
    /// Asks the plugin something in somebody's name, and returns the question's uuid.
    pub async fn ask(
        &mut self,
        sender: Role,
        receiver: Role,
        data: EventData,
        deadline: Duration,
    ) -> Result<Uuid, NipartError> {
        let mut event = NipartEvent::root(sender, receiver, data);
        event.deadline = u64::try_from(deadline.as_millis()).ok();
        self.send(&event).await?;
        Ok(event.uuid)
    }

    /// Tells the plugin something in somebody's name.
    pub async fn tell(
        &mut self,
        sender: Role,
        receiver: Role,
        data: EventData,
    ) -> Result<(), NipartError> {
        self.send(&NipartEvent::root(sender, receiver, data)).await
    }

    /// Takes the question `uuid` back.
    pub async fn cancel(&mut self, uuid: Uuid) -> Result<(), NipartError> {
        let mut event = NipartEvent::root(Role::Daemon, Role::Daemon, EventData::Cancel);
        event.ref_uuid = Some(uuid);
        event.state = EventState::Cancelled;
        self.send(&event).await
    }

    /// Sends an event as it is.
    pub async fn send(&mut self, event: &NipartEvent) -> Result<(), NipartError> {
        write_frame(&mut self.writer, codec::encode(event)?)
            .await
            .map_err(|error| {
                NipartError::new(ErrorKind::Protocol, format!("cannot write: {error}"))
            })
    }

    /// Answers one of the plugin's own questions.
    pub async fn answer(
        &mut self,
        question: &NipartEvent,
        data: EventData,
    ) -> Result<(), NipartError> {
        self.send(&question.answer(data)).await
    }

    /// What the plugin sends next; none when it has closed the tunnel.
    pub async fn next(&mut self, deadline: Duration) -> Result<Option<NipartEvent>, NipartError> {
        let frame = timeout(deadline, self.reader.next())
            .await
            .map_err(|_| NipartError::new(ErrorKind::Timeout, "the plugin sends nothing"))??;
        frame.map(|frame| codec::decode(&frame)).transpose()
    }

    /// The answer to the question `uuid`; whatever comes before it is dropped.
    pub async fn answer_to(
        &mut self,
        uuid: &Uuid,
        deadline: Duration,
    ) -> Result<NipartEvent, NipartError> {
        timeout(deadline, async {
            while let Some(event) = self.next(deadline).await? {
                let answered = matches!(event.state, EventState::Done | EventState::Failed);
                if answered && event.ref_uuid.as_ref() == Some(uuid) {
                    return Ok(event);
                }
            }
            Err(NipartError::new(
                ErrorKind::Protocol,
                "the plugin closed the tunnel",
            ))
        })
        .await
        .map_err(|_| NipartError::new(ErrorKind::Timeout, "the plugin does not answer"))?
    }
}

#[cfg(test)]
mod tests;
