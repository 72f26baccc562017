// SPDX-License-Identifier: Apache-2.0

//! What becomes of questions when processes don't behave.

use std::time::{Duration, Instant};

use nipart_api::client::Client;
use nipart_schemas::error::ErrorKind;
use rustix::process::Signal;

use crate::support::{Daemon, SOON, send, settings};

async fn start(heartbeat_ms: u32) -> (tempfile::TempDir, Daemon) {
    let directory = tempfile::tempdir().unwrap();
    let text = settings(&["commander", "parrot"], heartbeat_ms);
    let daemon = Daemon::start(directory.path(), &text).await;
    (directory, daemon)
}

/// Waits until the parrot works on a `wait`: the daemon has traced the question.
async fn until_asked(daemon: &Daemon) {
    let since = Instant::now();
    let mut client = Client::connect(&daemon.socket()).await.unwrap();
    loop {
        let traces = client.traces(Some(1)).await.unwrap();
        if traces
            .first()
            .is_some_and(|trace| trace.events == 2 && trace.state == "todo")
        {
            return;
        }
        assert!(since.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_plugin_that_dies_fails_the_question_that_it_works_on() {
    let (_directory, daemon) = start(2000).await;
    let error = daemon.script(&["ask", "parrot", "exit"]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PluginFailure);
    assert!(error.message.contains("the parrot plugin (pid "), "{error}");
    assert!(
        error.message.contains("while it was working on `custom`"),
        "{error}"
    );
    assert!(error.message.contains("exit status: 3"), "{error}");
    assert_eq!(
        daemon.script(&["ask", "parrot", "hello"]).await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn the_end_of_an_asker_cancels_what_it_asked() {
    let (_directory, daemon) = start(2000).await;
    let commander = daemon.plugin("commander").await.pid.unwrap();
    let (failed, ()) = tokio::join!(daemon.script(&["ask", "parrot", "wait"]), async {
        until_asked(&daemon).await;
        send(commander, Signal::KILL);
    });
    let error = failed.unwrap_err();
    assert_eq!(error.kind, ErrorKind::PluginFailure);
    assert!(error.message.contains("signal: 9"), "{error}");
    daemon.until_restarted("commander", 1).await;
    assert_eq!(
        daemon
            .script(&["ask", "parrot", "cancelled"])
            .await
            .unwrap(),
        "1"
    );
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_the_whole_chain() {
    let (_directory, daemon) = start(2000).await;
    tokio::select! {
        _ = daemon.script(&["ask", "parrot", "wait"]) => panic!("answered"),
        () = until_asked(&daemon) => {}
    }
    let since = Instant::now();
    // The commander may have to be told first, then the parrot.
    while daemon
        .script(&["ask", "parrot", "cancelled"])
        .await
        .unwrap()
        == "0"
    {
        assert!(since.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut client = Client::connect(&daemon.socket()).await.unwrap();
    let traces = client.traces(None).await.unwrap();
    assert!(
        traces.iter().any(|trace| trace.state == "cancelled"),
        "{traces:#?}"
    );
}

#[tokio::test]
async fn a_plugin_that_does_not_read_is_refused_questions_and_delays_nobody() {
    let (_directory, daemon) = start(60_000).await;
    let parrot = daemon.plugin("parrot").await.pid.unwrap();
    send(parrot, Signal::STOP);
    // More than its queue takes: the rest fails at once, and the question that waits is failed by its death.
    let (flooded, ()) = tokio::join!(daemon.script(&["flood", "parrot", "80"]), async {
        let since = Instant::now();
        while !daemon.log().contains("is slow") {
            assert!(since.elapsed() < SOON);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(
            daemon.script(&["ask", "commander", "hello"]).await.unwrap(),
            "hello"
        );
        send(parrot, Signal::KILL);
    });
    let message = flooded.unwrap();
    assert!(message.contains("the parrot plugin"), "{message}");
}

#[tokio::test]
async fn a_chain_can_be_looked_at_afterwards() {
    let (_directory, daemon) = start(2000).await;
    daemon.script(&["ask", "parrot", "hello"]).await.unwrap();
    let mut client = Client::connect(&daemon.socket()).await.unwrap();
    let chain = client.traces(Some(1)).await.unwrap().remove(0);
    assert_eq!(
        (chain.kind.as_str(), chain.state.as_str(), chain.events),
        ("show", "done", 4)
    );
    let hops: Vec<String> = client
        .trace(&chain.id)
        .await
        .unwrap()
        .iter()
        .map(|event| format!("{}→{} {}", event.sender, event.receiver, event.kind))
        .collect();
    assert_eq!(
        hops,
        [
            "client→commander show",
            "commander→parrot custom",
            "parrot→commander custom",
            "commander→client state",
        ]
    );
}

#[tokio::test]
async fn many_clients_at_once_are_all_answered() {
    let (_directory, daemon) = start(2000).await;
    let texts: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let words: Vec<[&str; 3]> = texts.iter().map(|text| ["ask", "parrot", text]).collect();
    let answers = futures::future::join_all(words.iter().map(|words| daemon.script(words))).await;
    for (text, answer) in texts.iter().zip(answers) {
        assert_eq!(*text, answer.unwrap());
    }
}
