// SPDX-License-Identifier: Apache-2.0

//! The tasks of a tunnel and the channels between them.
//!
//! ```text
//!             questions, things told (mpsc, 4096)
//!     ┌────────────────────────────────────────────► plugin's loop ──┐
//!     │                                                              │ Handle: ask, tell, answer
//!  ┌──┴─────┐   Expected: who waits for which answer (mpsc, 256)     │
//!  │ tunnel │ ◄──────────────────────────────────────────────────────┤
//!  └──┬──▲──┘                                                        │
//!     │  │ frames                                                    │
//!     │  └──────── socket ◄──────── ┌────────┐ ◄─────────────────────┘
//!     └───────────────────────────► │ writer │   frames (mpsc, 1024)
//!         heartbeats, refusals      └────────┘
//! ```
//!
//! - `tunnel` owns the socket's reading side, the frame buffer and the table of expected answers. Its end is the end of
//!   the tunnel: whoever waits for an answer gets an error, and every question counts as cancelled.
//! - `writer` owns the writing side. It ends with the socket, or when it is asked to close.
//!
//! Both end with the process at the latest: a plugin ends when its tunnel does.

use std::time::Duration;

use bytes::Bytes;
use nipart_schemas::event::Role;
use tokio::io::AsyncWrite;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot, watch};

use crate::codec::{FrameReader, write_frame};
use crate::environment::Environment;
use crate::handle::Handle;
use crate::plugin::{Phase, Plugin};
use crate::tunnel::Tunnel;

/// Questions that wait for the plugin's loop. Beyond them they are refused at once.
const INCOMING_QUEUE: usize = 4096;
/// Frames that wait for the socket. Beyond them senders wait.
const OUTGOING_QUEUE: usize = 1024;
/// Asks that the tunnel has not yet taken note of.
const EXPECTED_QUEUE: usize = 256;

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Write this.
    Frame(Bytes),
    /// Say so when all before is written, and end.
    Close(oneshot::Sender<()>),
}

/// Starts the two tasks over a socket whose handshake is done.
pub(crate) fn start(
    reader: FrameReader<OwnedReadHalf>,
    writer: impl AsyncWrite + Unpin + Send + 'static,
    environment: Environment,
    roles: Vec<Role>,
) -> Plugin {
    let (outgoing, outgoing_queue) = mpsc::channel(OUTGOING_QUEUE);
    let (expected, expected_queue) = mpsc::channel(EXPECTED_QUEUE);
    let (incoming, incoming_queue) = mpsc::channel(INCOMING_QUEUE);
    let (phase, phase_watch) = watch::channel(Phase::Running);
    let handle = Handle::new(outgoing.clone(), expected);
    let tunnel = Tunnel::new(
        reader,
        outgoing,
        expected_queue,
        incoming,
        handle.clone(),
        phase.clone(),
        silence(environment.heartbeat),
    );
    tokio::spawn(tunnel.run());
    tokio::spawn(write(writer, outgoing_queue));
    Plugin::new(
        environment,
        roles,
        handle,
        incoming_queue,
        phase,
        phase_watch,
    )
}

/// The two halves of a socket, for [`start`].
pub(crate) fn split(
    stream: UnixStream,
) -> (FrameReader<OwnedReadHalf>, tokio::net::unix::OwnedWriteHalf) {
    let (reading, writing) = stream.into_split();
    (FrameReader::new(reading), writing)
}

/// Three heartbeats missed, and a half for the fourth to be late.
fn silence(heartbeat: Duration) -> Duration {
    heartbeat * 3 + heartbeat / 2
}

async fn write(mut socket: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Frame(frame) => {
                if let Err(error) = write_frame(&mut socket, frame).await {
                    // The tunnel sees the same end of the socket and tells everybody.
                    tracing::debug!("cannot write to the daemon: {error}");
                    return;
                }
            }
            Outgoing::Close(written) => {
                let _ = written.send(());
                return;
            }
        }
    }
}
