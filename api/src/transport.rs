// SPDX-License-Identifier: Apache-2.0

//! Varlink messages over a Unix socket: JSON texts, each ended by a NUL byte.
//!
//! Why not zlink 0.8: its client reads a reply through an untagged enum, so that parameters can't be kept as raw JSON
//! and a state of megabytes would be built up as a tree; a message may have 100 MB, whoever sends it; buffers never
//! shrink; a write that the peer doesn't take waits for ever. Varlink's framing is small enough to have those right here.
//!
//! An idle connection holds no buffer: it is made when bytes arrive and goes with the message.

use std::ffi::CStr;
use std::io;
use std::path::Path;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// Largest message that either side accepts, in bytes.
pub const MAX_MESSAGE_LENGTH: usize = 64 * 1024 * 1024;

/// A peer that takes nothing of a message for so long is given up.
pub const WRITE_STALL: Duration = Duration::from_secs(30);

/// Room that is made for reading at a time, until a message turns out to be longer.
const READ_SIZE: usize = 16 * 1024;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The socket failed.
    #[error("socket: {0}")]
    Io(#[from] io::Error),
    /// The peer's message is longer than accepted.
    #[error("a message of more than {0} bytes")]
    TooLong(usize),
    /// The peer's message is no text.
    #[error("a message that is not UTF-8")]
    NotText,
    /// The peer went away in the middle of a message.
    #[error("the connection ended in the middle of a message")]
    Cut,
    /// The peer doesn't finish its message.
    #[error("a message that was not finished within {} s", .0.as_secs())]
    Slow(Duration),
    /// The peer doesn't read.
    #[error("the peer has read nothing for {} s", .0.as_secs())]
    Stalled(Duration),
}

impl From<TransportError> for NipartError {
    fn from(error: TransportError) -> Self {
        let kind = match error {
            TransportError::Io(_)
            | TransportError::Cut
            | TransportError::Slow(_)
            | TransportError::Stalled(_) => ErrorKind::DaemonUnreachable,
            TransportError::TooLong(_) | TransportError::NotText => ErrorKind::Protocol,
        };
        Self::new(kind, error.to_string())
    }
}

/// Reads messages.
#[derive(Debug)]
pub struct MessageReader {
    half: OwnedReadHalf,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are known to hold no NUL.
    scanned: usize,
    limit: usize,
}

/// Writes messages.
#[derive(Debug)]
pub struct MessageWriter {
    half: OwnedWriteHalf,
    stall: Duration,
}

/// Both ends of a connection's messages. Messages longer than `limit` bytes are refused.
pub fn split(stream: UnixStream, limit: usize) -> (MessageReader, MessageWriter) {
    let (read, write) = stream.into_split();
    let reader = MessageReader {
        half: read,
        buffer: Vec::new(),
        scanned: 0,
        limit,
    };
    let writer = MessageWriter {
        half: write,
        stall: WRITE_STALL,
    };
    (reader, writer)
}

/// Connects to the service at `path`.
///
/// # Errors
/// When nobody listens there, or nobody accepts within `limit`.
pub async fn connect(
    path: &Path,
    limit: Duration,
) -> Result<(MessageReader, MessageWriter), TransportError> {
    let stream = timeout(limit, UnixStream::connect(path))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(split(stream, MAX_MESSAGE_LENGTH))
}

impl MessageReader {
    /// The next message, or none when the peer has closed. Safe to drop half way and to call again.
    ///
    /// # Errors
    /// When the socket fails or the message is refused: the connection can't be used any more.
    pub async fn next(&mut self) -> Result<Option<String>, TransportError> {
        loop {
            if let Some(message) = self.take_message() {
                return String::from_utf8(message)
                    .map(Some)
                    .map_err(|_| TransportError::NotText);
            }
            if self.buffer.len() > self.limit {
                return Err(TransportError::TooLong(self.limit));
            }
            if self.read().await? == 0 {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(TransportError::Cut),
                };
            }
        }
    }

    /// The same for a peer that may be idle for ever, but has to finish within `limit` a message that it begins.
    ///
    /// # Errors
    /// As [`MessageReader::next`], or when the message takes too long.
    pub async fn next_within(&mut self, limit: Duration) -> Result<Option<String>, TransportError> {
        if self.buffer.is_empty() && self.read().await? == 0 {
            return Ok(None);
        }
        timeout(limit, self.next())
            .await
            .map_err(|_| TransportError::Slow(limit))?
    }

    /// Ends when the peer has hung up. What it sends meanwhile is kept for later.
    ///
    /// # Errors
    /// When the socket fails, or the peer sends more ahead than one message may have.
    pub async fn hung_up(&mut self) -> Result<(), TransportError> {
        loop {
            if self.buffer.len() > self.limit {
                return Err(TransportError::TooLong(self.limit));
            }
            if self.read().await? == 0 {
                return Ok(());
            }
        }
    }

    async fn read(&mut self) -> Result<usize, TransportError> {
        loop {
            self.half.readable().await?;
            // Doubling: the cost of moving stays in proportion to the length.
            self.buffer.reserve(READ_SIZE.max(self.buffer.len()));
            match self.half.try_read_buf(&mut self.buffer) {
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.buffer.is_empty() {
                        self.buffer = Vec::new();
                    }
                }
                // To a caller it is the same: the peer has gone.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(0),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes the first message out of the buffer, if it is complete.
    fn take_message(&mut self) -> Option<Vec<u8>> {
        let fresh = self.buffer.get(self.scanned..)?;
        let Ok(rest) = CStr::from_bytes_until_nul(fresh) else {
            self.scanned = self.buffer.len();
            return None;
        };
        let end = self.scanned + rest.to_bytes().len();
        self.scanned = 0;
        let behind = self.buffer.split_off(end + 1);
        let mut message = std::mem::replace(&mut self.buffer, behind);
        message.pop();
        Some(message)
    }
}

impl MessageWriter {
    /// Gives up a peer that takes nothing for `stall`, instead of [`WRITE_STALL`].
    #[must_use]
    pub fn with_stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// Writes one message. When this fails or is dropped half way, the connection can't be used any more.
    ///
    /// # Errors
    /// When the socket fails, or the peer doesn't read.
    pub async fn send(&mut self, message: String) -> Result<(), TransportError> {
        let mut bytes = message.into_bytes();
        bytes.push(0);
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.half.try_write(rest) {
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    timeout(self.stall, self.half.writable())
                        .await
                        .map_err(|_| TransportError::Stalled(self.stall))??;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
