// SPDX-License-Identifier: Apache-2.0

//! Start, restart, end.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use nipart_schemas::error::ErrorKind;
use rustix::process::Signal;

use crate::support::{Daemon, SOON, lives, plugin, send, settings, until_ended};

/// Heartbeats that no test waits for.
const CALM: u32 = 2000;

#[tokio::test]
async fn sigterm_leaves_no_process_and_no_socket() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon =
        Daemon::start(directory.path(), &settings(&["commander", "parrot"], CALM)).await;
    let plugins = daemon.plugins().await;
    assert_eq!(plugins.len(), 2);
    assert_eq!(plugins[1].version.as_deref(), Some("test"));
    daemon.signal(Signal::TERM);
    assert!(daemon.end().await.success());
    for plugin in plugins {
        assert!(!lives(plugin.pid.unwrap()));
    }
    assert!(!daemon.socket().exists());
    let entries = std::fs::read_dir(directory.path().join("run/plugins")).unwrap();
    for entry in entries {
        let path = entry.unwrap().path();
        assert_eq!(path.extension().unwrap(), "lock", "{}", path.display());
    }
}

#[tokio::test]
async fn a_killed_plugin_is_back_within_a_second_and_the_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &settings(&["commander", "parrot"], CALM)).await;
    let before = daemon.plugins().await;
    let killed = before[1].pid.unwrap();
    send(killed, Signal::KILL);
    until_ended(killed).await;
    // The daemon has hardly noticed, and all the same it is answered by the successor.
    let successor = daemon.script(&["ask", "parrot", "pid"]).await.unwrap();
    let (after, took) = daemon.until_restarted("parrot", 1).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(successor, after.pid.unwrap().to_string());
    assert_ne!(after.pid, before[1].pid);
    assert_eq!(daemon.plugin("commander").await.pid, before[0].pid);
}

#[tokio::test]
async fn a_plugin_that_ends_again_and_again_is_given_up_and_hurts_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let mut text = settings(&["commander", "parrot"], CALM);
    text.push_str(&plugin("broken", Path::new("/bin/false"), "[]"));
    text.push_str(&plugin("missing", Path::new("/nonexistent"), "[]"));
    text.push_str("restart: {limit: 3, first-delay-ms: 1}\n");
    let daemon = Daemon::start(directory.path(), &text).await;
    for (name, reason) in [
        ("broken", "exit status: 1"),
        ("missing", "cannot start /nonexistent"),
    ] {
        let plugin = daemon.plugin(name).await;
        assert_eq!(plugin.state, "failed");
        assert!(
            plugin.reason.as_ref().unwrap().contains(reason),
            "{plugin:?}"
        );
        let error = daemon.script(&["ask", name, "hello"]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::PluginFailure);
        assert!(error.message.contains("ended too often"), "{error}");
    }
    assert_eq!(
        daemon.script(&["ask", "parrot", "hello"]).await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn a_hung_plugin_is_killed_and_started_again() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(directory.path(), &settings(&["commander", "parrot"], 100)).await;
    let hung = daemon.plugin("parrot").await.pid.unwrap();
    let error = daemon.script(&["ask", "parrot", "hang"]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PluginFailure);
    assert!(error.message.contains("missed 3 heartbeats"), "{error}");
    daemon.until_restarted("parrot", 1).await;
    assert!(!lives(hung));
    assert_eq!(
        daemon.script(&["ask", "parrot", "hello"]).await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn two_daemons_live_side_by_side_but_not_in_one_run_directory() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = settings(&["commander", "parrot"], CALM);
    let first = Daemon::start(one.path(), &text).await;
    let second = Daemon::start(two.path(), &text).await;
    assert_eq!(first.script(&["ask", "parrot", "1"]).await.unwrap(), "1");
    assert_eq!(second.script(&["ask", "parrot", "2"]).await.unwrap(), "2");
    let mut intruder = Daemon::spawn(one.path(), &text, &[]);
    assert_eq!(intruder.end().await.code(), Some(1));
    assert!(
        first.log().contains("another nipartd (pid "),
        "{}",
        first.log()
    );
    assert_eq!(first.script(&["ask", "parrot", "3"]).await.unwrap(), "3");
}

#[tokio::test]
async fn plugins_of_a_killed_daemon_end_and_its_successor_starts_anew() {
    let directory = tempfile::tempdir().unwrap();
    let text = settings(&["commander", "parrot"], CALM);
    let mut daemon = Daemon::start(directory.path(), &text).await;
    let orphans = daemon.plugins().await;
    daemon.signal(Signal::KILL);
    daemon.end().await;
    let successor = Daemon::start(directory.path(), &text).await;
    for orphan in orphans {
        let took = until_ended(orphan.pid.unwrap()).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(
        successor.script(&["ask", "parrot", "hello"]).await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn systemd_is_told_when_all_plugins_run_and_that_the_daemon_is_alive() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let environment = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "100000"),
    ];
    let text = settings(&["commander", "parrot"], CALM);
    let mut daemon = Daemon::spawn(directory.path(), &text, &environment);
    let receive = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let until = |wanted: &str| while !receive().contains(wanted) {};
    until("READY=1");
    assert!(
        daemon
            .plugins()
            .await
            .iter()
            .all(|plugin| plugin.state == "running")
    );
    until("WATCHDOG=1");
    until("WATCHDOG=1");
    daemon.signal(Signal::TERM);
    until("STOPPING=1");
    assert!(daemon.end().await.success());
}

#[tokio::test]
async fn a_plugin_that_ignores_its_end_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(
        directory.path(),
        &settings(&["commander", "parrot"], 60_000),
    )
    .await;
    let stuck = daemon.plugin("parrot").await.pid.unwrap();
    send(stuck, Signal::STOP);
    daemon.signal(Signal::TERM);
    assert!(daemon.end().await.success());
    assert!(!lives(stuck));
}

#[tokio::test]
async fn wrong_settings_are_refused_with_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::spawn(directory.path(), "plugnis: []\n", &[]);
    assert_eq!(daemon.end().await.code(), Some(2));
    let log = daemon.log();
    assert!(
        log.contains("nipart.yml:4:1: ") && log.contains("plugnis"),
        "{log}"
    );
}
