// SPDX-License-Identifier: Apache-2.0

use nipart_schemas::event::Echo;
use uuid::Uuid;

use super::*;
use crate::testing;

/// Answers a registration as the daemon does.
async fn take_registration(core: &UnixListener, answer: EventData) -> Registration {
    let (stream, _) = core.accept().await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let frame = FrameReader::new(reading).next().await.unwrap().unwrap();
    let event: NipartEvent = codec::decode(&frame).unwrap();
    let answer = codec::encode(&event.answer(answer)).unwrap();
    write_frame(&mut writing, answer).await.unwrap();
    match event.data {
        EventData::Register(registration) => registration,
        other => panic!("not a registration: {other:?}"),
    }
}

/// Connects back with `token` and returns the plugin's answer, if it gives one.
async fn send_echo(environment: &Environment, token: &str) -> Option<NipartEvent> {
    let stream = UnixStream::connect(&environment.socket).await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let echo = Echo {
        nonce: Uuid::new_v4(),
        token: token.to_string(),
        roles: vec![Role::Kernel],
    };
    let event = NipartEvent::root(Role::Daemon, Role::Kernel, EventData::Echo(echo));
    write_frame(&mut writing, codec::encode(&event).unwrap())
        .await
        .unwrap();
    let frame = FrameReader::new(reading).next().await.unwrap()?;
    // Keep our end open: its end is the plugin's end.
    std::mem::forget(writing);
    Some(codec::decode(&frame).unwrap())
}

fn prepare() -> (tempfile::TempDir, Environment, UnixListener) {
    let directory = tempfile::tempdir().unwrap();
    let environment = testing::environment(directory.path());
    std::fs::create_dir_all(environment.socket.parent().unwrap()).unwrap();
    let core = UnixListener::bind(&environment.core_socket).unwrap();
    (directory, environment, core)
}

#[tokio::test]
async fn a_plugin_registers_and_proves_itself() {
    let (_directory, environment, core) = prepare();
    let connecting = tokio::spawn(connect(environment.clone(), vec![Role::Kernel], "1.2"));
    let registration = take_registration(&core, EventData::Done).await;
    assert_eq!(
        (registration.name.as_str(), registration.version.as_str()),
        ("test", "1.2")
    );
    assert_eq!(registration.token, environment.token);
    let answer = send_echo(&environment, &environment.token).await.unwrap();
    assert_eq!(answer.state, EventState::Done);
    let connected = connecting.await.unwrap().unwrap();
    assert_eq!(connected.plugin.roles(), [Role::Kernel]);
    assert!(!environment.socket.exists());
}

#[tokio::test]
async fn who_connects_without_the_token_is_turned_away_and_the_daemon_still_gets_in() {
    let (_directory, environment, core) = prepare();
    let connecting = tokio::spawn(connect(environment.clone(), vec![Role::Kernel], "1"));
    take_registration(&core, EventData::Done).await;
    assert!(send_echo(&environment, "guessed").await.is_none());
    let mut garbage = UnixStream::connect(&environment.socket).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut garbage, &[0xff; 64])
        .await
        .unwrap();
    assert!(send_echo(&environment, &environment.token).await.is_some());
    assert!(connecting.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_refused_registration_is_the_end() {
    let (_directory, environment, core) = prepare();
    let connecting = tokio::spawn(connect(environment, vec![Role::Kernel], "1"));
    let refusal = NipartError::new(ErrorKind::PermissionDenied, "who are you");
    take_registration(&core, EventData::Error(refusal)).await;
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::PermissionDenied);
    assert!(error.message.contains("who are you"));
}

#[tokio::test]
async fn a_successor_waits_for_its_predecessor() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kernel.lock");
    let predecessor = take_lock(&path, LOCK_DEADLINE).await.unwrap();
    let short = Duration::from_millis(50);
    assert_eq!(
        take_lock(&path, short).await.unwrap_err().kind,
        ErrorKind::Busy
    );
    let waiting = tokio::spawn(async move { take_lock(&path, LOCK_DEADLINE).await });
    tokio::task::yield_now().await;
    drop(predecessor);
    assert!(waiting.await.unwrap().is_ok());
}

#[test]
fn an_environment_without_token_is_refused() {
    let error = Environment::read(|name| (name != "NIPART_TOKEN").then(|| "x".to_string()));
    assert!(error.is_err());
}
