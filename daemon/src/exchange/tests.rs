// SPDX-License-Identifier: Apache-2.0

//! The exchange behind its handle, with a queue in place of a plugin.

use std::time::Duration;

use nipart_schemas::request::Progress;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::*;
use crate::connection::{QueueEnd, queue};
use crate::handle::{CoreHandle, MAX_CALLS};
use crate::settings::TraceSettings;

const SOON: Duration = Duration::from_secs(5);

struct Bench {
    core: CoreHandle,
    happenings: mpsc::Sender<Happening>,
    plugin: QueueEnd,
    end: CancellationToken,
    task: JoinHandle<()>,
}

fn parrot() -> Role {
    Role::from("parrot".to_string())
}

fn custom(text: &str) -> EventData {
    EventData::Custom(serde_json::json!(text))
}

/// An exchange with one running plugin.
async fn bench() -> Bench {
    let settings = PluginSettings {
        name: "parrot".to_string(),
        executable: None,
        arguments: Vec::new(),
        roles: vec![parrot()],
        environment: std::collections::BTreeMap::new(),
    };
    let bounds = TraceSettings::default();
    let (events, _) = broadcast::channel(4);
    let (ready, is_ready) = oneshot::channel();
    let (happenings, happening_queue) = mpsc::channel(16);
    let (requests, request_queue) = mpsc::channel(16);
    let end = CancellationToken::new();
    let traces = TraceRing::new(bounds.events, bounds.bytes);
    let exchange = Exchange::new(&[settings], traces, events.clone(), ready);
    let task = tokio::spawn(exchange.run(happening_queue, request_queue, end.clone()));
    let (queue, plugin) = queue();
    let up = Happening::Up {
        plugin: 0,
        pid: 7,
        version: "1".to_string(),
        queue,
    };
    happenings.send(up).await.unwrap();
    tokio::time::timeout(SOON, is_ready).await.unwrap().unwrap();
    Bench {
        core: CoreHandle::new(requests, events),
        happenings,
        plugin,
        end,
        task,
    }
}

impl Bench {
    /// A client's question, asked in a task of its own.
    fn ask(&self, text: &str) -> JoinHandle<Result<(Uuid, Box<RawValue>), NipartError>> {
        let (core, data) = (self.core.clone(), custom(text));
        tokio::spawn(async move { core.call(parrot(), data, SOON, None).await })
    }

    /// What the plugin gets next.
    async fn delivered(&mut self) -> NipartEvent {
        let frame = tokio::time::timeout(SOON, self.plugin.next())
            .await
            .unwrap();
        codec::decode(&frame.unwrap()).unwrap()
    }

    async fn answer(&self, question: &NipartEvent, data: EventData) {
        let passing = Passing::of(&question.answer(data)).unwrap();
        let frame = Happening::Frame { plugin: 0, passing };
        self.happenings.send(frame).await.unwrap();
    }
}

#[tokio::test]
async fn a_call_gives_chain_and_data_and_progress_before_them() {
    let mut bench = bench().await;
    let (progress, mut steps) = mpsc::channel(4);
    let core = bench.core.clone();
    let asking =
        tokio::spawn(async move { core.call(parrot(), custom("?"), SOON, Some(progress)).await });
    let question = bench.delivered().await;
    assert_eq!(
        (&question.sender, question.chain),
        (&Role::Client, question.uuid)
    );
    assert!(question.deadline.unwrap() <= 5000);
    let step = Progress {
        message: "half".to_string(),
        done: 1,
        total: 2,
    };
    bench
        .answer(&question, EventData::Progress(step.clone()))
        .await;
    bench.answer(&question, custom("!")).await;
    let (chain, data) = asking.await.unwrap().unwrap();
    assert_eq!((chain, data.get()), (question.chain, r#"{"custom":"!"}"#));
    assert_eq!(steps.recv().await, Some(step));
    let records = bench.core.trace(chain).await.unwrap();
    assert_eq!(records.len(), 3);
    assert!(records.is_sorted_by_key(|record| record.at_us));
    assert_eq!(bench.core.traces(10).await.unwrap().len(), 1);
    let unknown = bench.core.trace(Uuid::nil()).await.unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn an_error_comes_back_as_an_error() {
    let mut bench = bench().await;
    let asking = bench.ask("?");
    let question = bench.delivered().await;
    let error = NipartError::invalid("interfaces[0]", "no").note("really");
    bench
        .answer(&question, EventData::Error(error.clone()))
        .await;
    assert_eq!(asking.await.unwrap().unwrap_err(), error);
}

#[tokio::test]
async fn a_client_that_has_gone_cancels_its_question() {
    let mut bench = bench().await;
    let asking = bench.ask("?");
    let question = bench.delivered().await;
    asking.abort();
    let cancel = bench.delivered().await;
    assert_eq!(cancel.state, EventState::Cancelled);
    assert_eq!(
        (cancel.ref_uuid, cancel.chain),
        (Some(question.uuid), question.chain)
    );
    let summary = bench.core.traces(1).await.unwrap().remove(0);
    assert_eq!(summary.state, EventState::Cancelled);
}

#[tokio::test]
async fn calls_are_bounded_and_the_next_one_is_refused() {
    let mut bench = bench().await;
    let mut calls: Vec<_> = (0..MAX_CALLS).map(|_| bench.ask("?")).collect();
    let first = bench.delivered().await;
    for _ in 1..MAX_CALLS {
        bench.delivered().await;
    }
    let call = bench.core.call(parrot(), custom("?"), SOON, None);
    assert_eq!(call.await.unwrap_err().kind, ErrorKind::Busy);
    bench.answer(&first, custom("!")).await;
    assert!(calls.remove(0).await.unwrap().is_ok());
    let next = bench.ask("next");
    bench.delivered().await;
    next.abort();
    calls.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn the_end_answers_whoever_waits() {
    let mut bench = bench().await;
    let asking = bench.ask("?");
    bench.delivered().await;
    bench.end.cancel();
    assert_eq!(
        asking.await.unwrap().unwrap_err().kind,
        ErrorKind::Cancelled
    );
    tokio::time::timeout(SOON, bench.task)
        .await
        .unwrap()
        .unwrap();
    let late = bench.core.call(parrot(), custom("?"), SOON, None).await;
    assert_eq!(late.unwrap_err().kind, ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_subscriber_that_lags_is_told_how_much_it_lost() {
    let mut bench = bench().await;
    let mut events = bench.core.subscribe();
    for number in 0..5 {
        let asking = bench.ask(&number.to_string());
        let question = bench.delivered().await;
        bench.answer(&question, custom("!")).await;
        asking.await.unwrap().unwrap();
    }
    assert!(matches!(events.recv().await, Err(RecvError::Lagged(6))));
    assert_eq!(events.recv().await.unwrap().receiver, parrot());
}

#[tokio::test]
async fn reports_follow_a_plugins_life() {
    let bench = bench().await;
    let report = bench.core.plugins().await.unwrap().remove(0);
    assert_eq!((report.state, report.pid), (PluginState::Running, Some(7)));
    assert!(report.uptime_ms.is_some());
    let change = Change {
        plugin: 0,
        state: PluginState::Stopped,
        pid: None,
        presence: Presence::Away("it rests".to_string()),
        reason: "it ended".to_string(),
    };
    bench
        .happenings
        .send(Happening::Lost(change))
        .await
        .unwrap();
    let error = bench.ask("?").await.unwrap().unwrap_err();
    assert!(error.message.contains("it rests"), "{error}");
    let report = bench.core.plugins().await.unwrap().remove(0);
    assert_eq!(
        (report.state, report.uptime_ms),
        (PluginState::Stopped, None)
    );
    assert_eq!(report.reason.as_deref(), Some("it ended"));
}
