// SPDX-License-Identifier: Apache-2.0

//! A change that can't be taken back is told, tried again, and waits until that succeeds or it is given up.

use nipart_tests::disk::{make_read_only, make_writable, with_own_disk};
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::{Value, json};

use crate::{PATIENCE, checkpoints, hold, id_of, nothing_waits};

const NAMED: &str = "
interfaces:
- {name: v1, type: veth, mtu: 1400, veth: {peer: v2}, alt-names: [{name: uplink}]}
- {name: v2, type: veth}
";
const UNNAMED: &str =
    "interfaces: [{name: v1, mtu: 1300, alt-names: [{name: uplink, state: absent}]}]";

/// A checkpoint whose rollback the kernel refuses, for somebody else has taken the name; its id.
fn held(system: &System, seconds: u32) -> String {
    let id = id_of(&hold(system, UNNAMED, seconds));
    ip(&["link", "add", "other0", "type", "bridge"]);
    ip(&[
        "link", "property", "add", "dev", "other0", "altname", "uplink",
    ]);
    id
}

/// What `status` says of the one change that is open, once it is stuck.
fn stuck(system: &System) -> Value {
    eventually("it is told", PATIENCE, || {
        let status = system.ctl(&["status", "-o", "json"]);
        let change = status.json()["checkpoints"][0].clone();
        (status.code == 1 && change["problem"].is_string()).then_some(change)
    })
}

fn give_the_name_back() {
    ip(&[
        "link", "property", "del", "dev", "other0", "altname", "uplink",
    ]);
}

#[test]
fn it_is_told_and_tried_again() {
    run(|| {
        let system = System::start();
        system.apply(NAMED).ok();
        let before = eyes::settled();
        let id = held(&system, 2);
        let change = stuck(&system);
        assert_eq!(
            (&change["id"], &change["interfaces"]),
            (&json!(id), &json!(["v1"]))
        );
        let problem = change["problem"].as_str().unwrap();
        assert!(
            problem.contains("add alternative name uplink to v1"),
            "{problem}"
        );
        assert!(problem.contains("File exists"), "{problem}");
        let status = system.ctl(&["status"]).out;
        for part in ["File exists", &format!("nipartctl checkpoint forget {id}")] {
            assert!(status.contains(part), "{part}: {status}");
        }
        // A part of it is taken back: neither is it to be committed, nor to be built upon.
        assert_eq!(system.ctl(&["commit", &id]).code, 3);
        let other = system.ctl_with(
            &["apply", "-", "--no-wait"],
            "interfaces: [{name: v1, mtu: 1350}]",
        );
        assert_eq!(other.code, 7, "{}", other.err);
        assert!(other.err.contains(&id), "{}", other.err);
        let again = system.ctl(&["rollback", &id]);
        assert_eq!(again.code, 11, "{}", again.err);
        give_the_name_back();
        nothing_waits(&system);
        ip(&["link", "delete", "other0"]);
        assert_eq!(eyes::settled(), before);
        assert!(system.journals().is_empty());
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}

#[test]
fn the_next_daemon_goes_on_with_it() {
    run(|| {
        let mut system = System::start();
        system.apply(NAMED).ok();
        let before = eyes::settled();
        let id = held(&system, 600);
        assert_eq!(system.ctl(&["rollback", &id]).code, 11);
        for _ in 0..2 {
            system.kill_daemon();
            system.start_daemon();
            // It has time left, and is not to be committed all the same.
            assert_eq!(stuck(&system)["id"], json!(id));
        }
        give_the_name_back();
        system.ctl(&["rollback", &id]).ok();
        ip(&["link", "delete", "other0"]);
        assert_eq!(eyes::settled(), before);
        assert!(system.journals().is_empty());
    });
}

#[test]
fn it_is_given_up_when_told() {
    run(|| {
        let system = System::start();
        system.apply(NAMED).ok();
        let id = held(&system, 600);
        // It can still be taken back.
        assert_eq!(system.ctl(&["checkpoint", "forget", &id]).code, 3);
        assert_eq!(system.ctl(&["rollback", &id]).code, 11);
        let left = eyes::settled();
        system.ctl(&["checkpoint", "forget", &id]).ok();
        assert!(checkpoints(&system).is_empty());
        assert!(system.journals().is_empty());
        assert_eq!(eyes::settled(), left);
        assert_eq!(system.ctl(&["checkpoint", "forget", &id]).code, 6);
        system.apply("interfaces: [{name: v1, mtu: 1350}]").ok();
    });
}

#[test]
fn a_journal_that_cannot_be_removed_is_told_and_removed_later() {
    run(|| {
        let (mut system, disk) = with_own_disk();
        system.start_daemon();
        system.apply(NAMED).ok();
        let before = eyes::settled();
        let id = id_of(&hold(&system, UNNAMED, 600));
        make_read_only(&disk);
        let refused = system.ctl(&["rollback", &id]);
        assert!(
            refused.err.contains("Read-only file system"),
            "{}",
            refused.err
        );
        assert_eq!(eyes::settled(), before);
        let problem = stuck(&system)["problem"].to_string();
        assert!(problem.contains("Read-only file system"), "{problem}");
        make_writable(&disk);
        nothing_waits(&system);
        assert!(system.journals().is_empty());
        assert_eq!(eyes::settled(), before);
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}
