// SPDX-License-Identifier: Apache-2.0

//! The daemon's half of the handshake: check who registers, connect back, echo.
//!
//! The plugin's half is in `plugins/sdk/src/handshake.rs`; `docs/protocol.md` has the picture.

use std::path::{Path, PathBuf};

use nipart_plugin_sdk::codec::{self, FrameReader, MAX_HANDSHAKE_FRAME_LENGTH, write_frame};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{Echo, EventData, NipartEvent, PROTOCOL_VERSION, Role};
use nipart_schemas::plugin::Registration;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::control::{self, Control};
use crate::registration::Attempt;

/// What the daemon knows of a process that it has started, before that says a word.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) name: String,
    pub(crate) instance: String,
    pub(crate) token: String,
    pub(crate) pid: u32,
    pub(crate) roles: Vec<Role>,
    pub(crate) socket: PathBuf,
}

/// A tested tunnel.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) reader: FrameReader<OwnedReadHalf>,
    pub(crate) writer: OwnedWriteHalf,
    pub(crate) version: String,
}

/// Waits for the expected registration, refusing others, and tests the tunnel. The caller sets the deadline.
pub(crate) async fn shake(
    expected: &Expected,
    attempts: &mut mpsc::Receiver<Attempt>,
) -> Result<Tunnel, NipartError> {
    while let Some(attempt) = attempts.recv().await {
        match expected.check(&attempt.registration, attempt.pid) {
            Ok(()) => {
                let _ = attempt.reply.send(Ok(()));
                return connect_back(expected, attempt.registration).await;
            }
            Err(error) => {
                let _ = attempt.reply.send(Err(error));
            }
        }
    }
    Err(NipartError::new(
        ErrorKind::Cancelled,
        "the registration socket is closed",
    ))
}

impl Expected {
    /// Whether this is the process that was started, speaks our protocol and claims no more than it may.
    pub(crate) fn check(
        &self,
        registration: &Registration,
        pid: Option<u32>,
    ) -> Result<(), NipartError> {
        let denied = |what: String| {
            Err(NipartError::new(
                ErrorKind::PermissionDenied,
                format!("plugin `{}`: {what}", self.name),
            ))
        };
        if pid != Some(self.pid) {
            let pid = pid.map_or("unknown".to_string(), |pid| pid.to_string());
            return denied(format!(
                "process {pid} registers, but process {} was started",
                self.pid
            ));
        }
        if registration.instance != self.instance || registration.token != self.token {
            return denied("wrong instance or token".to_string());
        }
        if registration.protocol != PROTOCOL_VERSION {
            return Err(NipartError::new(
                ErrorKind::NotSupported,
                format!(
                    "plugin `{}` speaks protocol {}, this daemon {PROTOCOL_VERSION}",
                    self.name, registration.protocol
                ),
            ));
        }
        if registration.roles.is_empty() {
            return denied("no roles".to_string());
        }
        match registration
            .roles
            .iter()
            .find(|role| !self.roles.contains(role))
        {
            Some(role) => denied(format!("the settings don't give it the role `{role}`")),
            None => Ok(()),
        }
    }
}

async fn connect_back(
    expected: &Expected,
    registration: Registration,
) -> Result<Tunnel, NipartError> {
    let stream = connect(&expected.socket).await?;
    let listener = stream
        .peer_cred()
        .ok()
        .and_then(|credentials| credentials.pid())
        .and_then(|pid| u32::try_from(pid).ok());
    if listener != Some(expected.pid) {
        return Err(NipartError::new(
            ErrorKind::PermissionDenied,
            format!("{} is not the plugin's own", expected.socket.display()),
        ));
    }
    let (reading, mut writer) = stream.into_split();
    let mut reader = FrameReader::with_limit(reading, MAX_HANDSHAKE_FRAME_LENGTH);
    let echo = Echo {
        nonce: Uuid::new_v4(),
        token: expected.token.clone(),
        roles: registration.roles.clone(),
    };
    let receiver = Role::from(expected.name.clone());
    let question = NipartEvent::root(Role::Daemon, receiver, EventData::Echo(echo.clone()));
    write_frame(&mut writer, codec::encode(&question)?)
        .await
        .map_err(|error| failed(&error.to_string()))?;
    let frame = reader
        .next()
        .await?
        .ok_or_else(|| failed("the plugin closed it"))?;
    let answer = control::decode(&frame)?;
    match answer.data {
        Control::Echo(answered)
            if answered.nonce == echo.nonce && answer.ref_uuid == Some(question.uuid) =>
        {
            Ok(Tunnel {
                reader: reader.trusted(),
                writer,
                version: registration.version,
            })
        }
        _ => Err(failed("the answer is not our echo")),
    }
}

async fn connect(socket: &Path) -> Result<UnixStream, NipartError> {
    UnixStream::connect(socket).await.map_err(|error| {
        NipartError::new(
            ErrorKind::PluginFailure,
            format!("cannot connect to {}: {error}", socket.display()),
        )
    })
}

fn failed(why: &str) -> NipartError {
    NipartError::new(
        ErrorKind::PluginFailure,
        format!("the echo test of the tunnel failed: {why}"),
    )
}

#[cfg(test)]
mod tests;
