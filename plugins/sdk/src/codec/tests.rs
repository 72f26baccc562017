// SPDX-License-Identifier: Apache-2.0

use nipart_schemas::event::{EventData, Role};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;

use super::*;

/// Reads all frames of `bytes`, which arrive `chunk` by `chunk`.
fn read_all(bytes: &[u8], chunk: usize, limit: usize) -> Result<Vec<Bytes>, NipartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut ours, theirs) = tokio::io::duplex(chunk);
        let writing = async move {
            // Fails when the reader gives up, which is the reader's good right.
            let _ = ours.write_all(bytes).await;
        };
        let reading = async move {
            let mut reader = FrameReader::with_limit(theirs, limit);
            let mut frames = Vec::new();
            while let Some(frame) = reader.next().await? {
                frames.push(frame);
            }
            Ok(frames)
        };
        tokio::join!(writing, reading).1
    })
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn frames_are_read_whatever_pieces_they_arrive_in() {
    let bytes: Vec<u8> = [framed(b"one"), framed(b""), framed(&[7; 100_000])].concat();
    for chunk in [1, 2, 3, 5, 4096, 1 << 20] {
        let frames = read_all(&bytes, chunk, MAX_FRAME_LENGTH).unwrap();
        assert_eq!(frames.len(), 3);
        assert_eq!(&frames[0][..], b"one");
        assert_eq!(&frames[2][..], &[7; 100_000]);
    }
}

#[test]
fn a_frame_cut_short_is_never_a_frame() {
    let bytes = framed(b"whole");
    for length in 0..bytes.len() {
        match read_all(&bytes[..length], 64, MAX_FRAME_LENGTH) {
            Ok(frames) => assert!(frames.is_empty() && (length == 0 || length == 4)),
            Err(error) => assert_eq!(error.kind, ErrorKind::Protocol),
        }
    }
}

#[test]
fn an_oversize_frame_is_refused_from_its_header() {
    let mut bytes = u32::MAX.to_be_bytes().to_vec();
    bytes.extend_from_slice(b"never read");
    let error = read_all(&bytes, 64, MAX_FRAME_LENGTH).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(read_all(&framed(&[0; 11]), 64, 10).is_err());
    assert!(read_all(&framed(&[0; 10]), 64, 10).is_ok());
}

#[tokio::test]
async fn a_large_frame_does_not_keep_its_buffer() {
    let payload = vec![b' '; 4 * 1024 * 1024];
    let bytes = framed(&payload);
    let mut reader = FrameReader::new(bytes.as_slice());
    let frame = reader.next().await.unwrap().unwrap();
    assert_eq!(frame.len(), payload.len());
    drop(frame);
    assert!(reader.framed.read_buffer().capacity() < KEPT_BUFFER);
}

#[tokio::test]
async fn reading_may_be_dropped_half_way() {
    let (mut ours, theirs) = tokio::io::duplex(4096);
    let mut reader = FrameReader::new(theirs);
    let bytes = framed(b"in two pieces");
    ours.write_all(&bytes[..7]).await.unwrap();
    let short = std::time::Duration::from_millis(10);
    assert!(tokio::time::timeout(short, reader.next()).await.is_err());
    ours.write_all(&bytes[7..]).await.unwrap();
    assert_eq!(&reader.next().await.unwrap().unwrap()[..], b"in two pieces");
}

#[tokio::test]
async fn what_is_written_is_read() {
    let mut bytes = Vec::new();
    let event = NipartEvent::root(Role::Daemon, Role::Kernel, EventData::Heartbeat);
    write_frame(&mut bytes, encode(&event).unwrap())
        .await
        .unwrap();
    let frame = FrameReader::new(bytes.as_slice()).next().await.unwrap();
    let read: Envelope = decode(&frame.unwrap()).unwrap();
    assert_eq!((read.uuid, read.kind.as_str()), (event.uuid, "heartbeat"));
}

proptest! {
    #[test]
    fn random_bytes_end_in_an_error_or_are_frames(bytes: Vec<u8>, chunk in 1_usize..64) {
        if let Ok(frames) = read_all(&bytes, chunk, 1024) {
            let length: usize = frames.iter().map(|frame| frame.len() + 4).sum();
            // A last header without a single byte after it reads as the end.
            prop_assert!(length == bytes.len() || length + 4 == bytes.len());
        }
    }

    #[test]
    fn random_json_is_refused(text in "\\PC*") {
        prop_assert!(decode::<IgnoredAny>(text.as_bytes()).is_err());
    }
}
