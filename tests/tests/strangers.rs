// SPDX-License-Identifier: Apache-2.0

//! Clients that misbehave and strangers on the sockets: nobody else notices.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nipart_tests::namespace::{run, veth_pairs};
use nipart_tests::process::Process;
use nipart_tests::system::System;
use serde_json::json;

const CLIENTS: usize = 200;
const LIMIT: Duration = Duration::from_secs(60);
const KIB: u64 = 1024;

fn api(system: &System) -> UnixStream {
    UnixStream::connect(system.path("run").join("io.nipart")).expect("the API's socket")
}

fn call(stream: &mut UnixStream, method: &str, more: bool) {
    let request = json!({"method": format!("io.nipart.{method}"), "parameters": {}, "more": more});
    stream
        .write_all(format!("{request}\0").as_bytes())
        .expect("written");
}

#[test]
fn clients_that_stop_reading_or_die() {
    run(|| {
        veth_pairs(CLIENTS);
        let system = System::start();
        let before = system.memory();
        // Some want every event and read none of them.
        let mut deaf: Vec<UnixStream> = (0..20).map(|_| api(&system)).collect();
        deaf.iter_mut()
            .for_each(|stream| call(stream, "Subscribe", true));
        // Some ask for more than they will ever read.
        for _ in 0..20 {
            let mut stream = api(&system);
            stream.set_nonblocking(true).expect("non-blocking");
            let request = json!({"method": "io.nipart.Show", "parameters": {}}).to_string() + "\0";
            let mut sent = 0;
            while sent < 2000 && stream.write_all(request.as_bytes()).is_ok() {
                sent += 1;
            }
            deaf.push(stream);
        }
        // Some die with a question on their lips, or in the middle of it.
        for number in 0..20 {
            let mut stream = api(&system);
            call(&mut stream, "Show", false);
            stream
                .write_all(&b"{\"method\": \"io.nipart.Sh"[..number])
                .expect("written");
        }
        for _ in 0..20 {
            let mut client = Process::spawn(&mut system.command(&["monitor"]));
            client.0.kill().expect("it runs");
        }
        for round in 0..20 {
            let begun = Instant::now();
            system
                .apply(&format!(
                    "interfaces: [{{name: v0, mtu: {}}}]",
                    1300 + round
                ))
                .ok();
            let _ = system.ctl(&["ping"]).ok();
            assert!(
                begun.elapsed() < Duration::from_secs(15),
                "{:?}",
                begun.elapsed()
            );
        }
        let after = system.memory();
        assert!(
            after < before + 64 * KIB,
            "{before} KiB before, {after} KiB after"
        );
        drop(deaf);
        let pids = system.plugin_pids();
        assert!(
            pids.keys().all(|name| system.plugin(name)["restarts"] == 0),
            "{}",
            system.log()
        );
    });
}

/// Bytes that look like nothing, the same at every run.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// Sends `bytes` to a socket; the other side must hang up, after at most a polite answer.
fn must_hang_up(socket: &Path, bytes: &[u8]) {
    let mut stream = UnixStream::connect(socket).expect("the socket");
    stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
    stream.set_write_timeout(Some(LIMIT)).expect("a time limit");
    // It may hang up before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = [0; 65536];
    loop {
        match stream.read(&mut answer) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!(
                "{} for {:?}…: {error}",
                socket.display(),
                &bytes[..bytes.len().min(40)]
            ),
        }
    }
}

#[test]
fn noise_ends_its_own_connection_only() {
    run(|| {
        veth_pairs(1);
        let system = System::start();
        let pids = system.plugin_pids();
        let daemon = system.daemon_pid();
        let run_dir = system.path("run");
        // A client that was there before stays connected through all of it.
        let mut witness = api(&system);
        witness.set_read_timeout(Some(LIMIT)).expect("a time limit");
        for seed in 0..20 {
            let mut bytes = noise(1 + 700 * seed as usize, seed);
            bytes.push(0);
            must_hang_up(&run_dir.join("io.nipart"), &bytes);
        }
        for bytes in [
            &b"{}\0"[..],
            b"[]\0",
            b"\0",
            b"null\0",
            b"{\"method\": 7}\0",
            b"GET / HTTP/1.1\r\n\r\n\0",
            b"\xff\xfe\0",
        ] {
            must_hang_up(&run_dir.join("io.nipart"), bytes);
        }
        let registration = run_dir.join("plugins").join("_core.sock");
        for seed in 0..20 {
            must_hang_up(&registration, &noise(8 + 700 * seed as usize, seed));
        }
        // Frames: a length that is far too large, an empty one, no JSON, JSON that is no registration, a false token.
        let framed = |text: &str| {
            [
                &u32::try_from(text.len()).expect("short").to_be_bytes()[..],
                text.as_bytes(),
            ]
            .concat()
        };
        let no_token = json!({"register": {"name": "kernel", "token": "00000000"}}).to_string();
        for bytes in [
            vec![0xff; 64],
            vec![0; 64],
            framed("{"),
            framed("{}"),
            framed("[1, 2]"),
            framed(&no_token),
        ] {
            must_hang_up(&registration, &bytes);
        }
        call(&mut witness, "Ping", false);
        let mut answer = vec![0; 4096];
        let length = witness.read(&mut answer).expect("an answer");
        assert!(String::from_utf8_lossy(&answer[..length]).contains("uptime_ms"));
        assert_eq!(system.daemon_pid(), daemon);
        assert_eq!(system.plugin_pids(), pids);
        system.apply("interfaces: [{name: v0, mtu: 1300}]").ok();
    });
}
