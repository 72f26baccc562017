// SPDX-License-Identifier: Apache-2.0

//! Messages between peers, one of which may misbehave.

use std::time::Duration;

use nipart_schemas::error::ErrorKind;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};

use crate::call::{Call, Request};
use crate::client::Client;
use crate::reply::{self, CallError};
use crate::transport::{self, TransportError};

const LIMIT: usize = 1000;

fn understand(message: &str) -> Result<Request, CallError> {
    Request::understand(&serde_json::from_str::<Call<'_>>(message).unwrap())
}

#[tokio::test]
async fn messages_arrive_however_they_are_cut() {
    let (mut peer, ours) = UnixStream::pair().unwrap();
    let (mut reader, _writer) = transport::split(ours, LIMIT);
    peer.write_all(b"one\0two\0th").await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap(), "one");
    assert_eq!(reader.next().await.unwrap().unwrap(), "two");
    // Dropped half way, nothing is lost.
    assert!(
        tokio::time::timeout(Duration::from_millis(1), reader.next())
            .await
            .is_err()
    );
    peer.write_all(b"ree\0").await.unwrap();
    drop(peer);
    assert_eq!(reader.next().await.unwrap().unwrap(), "three");
    assert!(reader.next().await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_sent_ahead_is_kept_while_watching_for_the_end() {
    let (mut peer, ours) = UnixStream::pair().unwrap();
    let (mut reader, _writer) = transport::split(ours, LIMIT);
    peer.write_all(b"one\0").await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(1), reader.hung_up())
            .await
            .is_err()
    );
    assert_eq!(reader.next().await.unwrap().unwrap(), "one");
    drop(peer);
    reader.hung_up().await.unwrap();
}

#[tokio::test]
async fn bad_messages_end_the_connection() {
    for (bytes, expected) in [
        (vec![b'x'; LIMIT + 1], "a message of more than 1000 bytes"),
        (vec![0xff, 0xfe, 0], "a message that is not UTF-8"),
        (
            b"half".to_vec(),
            "the connection ended in the middle of a message",
        ),
    ] {
        let (mut peer, ours) = UnixStream::pair().unwrap();
        let (mut reader, _writer) = transport::split(ours, LIMIT);
        peer.write_all(&bytes).await.unwrap();
        drop(peer);
        assert_eq!(reader.next().await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_given_up() {
    let (_peer, ours) = UnixStream::pair().unwrap();
    let (_reader, writer) = transport::split(ours, LIMIT);
    let mut writer = writer.with_stall(Duration::from_millis(20));
    let error = writer.send("x".repeat(10_000_000)).await.unwrap_err();
    assert!(matches!(error, TransportError::Stalled(_)), "{error}");
}

#[tokio::test]
async fn a_message_that_is_never_finished_is_given_up() {
    let (mut peer, ours) = UnixStream::pair().unwrap();
    let (mut reader, _writer) = transport::split(ours, LIMIT);
    let limit = Duration::from_millis(20);
    // Nothing at all may last for ever.
    assert!(
        tokio::time::timeout(limit * 3, reader.next_within(limit))
            .await
            .is_err()
    );
    peer.write_all(b"one\0ha").await.unwrap();
    assert_eq!(reader.next_within(limit).await.unwrap().unwrap(), "one");
    let error = reader.next_within(limit).await.unwrap_err();
    assert!(matches!(error, TransportError::Slow(_)), "{error}");
}

#[tokio::test]
async fn long_messages_pass() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (_reader, mut writer) = transport::split(ours, LIMIT);
    let (mut reader, _writer) = transport::split(theirs, transport::MAX_MESSAGE_LENGTH);
    let text = "x".repeat(20_000_000);
    let (sent, received) = tokio::join!(writer.send(text.clone()), reader.next());
    sent.unwrap();
    assert_eq!(received.unwrap().unwrap(), text);
}

#[test]
fn what_is_not_understood_is_named() {
    let refused = |method: &str, parameters: serde_json::Value| {
        understand(&json!({"method": method, "parameters": parameters}).to_string()).unwrap_err()
    };
    assert_eq!(
        refused("Ping", json!({})),
        CallError::MethodNotFound("Ping".into())
    );
    assert_eq!(
        refused("io.nipart.Fly", json!({})),
        CallError::MethodNotFound("io.nipart.Fly".into())
    );
    assert_eq!(
        refused("org.other.Fly", json!({})),
        CallError::InterfaceNotFound("org.other".into())
    );
    assert_eq!(
        refused("io.nipart.GetTrace", json!({})),
        CallError::InvalidParameter("id".into())
    );
    assert_eq!(
        refused("io.nipart.Ping", json!({"x": 1})),
        CallError::InvalidParameter("x".into())
    );
    assert_eq!(
        refused("io.nipart.Show", json!({"source": "moon"})),
        CallError::InvalidParameter("source".into())
    );
    let CallError::Failed(error) = refused(
        "io.nipart.Plan",
        json!({"state": {"interfaces": [{"name": "a", "mtu": "x"}]}}),
    ) else {
        panic!("no failure");
    };
    assert_eq!(error.kind, ErrorKind::InvalidArgument);
    assert_eq!(error.path.as_deref(), Some("interfaces[0].mtu"));
}

/// A service that gives `replies` to whatever is asked first.
async fn fake_service(replies: Vec<String>) -> (tempfile::TempDir, Client) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = Client::connect(&path).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    tokio::spawn(async move {
        let (mut reader, mut writer) = transport::split(stream, LIMIT);
        reader.next().await.unwrap();
        for reply in replies {
            writer.send(reply).await.unwrap();
        }
    });
    (folder, client)
}

#[tokio::test]
async fn clients_understand_errors() {
    let failed =
        CallError::Failed(nipart_schemas::error::NipartError::invalid("mtu", "no").note("at all"));
    let (_folder, mut client) = fake_service(vec![reply::error_message(&failed).unwrap()]).await;
    let error = client.ping().await.unwrap_err();
    assert_eq!(CallError::Failed(error), failed);

    let other = reply::error_message(&CallError::MethodNotFound("Ping".into())).unwrap();
    let (_folder, mut client) = fake_service(vec![other]).await;
    assert_eq!(client.ping().await.unwrap_err().kind, ErrorKind::Protocol);

    let (_folder, mut client) = fake_service(vec!["nonsense".into()]).await;
    assert_eq!(client.ping().await.unwrap_err().kind, ErrorKind::Protocol);

    let (_folder, mut client) = fake_service(vec![]).await;
    assert_eq!(
        client.ping().await.unwrap_err().kind,
        ErrorKind::DaemonUnreachable
    );
}

#[tokio::test]
async fn progress_comes_before_the_report() {
    let progress =
        r#"{"continues":true,"parameters":{"progress":{"message":"wave 1","done":1,"total":2}}}"#;
    let report = reply::raw_message(
        "report",
        r#"{"operations":2,"verified":true,"saved":false}"#,
    );
    let (_folder, mut client) = fake_service(vec![progress.into(), report]).await;
    let parameters = crate::call::ApplyParameters::of(Default::default());
    let mut heard = Vec::new();
    let report = client
        .apply(&parameters, |progress| heard.push(progress.message.clone()))
        .await
        .unwrap();
    assert_eq!(heard, ["wave 1"]);
    assert_eq!(report.operations, 2);
}
