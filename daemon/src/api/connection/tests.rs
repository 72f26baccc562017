// SPDX-License-Identifier: Apache-2.0

//! Connections against a core that is a task of the test.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nipart_api::call::{ApplyParameters, ShowParameters};
use nipart_api::client::Client;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, EventState, Role};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::{ApplyReport, Progress};
use nipart_schemas::trace::TraceRecord;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{broadcast, oneshot};
use tokio::time::timeout;

use super::*;
use crate::api::{self, ApiSettings};
use crate::handle::Request as CoreRequest;

const PATIENCE: Duration = Duration::from_secs(20);

struct Daemon {
    folder: PathBuf,
    stop: CancellationToken,
    events: broadcast::Sender<Arc<TraceRecord>>,
    /// Told when the core heard that a caller has gone.
    dropped: mpsc::Receiver<()>,
    /// What the core was asked to take back.
    taken_back: mpsc::Receiver<String>,
    served: tokio::task::JoinHandle<Result<(), NipartError>>,
}

impl Daemon {
    /// An API whose core answers `show` with `state`, finishes an apply after one progress, and never finishes a plan.
    async fn start(state: String) -> Self {
        let folder = std::env::temp_dir().join(format!("nipart-api-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let (requests, mut inbox) = mpsc::channel::<CoreRequest>(64);
        let (events, _) = broadcast::channel(4);
        let (gone, dropped) = mpsc::channel(64);
        let (back, taken_back) = mpsc::channel(64);
        tokio::spawn(async move {
            let mut pending = Vec::new();
            while let Some(request) = inbox.recv().await {
                match request {
                    CoreRequest::Call(call) => match call.event.data {
                        EventData::Show(_) => {
                            let raw = RawValue::from_string(format!("{{\"state\":{state}}}"));
                            let _ = call.reply.send(Ok(raw.unwrap()));
                        }
                        EventData::Apply(_) => {
                            if let Some(progress) = call.progress {
                                let _ = progress.try_send(Progress {
                                    message: "wave 1".into(),
                                    done: 1,
                                    total: 2,
                                });
                            }
                            let report = EventData::Applied(Box::new(ApplyReport {
                                trace: Some(call.event.chain.to_string()),
                                ..ApplyReport::default()
                            }));
                            let raw = serde_json::value::to_raw_value(&report).unwrap();
                            let _ = call.reply.send(Ok(raw));
                        }
                        EventData::Rollback(request) => {
                            let _ = back.send(request.checkpoint.unwrap_or_default()).await;
                            let raw = RawValue::from_string("\"done\"".into()).unwrap();
                            let _ = call.reply.send(Ok(raw));
                        }
                        EventData::Commit(_) => {
                            let raw = RawValue::from_string("\"done\"".into()).unwrap();
                            let _ = call.reply.send(Ok(raw));
                        }
                        _ => pending.push((call.reply, call.permit)),
                    },
                    CoreRequest::CallDropped(_) => {
                        let _ = gone.send(()).await;
                    }
                    CoreRequest::Plugins(reply) => {
                        let _ = reply.send(Vec::new());
                    }
                    CoreRequest::Traces(_, reply) => {
                        let _ = reply.send(Vec::new());
                    }
                    CoreRequest::Trace(_, reply) => {
                        let _ = reply.send(Vec::new());
                    }
                }
            }
        });
        let settings = ApiSettings {
            socket: folder.join("io.nipart"),
            group: None,
        };
        let core = CoreHandle::new(requests, events.clone());
        let stop = CancellationToken::new();
        let (ready, is_ready) = oneshot::channel();
        let served = {
            let stop = stop.clone();
            tokio::spawn(async move {
                // Listening begins in the first poll of `serve`, before anything is awaited.
                let serve = api::serve(settings, core, stop);
                tokio::pin!(serve);
                let first = futures::poll!(&mut serve);
                let _ = ready.send(());
                match first {
                    std::task::Poll::Ready(outcome) => outcome,
                    std::task::Poll::Pending => serve.await,
                }
            })
        };
        is_ready.await.unwrap();
        Self {
            folder,
            stop,
            events,
            dropped,
            taken_back,
            served,
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("io.nipart")
    }

    async fn client(&self) -> Client {
        Client::connect(&self.socket()).await.unwrap()
    }

    async fn finish(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.served)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(!Path::new(&self.folder).join("io.nipart").exists());
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

async fn shows(daemon: &Daemon) {
    let state = daemon
        .client()
        .await
        .show(&ShowParameters::default())
        .await
        .unwrap();
    assert!(state.starts_with('{'));
}

fn apply_parameters() -> ApplyParameters {
    ApplyParameters::of(NetworkState::default())
}

#[tokio::test]
async fn methods_are_answered() {
    let daemon = Daemon::start(r#"{"interfaces":[]}"#.into()).await;
    let mode = std::fs::metadata(daemon.socket())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o666);
    let mut client = daemon.client().await;
    let pong = client.ping().await.unwrap();
    assert_eq!(pong.version, env!("CARGO_PKG_VERSION"));
    let state = client.show(&ShowParameters::default()).await.unwrap();
    assert_eq!(state, r#"{"interfaces":[]}"#);
    assert!(client.plugins().await.unwrap().is_empty());
    assert!(client.traces(None).await.unwrap().is_empty());
    let error = client.trace("last").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    let mut heard = Vec::new();
    let applied = client
        .apply(&apply_parameters(), |progress| heard.push(progress.done))
        .await;
    if pong.may_apply {
        applied.unwrap();
        assert_eq!(heard, [1]);
    } else {
        assert_eq!(applied.unwrap_err().kind, ErrorKind::PermissionDenied);
    }
    daemon.finish().await;
}

#[tokio::test]
async fn what_is_not_committed_ends_with_the_connection() {
    let mut daemon = Daemon::start("{}".into()).await;
    let mut client = daemon.client().await;
    if !client.ping().await.unwrap().may_apply {
        return daemon.finish().await;
    }
    let mut parameters = ApplyParameters {
        hang_up: Some(true),
        ..apply_parameters()
    };
    let refused = client.apply(&parameters, |_| {}).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::InvalidArgument);
    parameters.confirm_seconds = Some(60);
    let committed = client.apply(&parameters, |_| {}).await.unwrap();
    client.commit(committed.trace.as_deref()).await.unwrap();
    let kept = client.apply(&parameters, |_| {}).await.unwrap();
    // This one's time goes on.
    parameters.hang_up = None;
    client.apply(&parameters, |_| {}).await.unwrap();
    drop(client);
    let taken_back = timeout(PATIENCE, daemon.taken_back.recv()).await.unwrap();
    assert_eq!(taken_back, kept.trace);
    shows(&daemon).await;
    assert!(daemon.taken_back.try_recv().is_err());
    daemon.finish().await;
}

#[tokio::test]
async fn long_calls_are_understood() {
    let daemon = Daemon::start("{}".into()).await;
    let mut client = daemon.client().await;
    let names = vec!["veth0".to_string(); 100_000];
    let parameters = ShowParameters {
        interfaces: Some(names),
        source: None,
        show_secrets: None,
    };
    assert_eq!(client.show(&parameters).await.unwrap(), "{}");
    daemon.finish().await;
}

#[tokio::test]
async fn who_may_not_apply_is_refused() {
    let (requests, _inbox) = mpsc::channel(1);
    let core = CoreHandle::new(requests, broadcast::channel(1).0);
    let (ours, theirs) = UnixStream::pair().unwrap();
    let peer = Peer::reader(&theirs.peer_cred().unwrap());
    let task = tokio::spawn(serve(theirs, peer, core, CancellationToken::new()));
    let (mut reader, mut writer) = transport::split(ours, MAX_MESSAGE_LENGTH);
    for call in [
        r#"{"method":"io.nipart.Apply","parameters":{"state":{}}}"#,
        r#"{"method":"io.nipart.Commit"}"#,
        r#"{"method":"io.nipart.Rollback"}"#,
        r#"{"method":"io.nipart.Forget"}"#,
    ] {
        writer.send(call.into()).await.unwrap();
        let reply = reader.next().await.unwrap().unwrap();
        assert!(reply.contains("permission-denied"), "{reply}");
    }
    // Nor may it send what only an apply needs.
    let _ = writer
        .send("x".repeat(MAX_READER_MESSAGE_LENGTH + 10))
        .await;
    timeout(PATIENCE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn garbage_ends_one_connection_only() {
    let daemon = Daemon::start("{}".into()).await;
    for bytes in [
        &b"\0"[..],
        b"nonsense\0",
        b"{\"method\":1}\0",
        b"[]\0",
        b"\xff\xff\0",
        b"{}\0",
        b"GET / HTTP/1.1\r\n\r\n\0",
    ] {
        let mut stream = UnixStream::connect(daemon.socket()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut rest))
            .await
            .unwrap()
            .unwrap();
        assert!(rest.is_empty());
        shows(&daemon).await;
    }
    daemon.finish().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_hurts_nobody() {
    let state = format!("{{\"description\":\"{}\"}}", "x".repeat(4_000_000));
    let daemon = Daemon::start(state).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut stream = UnixStream::connect(daemon.socket()).await.unwrap();
        stream
            .write_all(b"{\"method\":\"io.nipart.Show\"}\0")
            .await
            .unwrap();
        idle.push(stream);
    }
    timeout(PATIENCE, shows(&daemon)).await.unwrap();
    daemon.finish().await;
}

#[tokio::test]
async fn hanging_up_cancels_the_call() {
    let mut daemon = Daemon::start("{}".into()).await;
    let mut stream = UnixStream::connect(daemon.socket()).await.unwrap();
    let call = b"{\"method\":\"io.nipart.Plan\",\"parameters\":{\"state\":{}}}\0";
    stream.write_all(call).await.unwrap();
    // Another client is served meanwhile; by then the first one's call is open, or will be.
    shows(&daemon).await;
    drop(stream);
    timeout(PATIENCE, daemon.dropped.recv())
        .await
        .unwrap()
        .unwrap();
    daemon.finish().await;
}

#[tokio::test]
async fn two_hundred_clients_at_once() {
    let daemon = Daemon::start("{}".into()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let socket = daemon.socket();
        tasks.spawn(async move {
            let mut client = Client::connect(&socket).await.unwrap();
            for _ in 0..5 {
                client.show(&ShowParameters::default()).await.unwrap();
            }
        });
    }
    timeout(PATIENCE, tasks.join_all()).await.unwrap();
    daemon.finish().await;
}

#[tokio::test]
async fn subscribers_hear_events_and_what_they_missed() {
    let daemon = Daemon::start("{}".into()).await;
    let mut subscription = daemon.client().await.subscribe().await.unwrap();
    let record = |kind: String| {
        Arc::new(TraceRecord {
            uuid: uuid::Uuid::now_v7(),
            ref_uuid: None,
            chain: uuid::Uuid::now_v7(),
            kind,
            state: EventState::Todo,
            sender: Role::Client,
            receiver: Role::Commander,
            bytes: 1,
            at_us: 1,
        })
    };
    // More than the channel holds, without letting the connection's task run in between.
    for number in 0..10 {
        daemon.events.send(record(number.to_string())).unwrap();
    }
    let mut kinds = HashSet::new();
    let mut missed = 0;
    while kinds.len() < 4 {
        let told = timeout(PATIENCE, subscription.next())
            .await
            .unwrap()
            .unwrap();
        missed += told.missed.unwrap_or(0);
        kinds.insert(told.event.unwrap().kind);
    }
    assert_eq!((missed, kinds.contains("9")), (6, true));
    let mut stream = UnixStream::connect(daemon.socket()).await.unwrap();
    stream
        .write_all(b"{\"method\":\"io.nipart.Subscribe\"}\0")
        .await
        .unwrap();
    let mut reply = [0; 100];
    let length = timeout(PATIENCE, stream.read(&mut reply))
        .await
        .unwrap()
        .unwrap();
    assert!(String::from_utf8_lossy(&reply[..length]).contains("ExpectedMore"));
    daemon.finish().await;
}
