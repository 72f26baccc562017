// SPDX-License-Identifier: Apache-2.0

//! A running plugin's tunnel: one task reads and beats the heart, one writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use nipart_plugin_sdk::codec::{self, Envelope, FrameReader, write_frame};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, NipartEvent, Role};
use tokio::io::AsyncWrite;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::exchange::Happening;
use crate::switch::{Passing, PluginId};

/// Frames that wait for a plugin to read them.
const QUEUE_FRAMES: usize = 1024;
/// Bytes of all of them. An empty queue takes one frame of any size.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// Heartbeats without an answer after which a plugin is suspect.
const SUSPECT_AFTER: u32 = 2;
/// And after which it counts as hung.
const HUNG_AFTER: u32 = 3;

/// The way into a plugin's queue. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    frames: mpsc::Sender<Bytes>,
    bytes: Arc<AtomicUsize>,
}

/// The other end, for the writer.
#[derive(Debug)]
pub(crate) struct QueueEnd {
    frames: mpsc::Receiver<Bytes>,
    bytes: Arc<AtomicUsize>,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits to be written.
    Taken,
    /// There is no room: the plugin doesn't read.
    Full,
    /// Nobody writes any more: the plugin has ended.
    Closed,
}

/// A queue of bounded count and bytes.
pub(crate) fn queue() -> (Queue, QueueEnd) {
    let (sender, receiver) = mpsc::channel(QUEUE_FRAMES);
    let bytes = Arc::new(AtomicUsize::new(0));
    let queue = Queue {
        frames: sender,
        bytes: Arc::clone(&bytes),
    };
    let end = QueueEnd {
        frames: receiver,
        bytes,
    };
    (queue, end)
}

impl Queue {
    /// Puts a frame in, if there is room.
    pub(crate) fn put(&self, frame: Bytes) -> Put {
        let length = frame.len();
        let waiting = self.bytes.load(Ordering::Relaxed);
        if waiting > 0 && waiting.saturating_add(length) > QUEUE_BYTES {
            return Put::Full;
        }
        self.bytes.fetch_add(length, Ordering::Relaxed);
        let refused = match self.frames.try_send(frame) {
            Ok(()) => return Put::Taken,
            Err(mpsc::error::TrySendError::Full(_)) => Put::Full,
            Err(mpsc::error::TrySendError::Closed(_)) => Put::Closed,
        };
        self.bytes.fetch_sub(length, Ordering::Relaxed);
        refused
    }
}

#[cfg(test)]
impl QueueEnd {
    /// The next frame, in place of a writer.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        let frame = self.frames.recv().await?;
        self.bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        Some(frame)
    }
}

/// Writes frames until the queue or the socket is closed.
pub(crate) async fn write(mut socket: impl AsyncWrite + Unpin, mut queue: QueueEnd) {
    while let Some(frame) = queue.frames.recv().await {
        let length = frame.len();
        let written = write_frame(&mut socket, frame).await;
        queue.bytes.fetch_sub(length, Ordering::Relaxed);
        if let Err(error) = written {
            // The reader sees the same end of the socket, and it is the one who reports.
            tracing::debug!("cannot write to a plugin: {error}");
            return;
        }
    }
}

/// What the reader tells the owner of the plugin's life.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It misses heartbeats.
    Suspect,
    /// It is heard again.
    Recovered,
}

/// The reading side of a tunnel.
pub(crate) struct Reader {
    pub(crate) plugin: PluginId,
    pub(crate) frames: FrameReader<OwnedReadHalf>,
    pub(crate) queue: Queue,
    pub(crate) happenings: mpsc::Sender<Happening>,
    pub(crate) notices: mpsc::Sender<Notice>,
    pub(crate) heartbeat: Duration,
    /// Beats of all plugins are counted from here, so that they fall together and idle wake-ups are few.
    pub(crate) epoch: Instant,
    pub(crate) role: Role,
}

impl Reader {
    /// Reads until the tunnel ends, and says why.
    pub(crate) async fn read(mut self) -> String {
        let mut beats = interval_at(self.next_beat(), self.heartbeat);
        // After a stall of our own, a burst of beats would look like a hung plugin.
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut unanswered: u32 = 0;
        loop {
            tokio::select! {
                biased;
                frame = self.frames.next() => {
                    if unanswered >= SUSPECT_AFTER {
                        let _ = self.notices.try_send(Notice::Recovered);
                    }
                    unanswered = 0;
                    match frame {
                        Ok(Some(frame)) => {
                            if let Err(error) = self.take(frame).await {
                                return error.to_string();
                            }
                        }
                        Ok(None) => return "it closed the tunnel".to_string(),
                        Err(error) => return error.to_string(),
                    }
                }
                _ = beats.tick() => {
                    if unanswered >= HUNG_AFTER {
                        return format!("it missed {unanswered} heartbeats");
                    }
                    if unanswered == SUSPECT_AFTER {
                        let _ = self.notices.try_send(Notice::Suspect);
                    }
                    unanswered += 1;
                    self.beat();
                }
            }
        }
    }

    async fn take(&mut self, frame: Bytes) -> Result<(), NipartError> {
        let envelope: Envelope = codec::decode(&frame)?;
        if envelope.receiver == Role::Daemon && envelope.kind == EventData::Heartbeat.name() {
            return Ok(());
        }
        let happening = Happening::Frame {
            plugin: self.plugin,
            passing: Passing { envelope, frame },
        };
        // The exchange never waits for anybody, so this is short.
        self.happenings
            .send(happening)
            .await
            .map_err(|_| NipartError::new(ErrorKind::Cancelled, "the daemon is ending"))
    }

    /// A queue without room needs no heartbeat: the missing answers tell.
    fn beat(&self) {
        let event = NipartEvent::root(Role::Daemon, self.role.clone(), EventData::Heartbeat);
        if let Ok(frame) = codec::encode(&event) {
            self.queue.put(frame);
        }
    }

    fn next_beat(&self) -> Instant {
        let now = Instant::now();
        let since = now.saturating_duration_since(self.epoch).as_millis();
        let period = self.heartbeat.as_millis().max(1);
        let wait = period - since % period;
        now + Duration::from_millis(u64::try_from(wait).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
