// SPDX-License-Identifier: Apache-2.0

//! `service` and `statistic`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fake_daemon::FakeDaemon;
use crate::{reply, run, stderr, stdout};

fn daemon() -> FakeDaemon {
    let report = json!({"operations": 1, "changes": [], "verified": true, "saved": true});
    FakeDaemon::start(vec![reply(
        json!({"report": report, "state": {"interfaces": [
            {"name": "eth0", "type": "ethernet"},
        ]}}),
    )])
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mtu(number: u32) -> String {
    format!("interfaces: [{{name: eth0, mtu: {number}}}]\n")
}

#[test]
fn a_bad_file_does_not_keep_others_from_being_applied() {
    let daemon = daemon();
    let folder = daemon.folder().join("states");
    write(&folder, "10.yml", &mtu(1410));
    write(&folder, "20.yaml", "interfaces: [{name: eth0, mtv: 1}]\n");
    write(&folder, "30.yaml", &mtu(1430));
    write(&folder, "40.yml", &mtu(1440));
    write(&folder, "40.yaml", &mtu(1441));
    write(&folder, "50.applied", &mtu(1450));
    let output = run(&daemon, "service --config states");
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    for part in [
        "states/20.yaml:1:27",
        "unknown key `mtv`",
        "states/40.yaml was not applied: states/40.yml would have the same name",
        "states/40.yml was not applied",
        "note: 3 of 5 files of states were not applied",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let said = stdout(&output);
    assert!(said.contains("states/10.yml:\nApplied"), "{said}");
    let calls = daemon.calls();
    let applied = calls.iter().map(|call| &call["parameters"]["state"]);
    let applied: Vec<&Value> = applied
        .map(|state| &state["interfaces"][0]["mtu"])
        .collect();
    assert_eq!(applied, [1410, 1430]);
    let expected = [
        "10.applied",
        "20.yaml",
        "30.applied",
        "40.yaml",
        "40.yml",
        "50.applied",
    ];
    assert_eq!(names(&folder), expected);
    assert_eq!(
        fs::read_to_string(folder.join("10.applied")).unwrap(),
        mtu(1410)
    );
    assert_eq!(run(&daemon, "-q service -c missing").status.code(), Some(0));
}

#[test]
fn files_are_kept_where_the_settings_say_so() {
    let daemon = daemon();
    let folder = daemon.folder().join("states");
    write(
        &folder,
        "nmstate.conf",
        "[service]\nkeep_state_file_after_apply = true\n",
    );
    write(&folder, "a.yml", &mtu(1410));
    for _ in 0..2 {
        let output = run(&daemon, "service -c states");
        assert!(output.status.success(), "{}", stderr(&output));
    }
    assert_eq!(names(&folder), ["a.applied", "a.yml", "nmstate.conf"]);
    assert_eq!(
        fs::read_to_string(folder.join("a.applied")).unwrap(),
        mtu(1410)
    );
    assert_eq!(daemon.calls().len(), 2);
    write(
        &folder,
        "nmstate.conf",
        "[service]\noverride_iface = true\n",
    );
    let output = run(&daemon, "service -c states");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!(daemon.calls().len(), 2);
}

#[test]
fn without_a_daemon_the_service_fails_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.yml", &mtu(1410));
    write(folder.path(), "b.yml", &mtu(1420));
    let output = crate::nipartctl(&folder.path().join("nobody"))
        .args(["service", "--config"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(13));
    assert_eq!(stderr(&output).matches("error").count(), 1);
    assert_eq!(names(folder.path()), ["a.yml", "b.yml"]);
}

#[test]
fn files_are_told_by_their_topology() {
    let daemon = daemon();
    let vlan = "\
interfaces:
- name: vlan7
  type: vlan
  vlan: {base-iface: eth0, id: 7}
  ipv4: {enabled: true, dhcp: true}
";
    fs::write(daemon.folder().join("a.yml"), vlan).unwrap();
    fs::write(
        daemon.folder().join("b.yml"),
        "hostname: {config: host.example}",
    )
    .unwrap();
    let expected = "---\ntopology:\n- auto_ip4 -> vlan -> ethernet\nfeatures:\n- static-hostname\n";
    let output = run(&daemon, "statistic a.yml b.yml");
    assert_eq!(stdout(&output), expected, "{}", stderr(&output));
    assert_eq!(daemon.calls()[0]["method"], "io.nipart.Show");
    let output = run(&daemon, "statistic a.yml --current b.yml --json");
    assert_eq!(
        serde_json::from_str::<Value>(&stdout(&output)).unwrap(),
        json!({"topology": ["auto_ip4 -> vlan"], "features": []})
    );
    assert_eq!(daemon.calls().len(), 1);
}
