// SPDX-License-Identifier: Apache-2.0

//! Changes that wait to be committed: kept, taken back, and never forgotten whatever dies.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

#[path = "checkpoint/following.rs"]
mod following;
#[path = "checkpoint/stuck.rs"]
mod stuck;
#[path = "checkpoint/surviving.rs"]
mod surviving;

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::{Process, eventually, signal};
use nipart_tests::system::System;
use nipart_tests::terminal::Terminal;
use serde_json::{Value, json};

/// Two links, one with an address and a route.
const BEFORE: &str = "
interfaces:
- {name: v1, type: veth, mtu: 1400, veth: {peer: v2}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}
- {name: v2, type: veth}
routes: {config: [{destination: 198.51.100.0/24, next-hop-address: 192.0.2.9, next-hop-interface: v1}]}
";

/// What is changed about them: the address that everything hangs on goes, a bridge comes.
const AFTER: &str = "
interfaces:
- {name: v1, mtu: 1300, ipv4: {address: [{ip: 203.0.113.1, prefix-length: 24}]}}
- {name: br0, type: linux-bridge, bridge: {port: [{name: v2}]}}
routes: {config: [{state: absent, next-hop-interface: v1}]}
";

/// Longer than the rest of a checkpoint's time and its undo.
const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon with [`BEFORE`], and what the kernel then has.
fn prepared() -> (System, String) {
    let system = System::start();
    system.apply(BEFORE).ok();
    let before = eyes::settled();
    (system, before)
}

/// Applies without a commit, with so many seconds; the report.
fn hold(system: &System, state: &str, seconds: u32) -> Value {
    let timeout = seconds.to_string();
    let arguments = [
        "apply",
        "-",
        "--no-commit",
        "--timeout",
        &timeout,
        "-o",
        "json",
    ];
    system.ctl_with(&arguments, state).ok().json()
}

fn id_of(report: &Value) -> String {
    report["checkpoint"]["id"].as_str().unwrap().to_string()
}

fn checkpoints(system: &System) -> Vec<String> {
    let list = system
        .ctl(&["checkpoint", "list", "-o", "json"])
        .ok()
        .json();
    let ids = list.as_array().unwrap().iter();
    ids.map(|each| each["id"].as_str().unwrap().to_string())
        .collect()
}

/// Fails unless nothing waits any more, soon.
fn nothing_waits(system: &System) {
    eventually("nothing waits", PATIENCE, || {
        checkpoints(system).is_empty().then_some(())
    });
}

/// Fails unless everything is as `before`, soon, and no sooner than at `earliest`.
fn is_taken_back(before: &str, earliest: Instant) {
    eventually("the change is taken back", PATIENCE, || {
        (eyes::link("br0").is_null() && eyes::link("v1")["mtu"] == 1400).then_some(())
    });
    assert!(Instant::now() >= earliest, "too early");
    eventually("all is as before", PATIENCE, || {
        (eyes::everything() == before).then_some(())
    });
}

#[test]
fn a_checkpoint_is_committed_and_saved() {
    run(|| {
        let (system, _) = prepared();
        let report = hold(&system, AFTER, 60);
        assert_eq!(
            (&report["saved"], &report["verified"]),
            (&json!(false), &json!(true))
        );
        assert_link("v1", &json!({"mtu": 1300}));
        assert_link("v2", &json!({"master": "br0"}));
        let saved = system.ctl(&["show", "--saved", "v1"]).ok().out;
        assert!(saved.contains("mtu: 1400"), "{saved}");
        let id = id_of(&report);
        assert_eq!(checkpoints(&system), std::slice::from_ref(&id));
        assert_eq!(system.ctl(&["commit", "ffff"]).code, 6);
        let held = eyes::settled();
        system.ctl(&["commit", &id[..20]]).ok();
        assert_eq!(eyes::everything(), held);
        assert!(checkpoints(&system).is_empty());
        assert_eq!(system.ctl(&["commit"]).code, 6);
        let saved = system.ctl(&["show", "--saved", "v1"]).ok().out;
        assert!(saved.contains("mtu: 1300"), "{saved}");
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
        assert!(
            system
                .apply(AFTER)
                .ok()
                .out
                .starts_with("Nothing to change")
        );
    });
}

#[test]
fn a_checkpoint_is_taken_back_when_told_and_when_its_time_is_over() {
    run(|| {
        let (system, before) = prepared();
        hold(&system, AFTER, 60);
        system.ctl(&["rollback"]).ok();
        // All of it, when the command ends.
        assert_eq!(eyes::settled(), before);
        assert!(checkpoints(&system).is_empty());
        let begun = Instant::now();
        hold(&system, AFTER, 3);
        is_taken_back(&before, begun + Duration::from_secs(3));
        nothing_waits(&system);
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
        system.apply(AFTER).ok();
    });
}

#[test]
fn what_had_drifted_is_as_it_had_drifted() {
    run(|| {
        let (system, _) = prepared();
        ip(&["link", "set", "v1", "mtu", "1350"]);
        ip(&["address", "add", "192.0.2.77/24", "dev", "v1"]);
        ip(&["route", "del", "198.51.100.0/24"]);
        let drifted = eyes::settled();
        let monitor = system.plugin_pids()["monitor"];
        hold(&system, "interfaces: [{name: v2, state: absent}]", 60);
        assert!(!ip(&["link", "show"]).contains("v1"));
        // That v1 has appeared is told when all is over. It is no reason to make it as it is saved.
        signal("STOP", monitor);
        system.ctl(&["rollback"]).ok();
        signal("CONT", monitor);
        eyes::assert_same(&drifted, &eyes::settled(), "taken back");
        assert_eq!(system.ctl(&["status"]).code, 1);
    });
}

#[test]
fn others_wait_or_are_told_who_is_in_the_way() {
    run(|| {
        let (system, _) = prepared();
        let id = id_of(&hold(&system, AFTER, 60));
        let other = "interfaces: [{name: v1, description: other}]";
        let refused = system.ctl_with(&["apply", "-", "--no-wait"], other);
        assert_eq!(refused.code, 7, "{}", refused.err);
        assert!(refused.err.contains(&id), "{}", refused.err);
        // What has nothing to do with it goes on.
        system
            .ctl_with(
                &["apply", "-", "--no-wait"],
                "interfaces: [{name: w1, type: veth, veth: {peer: w2}}, {name: w2, type: veth}]",
            )
            .ok();
        let waiting = Process::spawn(
            system
                .command(&["apply", "/dev/stdin"])
                .stdin(std::process::Stdio::piped()),
        );
        let mut waiting = waiting;
        std::io::Write::write_all(&mut waiting.0.stdin.take().unwrap(), other.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert!(waiting.0.try_wait().unwrap().is_none(), "it has to wait");
        system.ctl(&["commit", &id]).ok();
        assert!(waiting.wait(PATIENCE).success());
        assert_link("v1", &json!({"ifalias": "other", "mtu": 1300}));
    });
}

#[test]
fn a_lost_connection_takes_it_back_at_once() {
    run(|| {
        let (system, before) = prepared();
        let file = system.path("after.yml");
        std::fs::write(&file, AFTER).unwrap();
        let control = nipart_tests::system::executable("nipartctl");
        let socket = system.path("run").join("io.nipart");
        let words: [&OsStr; 7] = [
            control.as_ref(),
            "--socket".as_ref(),
            socket.as_ref(),
            "apply".as_ref(),
            "--confirm".as_ref(),
            "600".as_ref(),
            file.as_ref(),
        ];
        // So that it asks; the keyboard stays silent.
        let (mut terminal, mut asking) = Terminal::start(&words, |_| {});
        assert!(terminal.shows("[y/N]"), "{}", terminal.text());
        assert_link("v1", &json!({"mtu": 1300}));
        asking.0.kill().unwrap();
        is_taken_back(&before, Instant::now());
        nothing_waits(&system);
    });
}

#[test]
fn a_generated_revert_leads_back() {
    run(|| {
        let (system, before) = prepared();
        let revert = system.ctl_with(&["gr", "-"], AFTER).ok().out;
        assert_eq!(eyes::settled(), before);
        system.apply(AFTER).ok();
        assert_ne!(eyes::everything(), before);
        system.apply(&revert).ok();
        assert_eq!(eyes::settled(), before);
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}

#[test]
fn a_revert_brings_back_links_that_were_down() {
    run(|| {
        let system = System::start();
        ip(&["link", "add", "v8", "type", "veth", "peer", "name", "v9"]);
        ip(&["link", "set", "v9", "mtu", "1400"]);
        let lost = |answer: nipart_tests::system::Answer| {
            let answer = answer.ok();
            let lines = answer.out.lines();
            let told: Vec<&str> = lines.filter(|line| line.starts_with('#')).collect();
            for line in &told {
                assert!(answer.err.contains(line.trim_start_matches("# ")));
            }
            (answer.out.clone(), told.join(" "))
        };
        for change in [
            "interfaces: [{name: v9, mtu: 1300}]",
            "interfaces: [{name: v8, state: absent}]",
        ] {
            let (revert, told) = lost(system.ctl_with(&["gr", "-"], change));
            assert!(told.contains("v9 is down now and comes back up"), "{told}");
            system.apply(change).ok();
            system.apply(&revert).ok();
            assert_link("v9", &json!({"mtu": 1400, "link": "v8"}));
            ip(&["link", "set", "v8", "down"]);
            ip(&["link", "set", "v9", "down"]);
        }
        // What stays as it is, needs no word.
        let (revert, told) =
            lost(system.ctl_with(&["gr", "-"], "interfaces: [{name: v8, state: down}]"));
        assert_eq!(told, "");
        let applied = system.apply(&revert).ok();
        assert!(
            applied.out.starts_with("Nothing to change"),
            "{}",
            applied.out
        );
    });
}

#[test]
fn a_revert_brings_back_what_goes_with_an_address() {
    run(|| {
        let (system, before) = prepared();
        // The route isn't named, and gets lost with the address.
        let change =
            "interfaces: [{name: v1, ipv4: {address: [{ip: 203.0.113.1, prefix-length: 24}]}}]";
        let revert = system.ctl_with(&["gr", "-"], change).ok().out;
        system.apply(change).ok();
        assert!(eyes::routes().is_empty());
        system.apply(&revert).ok();
        assert_eq!(eyes::settled(), before);
        system.apply(change).ok();
        let last = system
            .ctl(&["history", "-n", "1", "-o", "json"])
            .ok()
            .json();
        system
            .ctl(&["history", "revert", &last[0]["id"].to_string()])
            .ok();
        assert_eq!(eyes::settled(), before);
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}

#[test]
fn status_shows_drift_and_what_is_missing() {
    run(|| {
        let (system, before) = prepared();
        let status = system.ctl(&["status"]).ok();
        assert_eq!(status.out, "v1  in-sync\nv2  in-sync\n");
        ip(&["address", "delete", "192.0.2.1/24", "dev", "v1"]);
        let status = system.ctl(&["status", "-o", "json"]);
        assert_eq!(status.code, 1);
        let report = status.json();
        assert_eq!(report["interfaces"][0]["state"], "drifted", "{report}");
        let operations = report["interfaces"][0]["operations"].to_string();
        assert!(operations.contains("192.0.2.1/24"), "{operations}");
        assert_eq!(report["interfaces"][1]["state"], "in-sync");
        system.apply(BEFORE).ok();
        assert_eq!(eyes::settled(), before);

        // A link that isn't there yet, in a file of the administrator.
        let mut system = system;
        system.stop_daemon();
        std::fs::write(
            system.path("states").join("later.yml"),
            "interfaces: [{name: later0, type: ethernet, mtu: 1400}]",
        )
        .unwrap();
        system.start_daemon();
        let report = system.ctl(&["status", "-o", "json"]).json();
        assert_eq!(report["interfaces"][0]["interface"], "later0", "{report}");
        assert_eq!(report["interfaces"][0]["state"], "pending", "{report}");
    });
}
