// SPDX-License-Identifier: Apache-2.0

//! Tunnel, handle and questions, over a pair of sockets.

use std::time::Duration;

use nipart_schemas::request::Progress;
use tokio::sync::mpsc;

use super::*;
use crate::{EventContext, Phase};

const SOON: Duration = Duration::from_secs(5);

fn custom(text: &str) -> EventData {
    EventData::Custom(serde_json::json!(text))
}

fn text(data: &EventData) -> String {
    match data {
        EventData::Custom(value) => value.as_str().unwrap().to_string(),
        other => panic!("not custom: {other:?}"),
    }
}

fn error_of(event: NipartEvent) -> NipartError {
    assert_eq!(event.state, EventState::Failed);
    match event.data {
        EventData::Error(error) => error,
        other => panic!("not an error: {other:?}"),
    }
}

#[tokio::test]
async fn a_question_is_answered_in_its_chain() {
    let (mut plugin, mut daemon) = pair(vec![Role::Kernel]).unwrap();
    let uuid = daemon
        .ask(Role::Commander, Role::Kernel, custom("hello"), SOON)
        .await
        .unwrap();
    let incoming = plugin.next().await.unwrap();
    assert_eq!(text(&incoming.data), "hello");
    assert_eq!(incoming.question.sender(), &Role::Commander);
    incoming.question.answer(custom("world")).await;
    let answer = daemon.answer_to(&uuid, SOON).await.unwrap();
    assert_eq!(text(&answer.data), "world");
    assert_eq!((answer.chain, answer.kind.as_str()), (uuid, "custom"));
    assert_eq!(
        (answer.sender, answer.receiver),
        (Role::Kernel, Role::Commander)
    );
}

#[tokio::test]
async fn an_ask_follows_from_the_question_that_it_serves() {
    let (mut plugin, mut daemon) = pair(vec![Role::Commander]).unwrap();
    let root = daemon
        .ask(
            Role::Client,
            Role::Commander,
            custom("do"),
            Duration::from_secs(3),
        )
        .await
        .unwrap();
    let question = plugin.next().await.unwrap().question;
    let handle = plugin.handle();
    let asking = tokio::spawn(async move {
        let minute = Duration::from_secs(60);
        let answer = handle
            .ask(question.context(), Role::Kernel, custom("part"), minute)
            .await;
        question.finish(answer).await;
    });
    let asked = daemon.next(SOON).await.unwrap().unwrap();
    assert_eq!((asked.chain, asked.ref_uuid), (root, Some(root)));
    assert_eq!(
        (&asked.sender, &asked.receiver),
        (&Role::Commander, &Role::Kernel)
    );
    // The asker's own deadline, not the minute.
    assert!(asked.deadline.unwrap() <= 3000);
    daemon.answer(&asked, custom("parted")).await.unwrap();
    let answer = daemon.answer_to(&root, SOON).await.unwrap();
    assert_eq!(text(&answer.data), "parted");
    asking.await.unwrap();
}

#[tokio::test]
async fn an_error_is_a_failed_answer_and_comes_back_as_an_error() {
    let (plugin, mut daemon) = pair(vec![Role::Commander]).unwrap();
    let handle = plugin.handle();
    let context = plugin.new_chain();
    let asking =
        tokio::spawn(async move { handle.ask(&context, Role::Kernel, custom("?"), SOON).await });
    let asked = daemon.next(SOON).await.unwrap().unwrap();
    let refused = NipartError::new(ErrorKind::KernelRefused, "no");
    daemon
        .answer(&asked, EventData::Error(refused.clone()))
        .await
        .unwrap();
    assert_eq!(asking.await.unwrap().unwrap_err(), refused);
}

#[tokio::test]
async fn an_ask_without_answer_times_out_and_is_cancelled() {
    let (plugin, mut daemon) = pair(vec![Role::Commander]).unwrap();
    let context = plugin.new_chain();
    let error = plugin
        .handle()
        .ask(
            &context,
            Role::Kernel,
            custom("?"),
            Duration::from_millis(50),
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("kernel") && error.message.contains("custom"));
    let asked = daemon.next(SOON).await.unwrap().unwrap();
    let cancel = daemon.next(SOON).await.unwrap().unwrap();
    assert_eq!(cancel.state, EventState::Cancelled);
    assert_eq!(
        (cancel.ref_uuid, cancel.chain),
        (Some(asked.uuid), asked.chain)
    );
}

#[tokio::test]
async fn an_ask_without_time_is_not_sent() {
    let (plugin, _daemon) = pair(vec![Role::Commander]).unwrap();
    let context = plugin.new_chain().within(Duration::ZERO);
    let error = plugin
        .handle()
        .ask(&context, Role::Kernel, custom("?"), SOON)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn a_cancelled_question_says_so() {
    let (mut plugin, mut daemon) = pair(vec![Role::Kernel]).unwrap();
    let uuid = daemon
        .ask(Role::Commander, Role::Kernel, custom("long"), SOON)
        .await
        .unwrap();
    let question = plugin.next().await.unwrap().question;
    let mut cancellation = question.cancellation();
    assert!(!cancellation.is_cancelled());
    daemon.cancel(uuid).await.unwrap();
    tokio::time::timeout(SOON, cancellation.cancelled())
        .await
        .unwrap();
    assert!(cancellation.is_cancelled());
}

#[tokio::test]
async fn a_dropped_question_is_answered_all_the_same() {
    let (mut plugin, mut daemon) = pair(vec![Role::Kernel]).unwrap();
    let uuid = daemon
        .ask(Role::Commander, Role::Kernel, custom("?"), SOON)
        .await
        .unwrap();
    drop(plugin.next().await.unwrap());
    let error = error_of(daemon.answer_to(&uuid, SOON).await.unwrap());
    assert_eq!(error.kind, ErrorKind::PluginFailure);
}

#[tokio::test]
async fn progress_reaches_the_asker_and_ends_nothing() {
    let (plugin, mut daemon) = pair(vec![Role::Commander]).unwrap();
    let handle = plugin.handle();
    let context = plugin.new_chain();
    let (steps, mut followed) = mpsc::channel(4);
    let asking = tokio::spawn(async move {
        handle
            .ask_following(&context, Role::Kernel, custom("?"), SOON, Some(steps))
            .await
    });
    let asked = daemon.next(SOON).await.unwrap().unwrap();
    let step = Progress {
        message: "half".to_string(),
        done: 1,
        total: 2,
    };
    let progress = EventData::Progress(step.clone());
    daemon.answer(&asked, progress).await.unwrap();
    daemon.answer(&asked, custom("all")).await.unwrap();
    assert_eq!(followed.recv().await, Some(step));
    assert_eq!(text(&asking.await.unwrap().unwrap()), "all");
}

#[tokio::test]
async fn data_that_cannot_be_read_fails_the_question_only() {
    let (mut plugin, mut daemon) = pair(vec![Role::Kernel]).unwrap();
    let unreadable = serde_json::json!({
        "uuid": Uuid::new_v4(), "chain": Uuid::new_v4(), "state": "todo", "sender": "commander",
        "receiver": "kernel", "deadline": 1000, "kind": "from-the-future", "data": {"from-the-future": 1},
    });
    let frame = serde_json::to_vec(&unreadable).unwrap();
    write_frame(&mut daemon.writer, frame.into()).await.unwrap();
    let error = error_of(daemon.next(SOON).await.unwrap().unwrap());
    assert_eq!(error.kind, ErrorKind::Protocol);
    daemon
        .tell(Role::Daemon, Role::Kernel, custom("still here"))
        .await
        .unwrap();
    assert_eq!(text(&plugin.next().await.unwrap().data), "still here");
}

#[tokio::test]
async fn garbage_ends_the_tunnel() {
    let (mut plugin, mut daemon) = pair(vec![Role::Kernel]).unwrap();
    let garbage = b"not an event".to_vec();
    write_frame(&mut daemon.writer, garbage.into())
        .await
        .unwrap();
    assert!(
        tokio::time::timeout(SOON, plugin.next())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(*plugin.phase().borrow(), Phase::Ended);
}

#[tokio::test]
async fn heartbeats_are_answered_without_the_plugins_help() {
    let (_plugin, mut daemon) = pair(vec![Role::Kernel]).unwrap();
    daemon
        .tell(Role::Daemon, Role::Kernel, EventData::Heartbeat)
        .await
        .unwrap();
    let beat = daemon.next(SOON).await.unwrap().unwrap();
    assert_eq!(
        (beat.kind.as_str(), beat.receiver),
        ("heartbeat", Role::Daemon)
    );
}

#[tokio::test]
async fn a_silent_daemon_counts_as_gone() {
    let mut environment = environment(Path::new("/nonexistent"));
    environment.heartbeat = Duration::from_millis(100);
    let (mut plugin, _daemon) = pair_in(environment, vec![Role::Kernel]).unwrap();
    assert!(plugin.next().await.is_none());
    assert_eq!(*plugin.phase().borrow(), Phase::Ended);
}

#[tokio::test]
async fn shutdown_lets_the_loop_finish_and_questions_be_asked() {
    let (mut plugin, mut daemon) = pair(vec![Role::Commander]).unwrap();
    daemon
        .tell(Role::Daemon, Role::Commander, EventData::Shutdown)
        .await
        .unwrap();
    assert!(plugin.next().await.is_none());
    assert_eq!(*plugin.phase().borrow(), Phase::Stopping);
    let handle = plugin.handle();
    let context = plugin.new_chain();
    let asking = tokio::spawn(async move {
        handle
            .ask(&context, Role::Kernel, custom("undo"), SOON)
            .await
    });
    let asked = daemon.next(SOON).await.unwrap().unwrap();
    daemon.answer(&asked, EventData::Done).await.unwrap();
    assert!(asking.await.unwrap().is_ok());
}

#[tokio::test]
async fn the_daemons_end_fails_asks_and_cancels_questions() {
    let (mut plugin, mut daemon) = pair(vec![Role::Commander]).unwrap();
    daemon
        .ask(Role::Client, Role::Commander, custom("?"), SOON)
        .await
        .unwrap();
    let question = plugin.next().await.unwrap().question;
    let handle = plugin.handle();
    let context = EventContext::root(Role::Commander);
    let asking =
        tokio::spawn(async move { handle.ask(&context, Role::Kernel, custom("?"), SOON).await });
    daemon.next(SOON).await.unwrap();
    drop(daemon);
    assert_eq!(
        asking.await.unwrap().unwrap_err().kind,
        ErrorKind::Cancelled
    );
    tokio::time::timeout(SOON, question.cancellation().cancelled())
        .await
        .unwrap();
    assert!(plugin.next().await.is_none());
}

#[tokio::test]
async fn questions_beyond_the_queue_are_refused_and_the_tunnel_stays_alive() {
    let (mut plugin, mut daemon) = pair(vec![Role::Kernel]).unwrap();
    let mut last = Uuid::nil();
    for _ in 0..4097 {
        last = daemon
            .ask(Role::Commander, Role::Kernel, custom("?"), SOON)
            .await
            .unwrap();
    }
    let error = error_of(daemon.answer_to(&last, SOON).await.unwrap());
    assert_eq!(error.kind, ErrorKind::Busy);
    assert!(plugin.next().await.is_some());
}
