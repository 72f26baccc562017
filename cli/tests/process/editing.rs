// SPDX-License-Identifier: Apache-2.0

//! `edit` and `show --running-config`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use nipart_tests::terminal::Terminal;
use serde_json::{Value, json};

use crate::fake_daemon::FakeDaemon;
use crate::{nipartctl, reply, stderr, stdout};

const PATIENCE: Duration = Duration::from_secs(30);

fn running() -> Value {
    json!({
        "interfaces": [
            {"name": "eth0", "type": "ethernet", "state": "up", "mtu": 9000, "max-mtu": 9000},
            {"name": "eth1", "type": "ethernet", "state": "up", "mtu": 1500, "driver": "virtio_net",
             "ipv4": {"enabled": true, "dhcp": true, "address": [
                {"ip": "192.0.2.1", "prefix-length": 24, "valid-life-time": 600, "protocol": 16}]}},
        ],
        "routes": {"running": [
            {"destination": "192.0.2.0/24", "next-hop-interface": "eth1", "protocol": 2},
            {"destination": "198.51.100.0/24", "next-hop-interface": "eth0", "protocol": 110},
        ]},
    })
}

fn daemon() -> FakeDaemon {
    let report = json!({"operations": 1, "changes": [], "verified": true, "saved": true});
    FakeDaemon::start(vec![reply(json!({"state": running(), "report": report}))])
}

fn edit(daemon: &FakeDaemon, editor: &str) -> Output {
    nipartctl(&daemon.socket())
        .args(["edit", "eth*", "--note", "why"])
        .env_remove("VISUAL")
        .env("EDITOR", editor)
        .env("XDG_RUNTIME_DIR", daemon.folder())
        .current_dir(daemon.folder())
        .output()
        .unwrap()
}

/// Files that were being edited.
fn drafts(daemon: &FakeDaemon) -> Vec<PathBuf> {
    let entries = fs::read_dir(daemon.folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_draft = |path: &PathBuf| path.extension().is_some_and(|end| end == "yml");
    paths.filter(is_draft).collect()
}

#[test]
fn only_what_is_set_is_shown() {
    let daemon = daemon();
    let expected = "\
---
interfaces:
- name: eth0
  type: ethernet
  state: up
  mtu: 9000
- name: eth1
  type: ethernet
  state: up
  mtu: 1500
  ipv4:
    enabled: true
    dhcp: true
    address: []
routes:
  config:
  - destination: 198.51.100.0/24
    next-hop-interface: eth0
";
    for flag in ["-r", "--running-config"] {
        let output = crate::run(&daemon, &format!("show {flag}"));
        assert_eq!(stdout(&output), expected);
    }
    // What is edited is the same.
    let output = edit(&daemon, "grep -v '^#' >seen");
    assert_eq!(
        fs::read_to_string(daemon.folder().join("seen")).unwrap(),
        expected
    );
    assert_eq!(stdout(&output), "Nothing was changed\n");
}

#[test]
fn nothing_is_done_when_nothing_was_changed() {
    let daemon = daemon();
    let output = edit(&daemon, "true");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "Nothing was changed\n");
    let calls = daemon.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["method"], "io.nipart.Show");
    assert_eq!(calls[0]["parameters"], json!({"interfaces": ["eth*"]}));
    assert!(drafts(&daemon).is_empty());
}

#[test]
fn what_was_changed_is_applied() {
    let daemon = daemon();
    let output = edit(&daemon, "sed -i 's/mtu: 1500/mtu: 1400/'");
    assert_eq!(
        stdout(&output),
        "Applied with 1 operation, verified, saved\n",
        "{}",
        stderr(&output)
    );
    let call = &daemon.calls()[1];
    assert_eq!(call["method"], "io.nipart.Apply");
    assert_eq!(call["parameters"]["note"], "why");
    let expected = json!({"interfaces": [{
        "name": "eth1", "type": "ethernet", "state": "up", "mtu": 1400,
        "ipv4": {"enabled": true, "dhcp": true, "address": []},
    }]});
    assert_eq!(call["parameters"]["state"], expected);
    assert!(drafts(&daemon).is_empty());
}

#[test]
fn a_mistake_is_told_and_the_file_is_kept() {
    let daemon = daemon();
    let output = edit(&daemon, "sed -i 's/mtu: 1500/mtv: 1500/'");
    assert_eq!(output.status.code(), Some(3));
    let drafts = drafts(&daemon);
    let [draft] = drafts.as_slice() else {
        panic!("{drafts:?}")
    };
    assert_eq!(
        draft.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(fs::read_to_string(draft).unwrap().contains("mtv: 1500"));
    let text = stderr(&output);
    for part in [
        "interfaces[1]: unknown key `mtv`",
        "did you mean `mtu`?",
        &format!("what was written is kept in {}", draft.display()),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(daemon.calls().len(), 1);
    let output = edit(&daemon, "false");
    assert_eq!(output.status.code(), Some(9));
    assert!(stderr(&output).contains("the editor false has failed: exit status: 1"));
}

#[test]
fn a_refusal_is_shown_where_it_stands_in_the_file() {
    let failed = json!({"error": "io.nipart.Failed", "parameters": {
        "kind": "invalid-argument", "message": "no luck", "path": "interfaces[0].mtu", "notes": [],
        "state": running(),
    }});
    let refusing = FakeDaemon::start(vec![failed.to_string()]);
    let daemon = daemon();
    // The editor ends the one daemon's part and leaves the rest to the other.
    let editor = format!(
        "mv {} {} && sed -i 's/mtu: 1500/mtu: 1400/'",
        refusing.socket().display(),
        daemon.socket().display()
    );
    let output = edit(&daemon, &editor);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = stderr(&output);
    for part in ["interfaces[1].mtu: no luck", "mtu: 1400"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn on_a_terminal_it_can_be_edited_again() {
    for (answer, code, expected) in [
        ("y\n", 0, "Applied with 1 operation"),
        ("n\n", 9, "what was written is kept in"),
    ] {
        let daemon = daemon();
        let editor = daemon.folder().join("editor");
        let script = "#!/bin/sh\n\
            if grep -q mtv \"$1\"; then sed -i s/mtv/mtu/ \"$1\"; else sed -i 's/mtu: 1500/mtv: 1400/' \"$1\"; fi\n";
        fs::write(&editor, script).unwrap();
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o700)).unwrap();
        let program = [env!("CARGO_BIN_EXE_nipartctl"), "edit"];
        let (mut terminal, mut process) = Terminal::start(&program, |command| {
            command
                .env("NIPART_SOCKET_PATH", daemon.socket())
                .env("VISUAL", &editor)
                .env("XDG_RUNTIME_DIR", daemon.folder());
        });
        assert!(terminal.shows("Edit again? [Y/n]"));
        terminal.enter(answer);
        let shown = terminal.rest();
        assert_eq!(process.wait(PATIENCE).code(), Some(code), "{shown}");
        assert!(shown.contains(expected), "{shown}");
        assert_eq!(drafts(&daemon).is_empty(), code == 0);
    }
}
