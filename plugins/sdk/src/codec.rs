// SPDX-License-Identifier: Apache-2.0

//! The one frame codec: a 4-byte big-endian length, then that many bytes of JSON.
//!
//! Daemon and plugins both use it, and nothing else knows the encoding. The daemon's switch reads envelopes only
//! ([`Envelope`]) and passes frames on as they are.

use bytes::{Buf, Bytes, BytesMut};
use futures::StreamExt;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{MAX_FRAME_LENGTH, NipartEvent};
use serde::Serialize;
use serde::de::{Deserialize, IgnoredAny};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

/// An event whose data was skipped.
pub type Envelope = NipartEvent<IgnoredAny>;

/// An event whose data was not parsed.
pub type RawEvent = NipartEvent<Box<RawValue>>;

/// Largest frame of somebody who hasn't proved yet who he is, in bytes.
pub const MAX_HANDSHAKE_FRAME_LENGTH: usize = 64 * 1024;

/// A read buffer that a frame has grown beyond this is not kept.
const KEPT_BUFFER: usize = 64 * 1024;

/// Reads frames. Its buffer outlives every call, so that [`FrameReader::next`] may be dropped half way.
#[derive(Debug)]
pub struct FrameReader<R> {
    framed: FramedRead<R, LengthDelimitedCodec>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads frames of up to [`MAX_FRAME_LENGTH`] bytes from `source`.
    pub fn new(source: R) -> Self {
        Self::with_limit(source, MAX_FRAME_LENGTH)
    }

    /// Reads frames of up to `limit` bytes from `source`.
    pub fn with_limit(source: R, limit: usize) -> Self {
        let framed = LengthDelimitedCodec::builder()
            .length_field_length(4)
            .big_endian()
            .max_frame_length(limit)
            .new_read(source);
        Self { framed }
    }

    /// The next frame, or none at the end of the stream. An error ends the connection.
    ///
    /// Safe to drop and call again: what was read stays in the buffer.
    pub async fn next(&mut self) -> Result<Option<Bytes>, NipartError> {
        let frame = match self.framed.next().await {
            None => return Ok(None),
            Some(Ok(frame)) => frame.freeze(),
            Some(Err(error)) => {
                return Err(NipartError::new(
                    ErrorKind::Protocol,
                    format!("cannot read a frame: {error}"),
                ));
            }
        };
        let buffer = self.framed.read_buffer_mut();
        if buffer.is_empty() && frame.len() > KEPT_BUFFER {
            // Else the buffer would stay as large as the largest frame ever seen.
            *buffer = BytesMut::new();
        }
        Ok(Some(frame))
    }

    /// Gives the stream back; what was read ahead is lost.
    pub fn into_inner(self) -> R {
        self.framed.into_inner()
    }

    /// The same buffer, with the full frame length allowed from now on.
    #[must_use]
    pub fn trusted(mut self) -> Self {
        self.framed
            .decoder_mut()
            .set_max_frame_length(MAX_FRAME_LENGTH);
        self
    }
}

/// Writes one frame.
pub async fn write_frame<W: AsyncWrite + Unpin>(sink: &mut W, frame: Bytes) -> std::io::Result<()> {
    let length = u32::try_from(frame.len())
        .ok()
        .filter(|_| frame.len() <= MAX_FRAME_LENGTH)
        .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidInput))?;
    let header = length.to_be_bytes();
    sink.write_all_buf(&mut header.as_slice().chain(frame))
        .await?;
    sink.flush().await
}

/// The bytes of an event.
pub fn encode<D: Serialize>(event: &NipartEvent<D>) -> Result<Bytes, NipartError> {
    let json = serde_json::to_vec(event).map_err(|error| {
        NipartError::new(
            ErrorKind::Bug,
            format!("cannot write event `{}` as JSON: {error}", event.kind),
        )
    })?;
    if json.len() > MAX_FRAME_LENGTH {
        return Err(NipartError::new(
            ErrorKind::NotSupported,
            format!(
                "event `{}` has {} bytes, more than the {MAX_FRAME_LENGTH} of a frame",
                event.kind,
                json.len()
            ),
        ));
    }
    Ok(Bytes::from(json))
}

/// The event in a frame, with as much of its data as `D` wants.
pub fn decode<'frame, D: Deserialize<'frame>>(
    frame: &'frame [u8],
) -> Result<NipartEvent<D>, NipartError> {
    serde_json::from_slice(frame)
        .map_err(|error| NipartError::new(ErrorKind::Protocol, format!("not an event: {error}")))
}

/// What unparsed data says.
pub fn data<'raw, D: Deserialize<'raw>>(raw: &'raw RawValue) -> Result<D, serde_json::Error> {
    json(raw.get())
}

/// What a text in JSON says.
///
/// Read as bytes, as frames are: reading it as text would be a second copy of the parser of all that events can say.
pub fn json<'text, D: Deserialize<'text>>(text: &'text str) -> Result<D, serde_json::Error> {
    serde_json::from_slice(text.as_bytes())
}

/// The envelope of an event.
pub fn envelope<D>(event: &NipartEvent<D>) -> Envelope {
    NipartEvent {
        uuid: event.uuid,
        ref_uuid: event.ref_uuid,
        chain: event.chain,
        state: event.state,
        sender: event.sender.clone(),
        receiver: event.receiver.clone(),
        deadline: event.deadline,
        kind: event.kind.clone(),
        data: IgnoredAny,
    }
}

#[cfg(test)]
mod tests;
