// SPDX-License-Identifier: Apache-2.0

//! Commands that look at files: `validate`, `format`.

use std::fs;
use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::fake_daemon::FakeDaemon;
use crate::{failed, nipartctl, reply, run, stderr, stdout};

const KEY: &str = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";

fn read_by(command: &str, typed: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut child = nipartctl(&folder.path().join("nobody"))
        .args(command.split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

#[test]
fn a_file_is_written_in_the_canonical_form() {
    let messy = "interfaces: [{mtu: '0x578', name: on, ipv4: {dhcp: \"yes\", enabled: 1}, state: up}] # mine\n";
    let expected = "\
---
interfaces:
- name: 'on'
  state: up
  mtu: 1400
  ipv4:
    enabled: true
    dhcp: true
";
    for command in ["format", "fmt -", "f"] {
        assert_eq!(stdout(&read_by(command, messy)), expected);
    }
    assert_eq!(stdout(&read_by("format", expected)), expected);
    let output = read_by("format --json", messy);
    assert_eq!(
        serde_json::from_str::<Value>(&stdout(&output)).unwrap(),
        json!({"interfaces": [{"name": "on", "state": "up", "mtu": 1400, "ipv4": {"enabled": true, "dhcp": true}}]})
    );
    let output = read_by("format", "interfaces: [{name: eth0, mtv: 1}]");
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("did you mean `mtu`?"));
}

#[test]
fn text_of_other_systems_is_read_or_refused_where_it_stands() {
    let expected = "---\ninterfaces:\n- name: eth0\n";
    for text in [
        "\u{feff}interfaces:\n- name: eth0\n",
        "interfaces:\r\n- name: eth0\r\n",
    ] {
        let output = read_by("format", text);
        assert_eq!(stdout(&output), expected, "{}", stderr(&output));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yml");
    fs::write(&file, b"interfaces:\n- name: eth\xff0\n").unwrap();
    let output = nipartctl(&folder.path().join("nobody"))
        .arg("format")
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    for part in ["error: this is no text", "a.yml:2:12", "expected UTF-8"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_file_is_checked_against_what_the_daemon_sees() {
    let daemon = FakeDaemon::start(vec![reply(json!({"report": {"plan": {"waves": []}}}))]);
    let text = format!("interfaces:\n- name: wg0\n  wireguard:\n    private-key: {KEY}\n");
    fs::write(daemon.folder().join("a.yml"), text).unwrap();
    let output = run(&daemon, "validate a.yml");
    assert!(output.status.success(), "{}", stderr(&output));
    let expected = "---\ninterfaces:\n- name: wg0\n  wireguard:\n    private-key: <hidden>\n";
    assert_eq!(
        (stdout(&output).as_str(), stderr(&output).as_str()),
        (expected, "")
    );
    let calls = daemon.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["method"], "io.nipart.Plan");
    assert_eq!(
        calls[0]["parameters"]["state"]["interfaces"][0]["wireguard"]["private-key"],
        KEY
    );
    // Nobody is asked.
    let output = run(&daemon, "validate --offline a.yml");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(daemon.calls().len(), 1);
    assert_eq!(
        stderr(&output),
        "note: no network was looked at: taken for granted were wg0 (wireguard)\n"
    );
    let refusing = FakeDaemon::start(vec![failed("not-supported", Some("interfaces[0].mtu"))]);
    fs::write(
        refusing.folder().join("a.yml"),
        "interfaces: [{name: eth0, mtu: 1}]",
    )
    .unwrap();
    let output = run(&refusing, "validate a.yml");
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("a.yml:1:32"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn without_a_daemon_what_must_be_there_is_told() {
    let text = "\
interfaces:
- name: bond0
  type: bond
  link-aggregation: {mode: active-backup, port: [eth0, veth0]}
- name: veth0
  type: veth
  veth: {peer: veth1}
- name: veth1
- name: a name that no link can have
  identifier: mac-address
  mac-address: 52:54:00:00:00:01
- name: br0
  type: linux-bridge
  copy-mac-from: eth1
- name: eth2
  controller: br7
- {name: 'sriov:eth3:1', controller: br7}
- {name: eth4.7, type: vlan, vlan: {base-iface: 'sriov:eth4:0', id: 7}}
routes:
  config:
  - {destination: 0.0.0.0/0, next-hop-interface: bond0, next-hop-address: 192.0.2.1, vrf-name: blue}
";
    let output = read_by("validate", text);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(
        stderr(&output),
        "note: no network was looked at: taken for granted were blue (vrf), br7 (unknown), eth0 (ethernet), \
         eth1 (ethernet), eth2 (ethernet), eth3 (ethernet), eth4 (ethernet), link3 (ethernet), sriov:eth3:1 (ethernet), \
         sriov:eth4:0 (ethernet)\n"
    );
    assert_eq!(stderr(&read_by("validate --quiet", text)), "");
    let output = read_by("validate", "description: nothing\n");
    assert_eq!(stderr(&output), "note: no network was looked at\n");
}

#[test]
fn the_old_name_of_apply_is_understood() {
    let daemon = FakeDaemon::start(vec![reply(json!({"report": {
        "operations": 0, "verified": true, "saved": true,
    }}))]);
    fs::write(daemon.folder().join("a.yml"), "{}").unwrap();
    let output = run(&daemon, "set a.yml");
    assert_eq!(stdout(&output), "Nothing to change, verified, saved\n");
    assert!(stderr(&output).starts_with("note: set is the old name of apply"));
    assert_eq!(stderr(&run(&daemon, "-q set a.yml")), "");
}
