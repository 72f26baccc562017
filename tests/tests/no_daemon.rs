// SPDX-License-Identifier: Apache-2.0

//! `nipartctl apply --no-daemon`: the same chain in one process.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

use std::path::Path;
use std::process::Command;

use nipart_tests::eyes::assert_link;
use nipart_tests::namespace;
use nipart_tests::system::{Answer, System, executable};
use serde_json::json;

const STATE: &str = "
interfaces:
- name: v1
  type: veth
  mtu: 1400
  veth:
    peer: v2
- name: v2
  type: veth
- name: br0
  type: linux-bridge
  bridge:
    port:
    - name: v2
";

fn apply(directory: &Path, run: &Path, state: &str) -> Answer {
    let file = directory.join("wanted.yml");
    std::fs::write(&file, state).unwrap();
    Command::new(executable("nipartctl"))
        .args(["apply", "--no-daemon"])
        .arg("--state-dir")
        .arg(directory.join("state"))
        .arg("--run-dir")
        .arg(run)
        .arg("--states-dir")
        .arg(directory.join("states"))
        .arg(file)
        .output()
        .unwrap()
        .into()
}

#[test]
fn a_state_is_applied_saved_and_refused_as_by_the_daemon() {
    namespace::run(|| {
        let directory = tempfile::tempdir().unwrap();
        let run = directory.path().join("run");
        apply(directory.path(), &run, STATE).ok();
        assert_link("v1", &json!({"mtu": 1400, "operstate": "UP"}));
        assert_link("v2", &json!({"master": "br0"}));
        let again = apply(directory.path(), &run, STATE).ok();
        assert_eq!(again.out, "Nothing to change, verified, saved\n");
        let saved = std::fs::read_to_string(directory.path().join("state/saved.yml")).unwrap();
        assert!(saved.contains("name: br0"), "{saved}");

        let dhcp = "interfaces:\n- name: v1\n  ipv4:\n    enabled: true\n    dhcp: true\n";
        assert_eq!(apply(directory.path(), &run, dhcp).code, 4);
        let wrong = apply(
            directory.path(),
            &run,
            "interfaces:\n- name: v1\n  mtu: 70000\n",
        );
        assert_eq!(wrong.code, 3);
        assert!(wrong.err.contains("wanted.yml:3:8"), "{}", wrong.err);
        assert_link("v1", &json!({"mtu": 1400}));
    });
}

#[test]
fn addresses_are_there_at_once_or_everything_is_taken_back() {
    namespace::run(|| {
        let directory = tempfile::tempdir().unwrap();
        let run = directory.path().join("run");
        let with = |keys: &str| {
            format!("interfaces: [{{name: v1, type: veth, veth: {{peer: v2}}, {keys}}}]")
        };
        let later = with("wait-ip: ipv6, ipv6: {enabled: true, autoconf: true}");
        let answer = apply(directory.path(), &run, &later);
        assert_eq!(answer.code, 12, "{}", answer.err);
        let said = "wait-ip: v1 has no IPv6 address, and without nipartd nobody can wait";
        assert!(answer.err.contains(said), "{}", answer.err);
        assert!(answer.err.contains("was taken back"), "{}", answer.err);
        assert!(nipart_tests::eyes::link("v1").is_null());
        let at_once = with("wait-ip: ipv4, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}");
        apply(directory.path(), &run, &at_once).ok();
        assert_eq!(nipart_tests::eyes::addresses("v1"), ["192.0.2.1/24"]);
    });
}

#[test]
fn it_keeps_away_from_a_running_daemon() {
    namespace::run(|| {
        let system = System::start();
        let answer = apply(&system.path(""), &system.path("run"), STATE);
        assert_eq!(answer.code, 7, "{}", answer.err);
        assert!(answer.err.contains("nipartd"), "{}", answer.err);
    });
}

#[test]
fn what_a_daemon_has_left_unfinished_comes_first() {
    namespace::run(|| {
        let mut system = System::start();
        system.apply(STATE).ok();
        let held = "interfaces: [{name: v1, mtu: 1300}]";
        system.ctl_with(&["apply", "-", "--no-commit"], held).ok();
        system.kill_daemon();
        let answer = apply(&system.path(""), &system.path("run"), STATE);
        assert_eq!(answer.code, 7, "{}", answer.err);
        assert!(answer.err.contains("not yet taken back"), "{}", answer.err);
        assert_link("v1", &json!({"mtu": 1300}));
    });
}
