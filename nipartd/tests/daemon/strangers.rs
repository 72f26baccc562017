// SPDX-License-Identifier: Apache-2.0

//! Plugins of other people: in another language, and ones that aren't plugins at all.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nipart_plugin_sdk::codec::{self, FrameReader, write_frame};
use nipart_schemas::error::ErrorKind;
use nipart_schemas::event::{EventData, NipartEvent, PROTOCOL_VERSION, Role};
use nipart_schemas::plugin::Registration;

use crate::support::{Daemon, SOON, plugin, settings};

fn core_socket(daemon: &Daemon) -> std::path::PathBuf {
    daemon.directory.join("run/plugins/_core.sock")
}

#[tokio::test]
async fn a_plugin_in_python_registers_and_answers() {
    let directory = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/support/echo_plugin.py");
    // Not the first `python3` in PATH, which may be a wrapper that starts another process.
    let python = Path::new("/usr/bin/python3");
    let mut text = settings(&["commander"], 100);
    text.push_str(&plugin(
        "snake",
        python,
        &format!("[{}, snake]", script.display()),
    ));
    let daemon = Daemon::start(directory.path(), &text).await;
    assert_eq!(
        daemon.script(&["ask", "snake", "hello"]).await.unwrap(),
        "hello"
    );
    // Ten heartbeats later it is still the same.
    let since = std::time::Instant::now();
    while since.elapsed() < std::time::Duration::from_secs(1) {
        assert_eq!(
            daemon.script(&["ask", "snake", "again"]).await.unwrap(),
            "again"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let snake = daemon.plugin("snake").await;
    assert_eq!((snake.state.as_str(), snake.restarts), ("running", 0));
    assert_eq!(snake.version.as_deref(), Some("echo 1"));
}

#[tokio::test]
async fn who_was_not_started_by_the_daemon_cannot_register() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &settings(&["commander"], 2000)).await;
    for name in ["commander", "nobody"] {
        let stream = tokio::net::UnixStream::connect(core_socket(&daemon))
            .await
            .unwrap();
        let (reading, mut writing) = stream.into_split();
        let registration = Registration {
            name: name.to_string(),
            version: "1".to_string(),
            protocol: PROTOCOL_VERSION,
            instance: "guess".to_string(),
            token: "guess".to_string(),
            roles: vec![Role::Commander],
        };
        let event = NipartEvent::root(
            Role::Commander,
            Role::Daemon,
            EventData::Register(registration),
        );
        write_frame(&mut writing, codec::encode(&event).unwrap())
            .await
            .unwrap();
        let frame = tokio::time::timeout(SOON, FrameReader::new(reading).next()).await;
        let answer: NipartEvent = codec::decode(&frame.unwrap().unwrap().unwrap()).unwrap();
        let EventData::Error(error) = answer.data else {
            panic!("{answer:?}");
        };
        assert_eq!(error.kind, ErrorKind::PermissionDenied);
    }
    assert_eq!(
        daemon.script(&["ask", "commander", "hello"]).await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn random_bytes_end_their_own_connection_only() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &settings(&["commander", "parrot"], 2000)).await;
    let mut seed = 1_u32;
    for length in [1_usize, 3, 4, 5, 100, 10_000] {
        for socket in [core_socket(&daemon), daemon.socket()] {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    seed.to_be_bytes()[0]
                })
                .collect();
            let mut stream = UnixStream::connect(socket).unwrap();
            // Either may fail when the daemon has hung up already.
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    assert_eq!(
        daemon.script(&["ask", "parrot", "hello"]).await.unwrap(),
        "hello"
    );
    for plugin in daemon.plugins().await {
        assert_eq!((plugin.state.as_str(), plugin.restarts), ("running", 0));
    }
}
