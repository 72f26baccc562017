// SPDX-License-Identifier: Apache-2.0

use tokio::net::UnixListener;
use tokio::sync::oneshot;

use super::*;

fn expected(socket: PathBuf) -> Expected {
    Expected {
        name: "kernel".to_string(),
        instance: "kernel-1".to_string(),
        token: "secret".to_string(),
        pid: std::process::id(),
        roles: vec![Role::Kernel, Role::Monitor],
        socket,
    }
}

fn registration() -> Registration {
    Registration {
        name: "kernel".to_string(),
        version: "1".to_string(),
        protocol: PROTOCOL_VERSION,
        instance: "kernel-1".to_string(),
        token: "secret".to_string(),
        roles: vec![Role::Kernel],
    }
}

#[test]
fn only_the_started_process_with_its_token_and_roles_is_accepted() {
    let expected = expected(PathBuf::new());
    let own = Some(std::process::id());
    assert!(expected.check(&registration(), own).is_ok());
    let refused = |change: &dyn Fn(&mut Registration), pid: Option<u32>| {
        let mut registration = registration();
        change(&mut registration);
        expected.check(&registration, pid).unwrap_err()
    };
    type Change<'change> = &'change dyn Fn(&mut Registration);
    let cases: [(Change<'_>, Option<u32>, &str); 7] = [
        (&|_| {}, Some(1), "process 1 registers"),
        (&|_| {}, None, "process unknown registers"),
        (
            &|r| r.token = "guess".to_string(),
            own,
            "wrong instance or token",
        ),
        (
            &|r| r.instance = "kernel-0".to_string(),
            own,
            "wrong instance or token",
        ),
        (&|r| r.protocol = 99, own, "speaks protocol 99"),
        (
            &|r| r.roles = vec![Role::Commander],
            own,
            "role `commander`",
        ),
        (&|r| r.roles.clear(), own, "no roles"),
    ];
    for (change, pid, wanted) in cases {
        let error = refused(change, pid);
        assert!(error.message.contains(wanted), "{error}");
        assert!(!error.message.contains("secret"), "{error}");
    }
}

async fn attempt(
    attempts: &mpsc::Sender<Attempt>,
    registration: Registration,
) -> oneshot::Receiver<Result<(), NipartError>> {
    let (reply, answer) = oneshot::channel();
    let attempt = Attempt {
        registration,
        pid: Some(std::process::id()),
        reply,
    };
    attempts.send(attempt).await.unwrap();
    answer
}

#[tokio::test]
async fn the_tunnel_is_tested_after_wrong_attempts_were_refused() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kernel.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (attempts, mut queue) = mpsc::channel(4);
    let expected = expected(socket);
    let shaking = tokio::spawn(async move { shake(&expected, &mut queue).await });
    let mut wrong = registration();
    wrong.token = "guess".to_string();
    assert!(attempt(&attempts, wrong).await.await.unwrap().is_err());
    assert!(
        attempt(&attempts, registration())
            .await
            .await
            .unwrap()
            .is_ok()
    );
    let (stream, _) = listener.accept().await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let frame = FrameReader::new(reading).next().await.unwrap().unwrap();
    let question: NipartEvent = codec::decode(&frame).unwrap();
    let EventData::Echo(echo) = question.data.clone() else {
        panic!("{question:?}");
    };
    assert_eq!(
        (echo.token.as_str(), &echo.roles[..]),
        ("secret", &[Role::Kernel][..])
    );
    let answer = question.answer(EventData::Echo(echo));
    write_frame(&mut writing, codec::encode(&answer).unwrap())
        .await
        .unwrap();
    assert_eq!(shaking.await.unwrap().unwrap().version, "1");
}

#[tokio::test]
async fn a_wrong_echo_fails_the_handshake() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("kernel.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (attempts, mut queue) = mpsc::channel(4);
    let expected = expected(socket);
    let shaking = tokio::spawn(async move { shake(&expected, &mut queue).await });
    attempt(&attempts, registration())
        .await
        .await
        .unwrap()
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (reading, mut writing) = stream.into_split();
    let frame = FrameReader::new(reading).next().await.unwrap().unwrap();
    let question: NipartEvent = codec::decode(&frame).unwrap();
    let other = Echo {
        nonce: Uuid::new_v4(),
        token: "secret".to_string(),
        roles: Vec::new(),
    };
    let answer = question.answer(EventData::Echo(other));
    write_frame(&mut writing, codec::encode(&answer).unwrap())
        .await
        .unwrap();
    assert_eq!(
        shaking.await.unwrap().unwrap_err().kind,
        ErrorKind::PluginFailure
    );
}
