// SPDX-License-Identifier: Apache-2.0

//! The plugin's half of the handshake: lock, listen, register, be connected to, echo.
//!
//! The daemon's half is in `daemon/src/handshake.rs`; `docs/protocol.md` has the picture.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, EventState, NipartEvent, PROTOCOL_VERSION, Role};
use nipart_schemas::plugin::Registration;
use tokio::io::AsyncWrite;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::codec::{self, FrameReader, MAX_HANDSHAKE_FRAME_LENGTH, write_frame};
use crate::environment::Environment;
use crate::plugin::Plugin;
use crate::tasks;

/// How long a predecessor that the daemon left behind may take to end.
const LOCK_DEADLINE: Duration = Duration::from_secs(5);
/// How long registration and echo may take.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);

/// A plugin that is connected, and the lock that keeps a second one away as long as it lives.
#[derive(Debug)]
pub struct Connected {
    /// The plugin.
    pub plugin: Plugin,
    /// Held for the process's lifetime.
    pub lock: File,
}

/// Shakes hands with the daemon that started this process.
pub async fn connect(
    environment: Environment,
    roles: Vec<Role>,
    version: &str,
) -> Result<Connected, NipartError> {
    let lock = take_lock(&environment.lock_file(), LOCK_DEADLINE).await?;
    let listener = listen(&environment.socket)?;
    let tunnel = timeout(HANDSHAKE_DEADLINE, async {
        register(&environment, &roles, version).await?;
        accept(&listener, &environment).await
    })
    .await
    .map_err(|_| {
        NipartError::new(
            ErrorKind::Timeout,
            format!(
                "the daemon did not finish the handshake within {} ms",
                HANDSHAKE_DEADLINE.as_millis()
            ),
        )
    })?;
    // One tunnel per life: nobody else is to connect, so nothing is left to find.
    drop(listener);
    let _ = std::fs::remove_file(&environment.socket);
    let (reader, writer, roles) = tunnel?;
    Ok(Connected {
        plugin: tasks::start(reader, writer, environment, roles),
        lock,
    })
}

/// Waits until no predecessor lives: one that a killed daemon left behind may be in the middle of a change.
pub async fn take_lock(path: &Path, deadline: Duration) -> Result<File, NipartError> {
    let failed = |error: std::io::Error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("cannot lock {}: {error}", path.display()),
        )
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    tracing::info!("waiting for the predecessor to end");
    let (locked, outcome) = oneshot::channel();
    // A thread of its own, not one of the runtime's: the process can end without waiting for it.
    std::thread::Builder::new()
        .name("lock".to_string())
        .spawn(move || {
            let result = file.lock().map(|()| file);
            let _ = locked.send(result);
        })
        .map_err(failed)?;
    match timeout(deadline, outcome).await {
        Ok(Ok(result)) => result.map_err(failed),
        Ok(Err(_)) | Err(_) => Err(NipartError::new(
            ErrorKind::Busy,
            format!(
                "another process still holds {} after {} ms",
                path.display(),
                deadline.as_millis()
            ),
        )),
    }
}

fn listen(path: &Path) -> Result<UnixListener, NipartError> {
    // The lock is ours, so a socket that is still there is a dead one's.
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path).map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("cannot listen on {}: {error}", path.display()),
        )
    })
}

async fn register(
    environment: &Environment,
    roles: &[Role],
    version: &str,
) -> Result<(), NipartError> {
    let failed = |error: std::io::Error| {
        NipartError::new(
            ErrorKind::DaemonUnreachable,
            format!(
                "cannot register at {}: {error}",
                environment.core_socket.display()
            ),
        )
    };
    let stream = UnixStream::connect(&environment.core_socket)
        .await
        .map_err(failed)?;
    let (reading, mut writing) = stream.into_split();
    let registration = NipartEvent::root(
        own_role(environment, roles),
        Role::Daemon,
        EventData::Register(Registration {
            name: environment.name.clone(),
            version: version.to_string(),
            protocol: PROTOCOL_VERSION,
            instance: environment.instance.clone(),
            token: environment.token.clone(),
            roles: roles.to_vec(),
        }),
    );
    write_frame(&mut writing, codec::encode(&registration)?)
        .await
        .map_err(failed)?;
    let mut reader = FrameReader::with_limit(reading, MAX_HANDSHAKE_FRAME_LENGTH);
    let frame = reader.next().await?.ok_or_else(|| {
        NipartError::new(
            ErrorKind::Protocol,
            "the daemon closed the registration socket without an answer",
        )
    })?;
    let answer: NipartEvent = codec::decode(&frame)?;
    match answer.data {
        EventData::Done => Ok(()),
        EventData::Error(error) => Err(error.while_doing("the daemon refused the registration")),
        other => Err(crate::handle::unexpected(&Role::Daemon, &other)),
    }
}

/// Takes connections until one is the daemon's. Anybody else's ends, and nothing else.
async fn accept(
    listener: &UnixListener,
    environment: &Environment,
) -> Result<
    (
        FrameReader<OwnedReadHalf>,
        impl AsyncWrite + Unpin + Send + use<>,
        Vec<Role>,
    ),
    NipartError,
> {
    loop {
        let (stream, _) = listener.accept().await.map_err(|error| {
            NipartError::new(ErrorKind::Storage, format!("cannot accept: {error}"))
        })?;
        let (reading, mut writing) = stream.into_split();
        let mut reader = FrameReader::with_limit(reading, MAX_HANDSHAKE_FRAME_LENGTH);
        match echo(&mut reader, &mut writing, environment).await {
            Ok(roles) => return Ok((reader.trusted(), writing, roles)),
            Err(error) => tracing::warn!("refused a connection: {error}"),
        }
    }
}

/// Answers the daemon's test of the tunnel, if it proves to be the daemon.
async fn echo(
    reader: &mut FrameReader<OwnedReadHalf>,
    writing: &mut (impl AsyncWrite + Unpin),
    environment: &Environment,
) -> Result<Vec<Role>, NipartError> {
    let frame = reader
        .next()
        .await?
        .ok_or_else(|| NipartError::new(ErrorKind::Protocol, "closed before the echo test"))?;
    let question: NipartEvent = codec::decode(&frame)?;
    let EventData::Echo(echo) = &question.data else {
        return Err(crate::handle::unexpected(&question.sender, &question.data));
    };
    if question.state != EventState::Todo || echo.token != environment.token {
        return Err(NipartError::new(
            ErrorKind::PermissionDenied,
            "the echo test does not have our token: not our daemon",
        ));
    }
    let roles = echo.roles.clone();
    let answer = question.answer(EventData::Echo(echo.clone()));
    write_frame(writing, codec::encode(&answer)?)
        .await
        .map_err(|error| {
            NipartError::new(
                ErrorKind::Protocol,
                format!("cannot answer the echo test: {error}"),
            )
        })?;
    Ok(roles)
}

fn own_role(environment: &Environment, roles: &[Role]) -> Role {
    roles
        .first()
        .cloned()
        .unwrap_or_else(|| Role::from(environment.name.clone()))
}

#[cfg(test)]
mod tests;
