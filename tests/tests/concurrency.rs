// SPDX-License-Identifier: Apache-2.0

//! Many clients at once, clients that misbehave, and strangers on the sockets.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::{Process, eventually, kill_9};
use nipart_tests::system::{Answer, System};
use serde_json::json;

const CLIENTS: usize = 200;
const LIMIT: Duration = Duration::from_secs(60);
const KIB: u64 = 1024;

/// Links for as many clients.
fn lay_wires(count: usize) {
    let mut batch = String::new();
    for number in 0..count {
        writeln!(batch, "link add v{number} type veth peer name w{number}").expect("text");
    }
    let directory = tempfile::TempDir::new().expect("a directory");
    let file = directory.path().join("batch");
    std::fs::write(&file, batch).expect("a file");
    ip(&["-batch", file.to_str().expect("UTF-8")]);
}

/// Proportional set size of the daemon and its plugins, in KiB.
fn memory(system: &System) -> u64 {
    let pids = system
        .plugin_pids()
        .into_values()
        .chain([system.daemon_pid()]);
    pids.map(|pid| {
        let rollup =
            std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("a process");
        let line = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Pss:"))
            .expect("Pss");
        line.trim()
            .trim_end_matches(" kB")
            .parse::<u64>()
            .expect("a number")
    })
    .sum()
}

/// Starts a client for each number, all at once, and waits for them.
fn all_at_once(system: &System, arguments: impl Fn(usize) -> Vec<String>) -> Vec<Answer> {
    let start = |number| {
        let arguments = arguments(number);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        system.command(&arguments).spawn().expect("nipartctl")
    };
    let clients: Vec<_> = (0..CLIENTS).map(start).collect();
    clients
        .into_iter()
        .map(|client| client.wait_with_output().expect("it ends").into())
        .collect()
}

fn write_file(system: &System, number: usize, state: &str) -> String {
    let path = system.path(&format!("{number}.yml"));
    std::fs::write(&path, state).expect("a file");
    path.to_str().expect("UTF-8").to_string()
}

#[test]
fn two_hundred_clients_with_disjoint_files() {
    run(|| {
        lay_wires(CLIENTS);
        let system = System::start();
        let mut levels = Vec::new();
        for round in 0..4_usize {
            let address = |number: usize| format!("10.{round}.{number}.1");
            let state = |number: usize| {
                let address = address(number);
                format!(
                    "interfaces: [{{name: v{number}, mtu: {}, ipv4: {{address: [{{ip: {address}, prefix-length: 24}}]}}}}]",
                    1400 + round
                )
            };
            let files: Vec<String> = (0..CLIENTS)
                .map(|number| write_file(&system, number, &state(number)))
                .collect();
            let begun = Instant::now();
            // Every other one only looks.
            let answers = all_at_once(&system, |number| match number % 2 {
                0 => vec!["apply".into(), files[number].clone()],
                _ => vec!["show".into(), format!("v{number}")],
            });
            let words = format!("round {round}, {:?}", begun.elapsed());
            for (number, answer) in answers.iter().enumerate() {
                assert_eq!(answer.code, 0, "{words}, client {number}: {}", answer.err);
                let expected = if number % 2 == 0 {
                    "verified, saved".to_string()
                } else {
                    format!("name: v{number}\n")
                };
                assert!(
                    answer.out.contains(&expected),
                    "{words}, client {number}: {}",
                    answer.out
                );
            }
            for number in (0..CLIENTS).step_by(2) {
                assert_eq!(
                    eyes::addresses(&format!("v{number}")),
                    [format!("{}/24", address(number))],
                    "{words}"
                );
            }
            levels.push(memory(&system));
        }
        let saved = system.saved();
        assert!(
            (0..CLIENTS)
                .step_by(2)
                .all(|number| saved.contains(&format!("10.3.{number}.1"))),
            "{saved}"
        );
        // The first rounds fill caches and the trace ring; after that, nothing grows with the number of requests.
        assert!(
            levels[3] < levels[1] + levels[1] / 4 + 4 * KIB,
            "KiB after each round: {levels:?}"
        );
        assert!(levels[3] < 160 * KIB, "KiB after each round: {levels:?}");
    });
}

#[test]
fn conflicting_changes_come_one_after_the_other() {
    run(|| {
        lay_wires(1);
        let system = System::start();
        let state = |number: usize| {
            let description = format!("the change of {number}");
            format!(
                "interfaces: [{{name: v0, mtu: {}, description: {description}, ipv4: {{address: [{{ip: 10.0.{number}.1, prefix-length: 24}}]}}}}]",
                1000 + number
            )
        };
        let files: Vec<String> = (0..CLIENTS)
            .map(|number| write_file(&system, number, &state(number)))
            .collect();
        let answers = all_at_once(&system, |number| {
            vec!["apply".into(), files[number].clone()]
        });
        for (number, answer) in answers.iter().enumerate() {
            assert_eq!(answer.code, 0, "{number}: {}", answer.err);
        }
        // One of them was the last: all of it is there, and nothing of any other.
        let link = eyes::link("v0");
        let winner = link["mtu"].as_u64().expect("an MTU") - 1000;
        assert_eq!(link["ifalias"], format!("the change of {winner}"));
        assert_eq!(eyes::addresses("v0"), [format!("10.0.{winner}.1/24")]);
        assert!(
            system
                .saved()
                .contains(&format!("the change of {winner}\n")),
            "{}",
            system.saved()
        );
    });
}

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
        lay_wires(CLIENTS);
        let system = System::start();
        let before = memory(&system);
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
        let after = memory(&system);
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
        lay_wires(1);
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

#[test]
fn a_killed_client_gives_its_locks_back() {
    run(|| {
        lay_wires(2);
        let system = System::start();
        // The kernel plugin is held up, so that the first change keeps its lock.
        let kernel = system.plugin_pids()["kernel"];
        nipart_tests::process::signal("STOP", kernel);
        let file = write_file(&system, 0, "interfaces: [{name: v0, mtu: 1300}]");
        let first = system
            .command(&["apply", &file])
            .spawn()
            .expect("nipartctl");
        let mut waiting: Vec<Process> = (0..5)
            .map(|_| Process::spawn(&mut system.command(&["apply", &file])))
            .collect();
        eventually("the first one waits for the kernel", LIMIT, || {
            let traces = system.ctl(&["trace", "list", "-o", "json"]).ok().json();
            let applies = traces
                .as_array()?
                .iter()
                .filter(|trace| trace["kind"] == "apply")
                .count();
            (applies == 6).then_some(())
        });
        kill_9(first.id().into());
        waiting
            .iter_mut()
            .for_each(|client| client.0.kill().expect("it runs"));
        nipart_tests::process::signal("CONT", kernel);
        let _ = first.wait_with_output();
        system.apply("interfaces: [{name: v0, mtu: 1200}]").ok();
        assert_eq!(eyes::link("v0")["mtu"], 1200);
    });
}
