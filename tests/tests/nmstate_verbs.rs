// SPDX-License-Identifier: Apache-2.0

//! Commands that nmstatectl's users know, against a daemon and a kernel: `edit`, `service`, `validate`,
//! `persist-nic-names`.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

use std::fs;
use std::process::Command;

use nipart_tests::check;
use nipart_tests::eyes::assert_link;
use nipart_tests::namespace::run;
use nipart_tests::system::{Answer, System, executable};
use serde_json::json;

const PAIR: &str = "interfaces: [{name: v0, type: veth, mtu: 1400, veth: {peer: v1}}, {name: v1}, \
    {name: br0, type: linux-bridge}]";

fn edit(system: &System, editor: &str) -> Answer {
    system
        .command(&["edit"])
        .env("EDITOR", editor)
        .env_remove("VISUAL")
        .env("XDG_RUNTIME_DIR", system.path("etc"))
        .output()
        .unwrap()
        .into()
}

#[test]
fn what_is_edited_is_changed_and_saved_and_nothing_else() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        // Somebody else's.
        nipart_tests::namespace::ip(&[
            "link", "add", "others", "type", "veth", "peer", "name", "others1",
        ]);
        let before = system.saved();
        assert_eq!(edit(&system, "true").ok().out, "Nothing was changed\n");
        assert_eq!(system.saved(), before);
        edit(&system, "sed -i 's/mtu: 1400/mtu: 1300/'").ok();
        assert_link("v0", &json!({"mtu": 1300}));
        assert!(!system.saved().contains("others"), "{}", system.saved());
        // The kernel's word, and the file is kept.
        let refused = edit(&system, "sed -i 's/mtu: 1300/mtu: 70000/'");
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert!(refused.err.contains("out of range") && refused.err.contains("is kept in"));
        assert_link("v0", &json!({"mtu": 1300}));
        edit(
            &system,
            "printf 'interfaces: [{name: br0, state: absent}]' >",
        )
        .ok();
        let gone = Command::new("ip")
            .args(["link", "show", "br0"])
            .output()
            .unwrap();
        assert!(!gone.status.success());
    });
}

#[test]
fn files_of_a_folder_are_applied_once() {
    run(|| {
        let system = System::start();
        let folder = system.path("nmstate");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("10-pair.yml"), PAIR).unwrap();
        fs::write(
            folder.join("20-bad.yml"),
            "interfaces: [{name: v0, mtu: 70000}]",
        )
        .unwrap();
        fs::write(
            folder.join("30-bridge.yml"),
            "interfaces: [{name: br0, type: linux-bridge, bridge: {port: [{name: v1}]}}]",
        )
        .unwrap();
        let service = ["service", "--config", folder.to_str().unwrap()];
        let answer = system.ctl(&service);
        assert_eq!(answer.code, 3, "{}", answer.err);
        assert!(answer.err.contains("20-bad.yml:1:30"), "{}", answer.err);
        assert_link("v0", &json!({"mtu": 1400}));
        assert_link("v1", &json!({"master": "br0"}));
        assert!(folder.join("30-bridge.applied").exists());
        fs::remove_file(folder.join("20-bad.yml")).unwrap();
        let again = system.ctl(&service).ok();
        assert!(again.err.contains("has no files to apply"), "{}", again.err);
    });
}

#[test]
fn a_file_is_checked_and_nothing_is_changed() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        let valid = "interfaces: [{name: v0, mtu: 1300}]";
        system.ctl_with(&["validate"], valid).ok();
        assert_link("v0", &json!({"mtu": 1400}));
        let wrong = system.ctl_with(&["validate", "-"], "interfaces: [{name: v0, mtu: 70000}]");
        assert!(wrong.refused().contains("out of range"));
        let wrong = "interfaces: [{name: missing, mtu: 1300}]";
        assert!(
            system
                .ctl_with(&["validate"], wrong)
                .refused()
                .contains("doesn't exist")
        );
        let shown = system.path("shown.yml");
        fs::write(&shown, system.ctl(&["show"]).ok().out).unwrap();
        let against = ["validate", "--current", shown.to_str().unwrap()];
        system.ctl_with(&against, valid).ok();
        assert!(
            system
                .ctl_with(&against, wrong)
                .refused()
                .contains("doesn't exist")
        );
        // What is set can be applied as it is shown.
        let config = system.ctl(&["show", "-r"]).ok().out;
        let again = system.apply(&config).ok();
        assert!(again.out.starts_with("Nothing to change"), "{}", again.out);
    });
}

#[test]
fn where_there_is_no_card_no_name_is_kept() {
    run(|| {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/systemd/network");
        let persist = |arguments: &[&str]| -> Answer {
            Command::new(executable("nipartctl"))
                .arg("persist-nic-names")
                .arg("--root")
                .arg(root.path())
                .args(arguments)
                .output()
                .unwrap()
                .into()
        };
        nipart_tests::namespace::ip(&["link", "add", "v0", "type", "veth", "peer", "name", "v1"]);
        assert_eq!(persist(&["--dry-run"]).ok().out, "");
        assert!(!folder.exists());
        let kernel = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
        if kernel.contains("net.ifnames=0") {
            return;
        }
        assert_eq!(persist(&[]).ok().out, "");
        let names = || {
            let entries = fs::read_dir(&folder).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(), [".nipart-persist.stamp"]);
        assert!(persist(&[]).ok().err.contains("names were kept before"));
        fs::write(
            folder.join("98-nipart-eth7.link"),
            "# Generated by Nipart\n[Match]\nPermanentMACAddress=52:54:00:00:00:07\n\n[Link]\nName=eth7\n",
        )
        .unwrap();
        let table = persist(&["--inspect"]).ok().out;
        assert!(table.contains("eth7  52:54:00:00:00:07  -    "), "{table}");
        // A file without which the name may be another stays.
        let cleaned = persist(&["--cleanup"]).ok();
        assert!(
            cleaned.err.contains("98-nipart-eth7.link stays"),
            "{}",
            cleaned.err
        );
        assert_eq!(names(), ["98-nipart-eth7.link"]);
    });
}
