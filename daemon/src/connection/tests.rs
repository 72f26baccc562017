// SPDX-License-Identifier: Apache-2.0

use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use super::*;

const SOON: Duration = Duration::from_secs(5);

struct Bench {
    reading: JoinHandle<String>,
    happenings: mpsc::Receiver<Happening>,
    notices: mpsc::Receiver<Notice>,
    plugin: UnixStream,
}

/// Reader and writer over one end of a socket pair.
fn bench() -> Bench {
    let (ours, plugin) = UnixStream::pair().unwrap();
    let (reading, writing) = ours.into_split();
    let (queue, queue_end) = queue();
    let (happenings, happening_queue) = mpsc::channel(16);
    let (notices, notice_queue) = mpsc::channel(4);
    tokio::spawn(write(writing, queue_end));
    let reader = Reader {
        plugin: 0,
        frames: FrameReader::new(reading),
        queue,
        happenings,
        notices,
        heartbeat: Duration::from_millis(20),
        epoch: Instant::now(),
        role: Role::Kernel,
    };
    Bench {
        reading: tokio::spawn(reader.read()),
        happenings: happening_queue,
        notices: notice_queue,
        plugin,
    }
}

#[tokio::test]
async fn a_hung_plugin_is_suspect_and_then_given_up() {
    let mut bench = bench();
    let notice = tokio::time::timeout(SOON, bench.notices.recv())
        .await
        .unwrap();
    assert_eq!(notice, Some(Notice::Suspect));
    let reason = tokio::time::timeout(SOON, bench.reading)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reason, "it missed 3 heartbeats");
}

#[tokio::test]
async fn an_idle_plugin_that_answers_heartbeats_lives() {
    let bench = bench();
    // Answers by hand, as a plugin in another language would.
    let (reading, mut writing) = bench.plugin.into_split();
    let mut frames = FrameReader::new(reading);
    for _ in 0..8 {
        let frame = tokio::time::timeout(SOON, frames.next()).await.unwrap();
        let beat: NipartEvent = codec::decode(&frame.unwrap().unwrap()).unwrap();
        assert_eq!(beat.kind, "heartbeat");
        let answer = NipartEvent::root(Role::Kernel, Role::Daemon, EventData::Heartbeat);
        write_frame(&mut writing, codec::encode(&answer).unwrap())
            .await
            .unwrap();
    }
    assert!(!bench.reading.is_finished());
    drop((frames, writing));
    let reason = tokio::time::timeout(SOON, bench.reading)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reason, "it closed the tunnel");
}

#[tokio::test]
async fn frames_pass_and_garbage_ends_the_connection() {
    let mut bench = bench();
    let event = NipartEvent::root(Role::Kernel, Role::Commander, EventData::Done);
    let frame = codec::encode(&event).unwrap();
    write_frame(&mut bench.plugin, frame.clone()).await.unwrap();
    let Some(Happening::Frame { passing, .. }) = bench.happenings.recv().await else {
        panic!("no frame");
    };
    assert_eq!((passing.envelope.uuid, passing.frame), (event.uuid, frame));
    write_frame(&mut bench.plugin, Bytes::from_static(b"{}"))
        .await
        .unwrap();
    let reason = tokio::time::timeout(SOON, bench.reading)
        .await
        .unwrap()
        .unwrap();
    assert!(reason.contains("not an event"), "{reason}");
}

#[tokio::test]
async fn a_queue_is_bounded_in_count_and_bytes_but_takes_one_frame_of_any_size() {
    let (by_count, _end) = queue();
    let taken = (0..2 * QUEUE_FRAMES)
        .filter(|_| by_count.put(Bytes::from_static(b"x")) == Put::Taken)
        .count();
    assert_eq!(taken, QUEUE_FRAMES);
    let (by_bytes, end) = queue();
    let large = Bytes::from(vec![0; QUEUE_BYTES]);
    assert_eq!(by_bytes.put(large), Put::Taken);
    assert_eq!(by_bytes.put(Bytes::from_static(b"x")), Put::Full);
    drop(end);
    let (closed, end) = queue();
    drop(end);
    assert_eq!(closed.put(Bytes::from_static(b"x")), Put::Closed);
}
