// SPDX-License-Identifier: Apache-2.0

//! The registration socket: hears who a plugin says it is, and hands that to the owner of that plugin's life.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use nipart_plugin_sdk::codec::{self, FrameReader, MAX_HANDSHAKE_FRAME_LENGTH, write_frame};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::EventData;
use nipart_schemas::plugin::Registration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::control::{self, Control};

/// Connections that are heard at a time; more wait in the socket's backlog.
const MAX_CONNECTIONS: usize = 32;
/// For one registration, from its connection to our answer.
const DEADLINE: Duration = Duration::from_secs(5);
/// Accepting again at once after an error, such as too many open files, would spin.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);

/// Somebody wants to be a plugin.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// What he says.
    pub(crate) registration: Registration,
    /// His process, as the kernel knows it.
    pub(crate) pid: Option<u32>,
    /// Accepted or refused.
    pub(crate) reply: oneshot::Sender<Result<(), NipartError>>,
}

impl Attempt {
    /// Turns it away.
    pub(crate) fn refuse(self, why: &str) {
        let error = NipartError::new(
            ErrorKind::PermissionDenied,
            format!("plugin `{}`: {why}", self.registration.name),
        );
        // He may have gone already.
        let _ = self.reply.send(Err(error));
    }
}

/// Where attempts go, by the plugin's name.
pub(crate) type Lives = HashMap<String, mpsc::Sender<Attempt>>;

/// Listens where plugins register.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, NipartError> {
    // The run directory is ours, so a socket that is still there is a dead daemon's.
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("cannot listen on {}: {error}", path.display()),
        )
    })
}

/// Hears plugins until it is dropped.
pub(crate) async fn serve(listener: UnixListener, lives: Lives) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let lives = lives.clone();
                    connections.spawn(async move {
                        match timeout(DEADLINE, hear(stream, &lives)).await {
                            Ok(Ok(())) => {}
                            Ok(Err(error)) => tracing::warn!("registration refused: {error}"),
                            Err(_) => tracing::warn!("registration given up: nothing came in time"),
                        }
                    });
                }
                Err(error) => {
                    tracing::error!("cannot accept registrations: {error}");
                    tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                }
            },
        }
    }
}

async fn hear(stream: UnixStream, lives: &Lives) -> Result<(), NipartError> {
    let broken = |error: std::io::Error| {
        NipartError::new(ErrorKind::Protocol, format!("registration socket: {error}"))
    };
    let credentials = stream.peer_cred().map_err(broken)?;
    let (reading, mut writing) = stream.into_split();
    let mut reader = FrameReader::with_limit(reading, MAX_HANDSHAKE_FRAME_LENGTH);
    let Some(frame) = reader.next().await? else {
        return Ok(());
    };
    let event = control::decode(&frame)?;
    let Control::Register(registration) = &event.data else {
        return Err(NipartError::new(
            ErrorKind::Protocol,
            format!("`{}` instead of `register`", event.kind),
        ));
    };
    let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
    let result = decide(registration.clone(), pid, lives).await;
    let answer = match &result {
        Ok(()) => EventData::Done,
        Err(error) => EventData::Error(error.clone()),
    };
    write_frame(&mut writing, codec::encode(&event.answer(answer))?)
        .await
        .map_err(broken)?;
    result
}

async fn decide(
    registration: Registration,
    pid: Option<u32>,
    lives: &Lives,
) -> Result<(), NipartError> {
    let name = registration.name.clone();
    let not_expected = || {
        NipartError::new(
            ErrorKind::PermissionDenied,
            format!("no plugin `{name}` is being started"),
        )
    };
    let life = lives.get(&name).ok_or_else(not_expected)?;
    let (reply, decision) = oneshot::channel();
    life.try_send(Attempt {
        registration,
        pid,
        reply,
    })
    .map_err(|_| not_expected())?;
    decision.await.map_err(|_| not_expected())?
}
