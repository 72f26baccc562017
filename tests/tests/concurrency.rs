// SPDX-License-Identifier: Apache-2.0

//! Many clients at once: disjoint changes side by side, conflicting ones one after the other.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::time::{Duration, Instant};

use nipart_tests::eyes;
use nipart_tests::namespace::{run, veth_pairs};
use nipart_tests::process::{Process, eventually, kill_9};
use nipart_tests::system::{Answer, System};

const CLIENTS: usize = 200;
const LIMIT: Duration = Duration::from_secs(60);
const KIB: u64 = 1024;

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
        veth_pairs(CLIENTS);
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
            levels.push(system.memory());
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
        veth_pairs(1);
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

/// A link that is created anew takes those along that stand upon it, which another client changes meanwhile.
#[test]
fn what_goes_along_with_a_change_waits_too() {
    run(|| {
        let system = System::start();
        let upper = "{name: mv0, type: mac-vlan, mac-vlan: {base-iface: vx0, mode: bridge}}";
        let lower = |id: usize| format!("{{name: vx0, type: vxlan, vxlan: {{id: {id}}}}}");
        let both = format!("interfaces: [{}, {upper}]", lower(1));
        system.apply(&both).ok();
        for round in 2..18_usize {
            let lower = format!("interfaces: [{}]", lower(round));
            let address = format!("10.{round}.0.1");
            let upper = format!(
                "interfaces: [{{name: mv0, ipv4: {{address: [{{ip: {address}, prefix-length: 24}}]}}}}]"
            );
            let files = [lower, upper].map(|state| write_file(&system, state.len(), &state));
            let mut clients = files.map(|file| {
                let client = system.command(&["apply", &file]).spawn();
                client.expect("nipartctl")
            });
            clients.rotate_left(round % 2);
            for client in clients {
                let answer = Answer::from(client.wait_with_output().expect("it ends"));
                assert_eq!(answer.code, 0, "round {round}: {}", answer.err);
            }
            let data = &eyes::link("vx0")["linkinfo"]["info_data"];
            assert_eq!(data["id"], round);
            let expected = [format!("{address}/24")];
            assert_eq!(eyes::addresses("mv0"), expected, "round {round}");
        }
    });
}

#[test]
fn a_killed_client_gives_its_locks_back() {
    run(|| {
        veth_pairs(2);
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
