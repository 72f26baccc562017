// SPDX-License-Identifier: Apache-2.0

//! `nipartctl` as a process, against a daemon that gives prepared replies.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

#[path = "process/editing.rs"]
mod editing;
#[path = "process/fake_daemon.rs"]
mod fake_daemon;
#[path = "process/files.rs"]
mod files;
#[path = "process/persist.rs"]
mod persist;
#[path = "process/service.rs"]
mod service;
#[path = "process/undoing.rs"]
mod undoing;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::fake_daemon::FakeDaemon;

fn nipartctl(socket: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nipartctl"));
    command
        .env("NIPART_SOCKET_PATH", socket)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

fn run(daemon: &FakeDaemon, arguments: &str) -> Output {
    let mut command = nipartctl(&daemon.socket());
    command.current_dir(daemon.folder());
    command.args(arguments.split(' ')).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn reply(parameters: Value) -> String {
    json!({"parameters": parameters}).to_string()
}

fn failed(kind: &str, path: Option<&str>) -> String {
    let parameters = json!({"kind": kind, "message": "no luck", "path": path, "notes": ["undone"]});
    json!({"error": "io.nipart.Failed", "parameters": parameters}).to_string()
}

fn state() -> Value {
    json!({"interfaces": [{
        "name": "on", "type": "veth", "state": "up", "mtu": 1500, "controller": "br0",
        "ipv4": {"enabled": true, "address": [{"ip": "192.0.2.1", "prefix-length": 24}]},
    }]})
}

#[test]
fn show_writes_yaml_json_or_a_table() {
    let daemon = FakeDaemon::start(vec![reply(json!({"state": state()}))]);
    let output = run(&daemon, "show on veth* --kernel");
    assert!(output.status.success());
    let expected = "\
---
interfaces:
- name: 'on'
  type: veth
  state: up
  mtu: 1500
  controller: br0
  ipv4:
    enabled: true
    address:
    - ip: 192.0.2.1
      prefix-length: 24
";
    assert_eq!(stdout(&output), expected);
    let asked = daemon.calls();
    assert_eq!(asked[0]["method"], "io.nipart.Show");
    assert_eq!(
        asked[0]["parameters"],
        json!({"interfaces": ["on", "veth*"], "source": "kernel"})
    );
    let output = run(&daemon, "show --json");
    assert_eq!(
        serde_json::from_str::<Value>(&stdout(&output)).unwrap(),
        state()
    );
    let output = run(&daemon, "show -o table");
    let table = stdout(&output);
    assert!(
        table.contains("NAME  TYPE  STATE  MTU   MAC ADDRESS  CONTROLLER  ADDRESSES\n"),
        "{table}"
    );
    assert!(
        table.contains("on    veth  up     1500  -            br0         192.0.2.1/24\n"),
        "{table}"
    );
}

#[test]
fn each_kind_of_error_has_its_exit_code() {
    for (kind, code) in [
        ("invalid-argument", 3),
        ("not-supported", 4),
        ("permission-denied", 5),
        ("not-found", 6),
        ("busy", 7),
        ("timeout", 8),
        ("cancelled", 9),
        ("plugin-failure", 10),
        ("kernel-refused", 11),
        ("verification-failed", 12),
        ("daemon-unreachable", 13),
        ("storage", 14),
        ("protocol", 15),
        ("bug", 16),
    ] {
        let daemon = FakeDaemon::start(vec![failed(kind, None)]);
        let output = run(&daemon, "ping");
        assert_eq!(output.status.code(), Some(code), "{kind}");
        let text = stderr(&output);
        assert!(
            text.contains("no luck") && text.contains("undone"),
            "{text}"
        );
        assert_eq!(stdout(&output), "");
    }
    let daemon = FakeDaemon::start(vec![]);
    fs::write(daemon.folder().join("a.yml"), "{}").unwrap();
    for (arguments, code) in [
        ("fly", 2),
        ("apply", 2),
        ("apply missing.yml", 6),
        ("--socket nowhere ping", 13),
        ("ping", 13),
        ("--help", 0),
        ("--version", 0),
        ("version", 0),
    ] {
        let output = run(&daemon, arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_refused_file_is_shown_with_the_line() {
    let daemon = FakeDaemon::start(vec![]);
    let folder = daemon.folder();
    fs::write(folder.join("good.yml"), "interfaces:\n- name: eth0\n").unwrap();
    fs::write(
        folder.join("bad.yml"),
        "interfaces:\n- name: eth0\n  mtv: 1500\n",
    )
    .unwrap();
    let output = run(&daemon, "apply good.yml bad.yml");
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    for part in [
        "error: interfaces[0]: unknown key `mtv`",
        "bad.yml:3:3",
        "3 |   mtv: 1500",
        "  |   ^^^",
        "did you mean `mtu`?",
        "expected one of `name`, `type`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Not even the good one was sent.
    assert!(daemon.calls().is_empty());
}

#[test]
fn a_mistake_that_the_daemon_finds_is_shown_with_the_line() {
    let daemon = FakeDaemon::start(vec![failed(
        "invalid-argument",
        Some("interfaces[0].bridge.port[1].name"),
    )]);
    let text =
        "interfaces:\n- name: br0\n  bridge:\n    port:\n    - name: eth1\n    - name: eth7\n";
    fs::write(daemon.folder().join("bridge.yml"), text).unwrap();
    let output = run(&daemon, "plan bridge.yml");
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    for part in [
        "bridge.yml:6:13",
        "6 |     - name: eth7",
        "^^^^",
        "no luck",
        "note: undone",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn apply_sends_its_flags_and_says_what_was_done() {
    let progress = json!({"continues": true, "parameters": {"progress": {"message": "wave 1", "done": 1, "total": 2}}});
    let report = json!({"operations": 3, "changes": ["set eth0: MTU 1400"], "trace": "018e", "verified": false, "saved": false});
    let last = reply(json!({"report": report}));
    let daemon = FakeDaemon::start(vec![progress.to_string(), last]);
    fs::write(
        daemon.folder().join("a.yml"),
        "interfaces:\n- name: eth0\n  mtu: \"0x578\"\n",
    )
    .unwrap();
    let output = run(&daemon, "apply a.yml --no-verify --memory-only --timeout 7");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        "  set eth0: MTU 1400\n  and 2 more\nApplied with 3 operations, not verified, not saved (trace 018e)\n"
    );
    assert_eq!(stderr(&output), "");
    let call = &daemon.calls()[0];
    assert_eq!(call["more"], true);
    assert_eq!(
        call["parameters"],
        json!({
            "state": {"interfaces": [{"name": "eth0", "mtu": 1400}]},
            "verify": false, "memory_only": true, "timeout_ms": 7000,
        })
    );
}

#[test]
fn plan_and_diff_tell_what_would_change() {
    let report = json!({
        "plan": {"waves": [[{"delete-link": {"interface": "v1"}}]]},
        "differences": [{"path": "eth0.mtu", "current": 1500, "desired": 1400}],
    });
    let daemon = FakeDaemon::start(vec![reply(json!({"report": report}))]);
    fs::write(daemon.folder().join("a.yml"), "{}").unwrap();
    let output = run(&daemon, "plan -v a.yml");
    assert_eq!(
        stdout(&output),
        "eth0.mtu: 1500 → 1400\nwave 1:\n  delete link v1\n1 operation would be executed\n"
    );
    let output = run(&daemon, "--color always plan a.yml");
    assert!(stdout(&output).contains("\x1b[31m1500\x1b[0m"));
    let output = run(&daemon, "diff a.yml");
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(1), "eth0.mtu: 1500 → 1400\n")
    );
    let same = FakeDaemon::start(vec![reply(json!({"report": {"plan": {"waves": []}}}))]);
    fs::write(same.folder().join("a.yml"), "{}").unwrap();
    let output = run(&same, "diff a.yml");
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "")
    );
    let output = run(&same, "plan a.yml -o json");
    assert_eq!(
        serde_json::from_str::<Value>(&stdout(&output)).unwrap(),
        json!({"plan": {"waves": []}})
    );
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let interfaces: Vec<Value> = (0..20_000)
        .map(|number| json!({"name": format!("eth{number}")}))
        .collect();
    let daemon = FakeDaemon::start(vec![reply(json!({"state": {"interfaces": interfaces}}))]);
    let mut child = nipartctl(&daemon.socket())
        .arg("show")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
}
