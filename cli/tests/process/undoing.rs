// SPDX-License-Identifier: Apache-2.0

//! Changes that wait for a word, and changes that are undone.

use std::fs;
use std::time::Duration;

use nipart_tests::terminal::Terminal;
use serde_json::{Value, json};

use crate::fake_daemon::FakeDaemon;
use crate::{failed, reply, run, stderr, stdout};

const PATIENCE: Duration = Duration::from_secs(30);

const FILE: &str = "interfaces:\n- name: eth0\n  mtu: 1400\n";

fn entry() -> Value {
    json!({
        "id": 3, "time": 951_827_696, "requester": {"uid": 0, "pid": 7, "command": "nipartctl"},
        "note": "why", "trace": "018e", "operations": 2, "changes": ["set eth0: MTU 1400"],
    })
}

fn waiting(remaining: u32) -> Value {
    json!({
        "operations": 1, "verified": true, "saved": false,
        "checkpoint": {"id": "018e", "remaining": remaining, "interfaces": ["eth0"]},
    })
}

fn with_file(replies: Vec<String>) -> FakeDaemon {
    let daemon = FakeDaemon::start(replies);
    fs::write(daemon.folder().join("a.yml"), FILE).unwrap();
    daemon
}

fn methods(daemon: &FakeDaemon) -> Vec<String> {
    let calls = daemon.calls();
    let method = |call: &Value| call["method"].as_str().unwrap_or_default().to_string();
    calls.iter().map(method).collect()
}

/// `nipartctl` on a terminal where `typed` is typed when it asks: its exit code, and what the terminal shows.
fn on_a_terminal(daemon: &FakeDaemon, arguments: &str, typed: &str) -> (Option<i32>, String) {
    let words = [env!("CARGO_BIN_EXE_nipartctl")]
        .into_iter()
        .chain(arguments.split(' '));
    let (mut terminal, mut process) = Terminal::start(&words.collect::<Vec<_>>(), |command| {
        command
            .env("NIPART_SOCKET_PATH", daemon.socket())
            .current_dir(daemon.folder());
    });
    if terminal.shows("[y/N]") {
        terminal.enter(typed);
    }
    let shown = terminal.rest();
    (process.wait(PATIENCE).code(), shown)
}

#[test]
fn a_change_that_is_not_committed_says_so() {
    let daemon = with_file(vec![reply(json!({"report": waiting(60)}))]);
    for (arguments, parameters) in [
        (
            "apply a.yml --no-commit",
            json!({"confirm_seconds": 60, "timeout_ms": 120_000}),
        ),
        (
            "apply a.yml --no-commit --timeout 9",
            json!({"confirm_seconds": 9, "timeout_ms": 120_000}),
        ),
        // Nobody can be asked.
        (
            "apply a.yml --confirm 9 --timeout 30 --no-wait --note why",
            json!({"confirm_seconds": 9, "timeout_ms": 30_000, "no_wait": true, "note": "why"}),
        ),
    ] {
        let output = run(&daemon, arguments);
        assert_eq!(
            stdout(&output),
            "Applied with 1 operation, verified, not saved\n\
             Checkpoint 018e: taken back in 60 s unless it is committed\n",
            "{}",
            stderr(&output)
        );
        let calls = daemon.calls();
        let mut sent = calls.last().unwrap()["parameters"].clone();
        let object = sent.as_object_mut().unwrap();
        for usual in ["state", "verify", "memory_only"] {
            object.remove(usual).unwrap();
        }
        assert_eq!(sent, parameters);
    }
    let output = run(&daemon, "apply a.yml a.yml --no-commit");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}

#[test]
fn on_a_terminal_it_is_asked_for() {
    for (remaining, typed, code, expected) in [
        (60, "y\n", 0, "io.nipart.Commit"),
        (60, "n\n", 9, "io.nipart.Rollback"),
        (60, "\n", 9, "io.nipart.Rollback"),
        (60, "\x03", 9, "io.nipart.Rollback"),
        (1, "", 8, "io.nipart.Rollback"),
    ] {
        let daemon = with_file(vec![reply(json!({"report": waiting(remaining)}))]);
        let (ended, text) = on_a_terminal(&daemon, "apply a.yml --confirm 60", typed);
        assert_eq!(ended, Some(code), "{typed:?} {text}");
        assert!(text.contains("Keep this change? [y/N]"), "{text}");
        assert_eq!(methods(&daemon), ["io.nipart.Apply", expected], "{typed:?}");
        let calls = daemon.calls();
        assert_eq!(calls[0]["parameters"]["hang_up"], true);
        assert_eq!(calls[1]["parameters"], json!({"checkpoint": "018e"}));
    }
}

#[test]
fn checkpoints_are_listed_and_ended() {
    let checkpoint = waiting(42)["checkpoint"].clone();
    let mut stuck = waiting(5)["checkpoint"].clone();
    stuck["problem"] = json!("busy:\nname");
    let daemon = FakeDaemon::start(vec![reply(json!({"checkpoints": [checkpoint, stuck]}))]);
    let output = run(&daemon, "checkpoint list");
    let expected = "\
ID    TAKEN BACK IN  INTERFACES  PROBLEM
018e  42 s           eth0        -
018e  5 s            eth0        busy: name
";
    assert_eq!(stdout(&output), expected);
    assert_eq!(stdout(&run(&daemon, "commit")), "Committed\n");
    assert_eq!(stdout(&run(&daemon, "rollback 018e")), "Taken back\n");
    let calls = daemon.calls();
    assert_eq!(calls[1]["parameters"], json!({}));
    assert_eq!(calls[2]["parameters"], json!({"checkpoint": "018e"}));
    let forgotten = stdout(&run(&daemon, "checkpoint forget 018e"));
    assert_eq!(forgotten, "Given up: the network stays as it is\n");
    assert_eq!(daemon.calls()[3]["method"], "io.nipart.Forget");
    let daemon = FakeDaemon::start(vec![failed("not-found", None)]);
    assert_eq!(run(&daemon, "commit").status.code(), Some(6));
}

#[test]
fn status_tells_what_is_not_as_saved() {
    let daemon = FakeDaemon::start(vec![reply(json!({
        "interfaces": [
            {"interface": "br0", "state": "in-sync"},
            {"interface": "eth0", "state": "drifted", "operations": ["add address 192.0.2.1/24 to eth0"]},
            {"interface": "eth10", "state": "failed", "operations": ["set eth10"], "reason": "busy"},
        ],
        "checkpoints": [{"id": "018e", "remaining": 7, "interfaces": ["eth0", "br0"]}],
        "recovered": ["change that had not ended 018d: taken back"],
    }))]);
    let output = run(&daemon, "status");
    let expected = "\
br0    in-sync
eth0   drifted
  to do: add address 192.0.2.1/24 to eth0
eth10  failed
  because: busy
  to do: set eth10
Checkpoint 018e of eth0, br0: taken back in 7 s unless it is committed
At the start: change that had not ended 018d: taken back
";
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(1), expected)
    );
    let daemon = FakeDaemon::start(vec![reply(json!({
        "interfaces": [],
        "checkpoints": [{"id": "018e", "remaining": 7, "interfaces": ["eth0"], "problem": "busy:\nname"}],
    }))]);
    let output = run(&daemon, "status");
    let expected = "\
Nothing is saved
Change 018e of eth0: can't be taken back, tried again in 7 s
  because: busy:
    name
  at once: nipartctl rollback 018e
  leave the network as it is: nipartctl checkpoint forget 018e
";
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(1), expected)
    );
    let daemon = FakeDaemon::start(vec![reply(json!({"interfaces": []}))]);
    let output = run(&daemon, "status");
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "Nothing is saved\n")
    );
}

#[test]
fn a_revert_is_a_state() {
    let state = json!({"interfaces": [{"name": "eth0", "mtu": 1500}]});
    let daemon = with_file(vec![reply(json!({"state": state}))]);
    let output = run(&daemon, "gr a.yml");
    assert_eq!(
        stdout(&output),
        "---\ninterfaces:\n- name: eth0\n  mtu: 1500\n"
    );
    let call = &daemon.calls()[0];
    assert_eq!(call["method"], "io.nipart.GenerateRevert");
    assert_eq!(call["parameters"]["state"]["interfaces"][0]["mtu"], 1400);
}

#[test]
fn the_history_is_shown_and_undone() {
    let daemon = FakeDaemon::start(vec![reply(json!({"entries": [entry()]}))]);
    let output = run(&daemon, "history");
    let expected = "\
ID  TIME                  WHO                            OPERATIONS  NOTE
3   2000-02-29T12:34:56Z  user 0 (nipartctl, process 7)  2           why
";
    assert_eq!(stdout(&output), expected);
    assert_eq!(stdout(&run(&daemon, "history list -n 5")), expected);
    assert_eq!(daemon.calls()[1]["parameters"], json!({"limit": 5}));

    let state = |mtu: u32| json!({"interfaces": [{"name": "eth0", "mtu": mtu}]});
    // Every call is given all of it, and takes what it knows.
    let daemon = FakeDaemon::start(vec![reply(json!({
        "entry": entry(), "desired": state(1400), "revert": state(1500), "saved": state(1400),
        "state": state(1300), "report": {"operations": 0, "verified": true, "saved": true},
    }))]);
    let output = run(&daemon, "history show 3");
    let expected = "\
change: 3
time: 2000-02-29T12:34:56Z
by: user 0 (nipartctl, process 7)
note: why
trace: 018e
operations: 2
  set eth0: MTU 1400
  and 1 more
desired:
  interfaces:
  - name: eth0
    mtu: 1400
revert:
  interfaces:
  - name: eth0
    mtu: 1500
";
    assert_eq!(stdout(&output), expected);
    let output = run(&daemon, "history diff 3 4");
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "")
    );
    for (arguments, method, mtu, note) in [
        (
            "history revert 3",
            "io.nipart.GetHistory",
            1500,
            "revert of 3",
        ),
        (
            "history rollback 3 --note why",
            "io.nipart.GetRollbackState",
            1300,
            "why",
        ),
    ] {
        let before = daemon.calls().len();
        let output = run(&daemon, arguments);
        assert_eq!(stdout(&output), "Nothing to change, verified, saved\n");
        let calls = daemon.calls()[before..].to_vec();
        assert_eq!(calls[0]["method"], method);
        assert_eq!(calls[0]["parameters"], json!({"id": 3}));
        let sent = &calls[1]["parameters"];
        assert_eq!((&sent["state"], &sent["note"]), (&state(mtu), &json!(note)));
    }
}
