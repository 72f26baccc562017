// SPDX-License-Identifier: Apache-2.0

//! Committed changes: who made them and what for, compared and undone.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use serde_json::{Value, json};

const BASE: &str = "
interfaces:
- {name: v1, type: veth, mtu: 1400, veth: {peer: v2}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}
- {name: v2, type: veth}
";
const MTU: &str = "interfaces: [{name: v1, mtu: 1300}]";
const BRIDGE: &str = "
interfaces: [{name: br0, type: linux-bridge, bridge: {port: [{name: v2}]}}]
routes: {config: [{destination: 198.51.100.0/24, next-hop-address: 192.0.2.9, next-hop-interface: v1}]}
";

fn entries(system: &System) -> Vec<Value> {
    let list = system.ctl(&["history", "-o", "json"]).ok().json();
    list.as_array().unwrap().clone()
}

/// Three changes; what the kernel had after the first.
fn changed() -> (System, String) {
    let system = System::start();
    system.apply(BASE).ok();
    let base = eyes::settled();
    system
        .ctl_with(&["apply", "-", "--note", "smaller"], MTU)
        .ok();
    system.apply(BRIDGE).ok();
    (system, base)
}

#[test]
fn changes_are_listed_shown_and_compared() {
    run(|| {
        let (system, _) = changed();
        let entries = entries(&system);
        let ids: Vec<u64> = entries
            .iter()
            .map(|each| each["id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids, [3, 2, 1]);
        assert_eq!(entries[1]["note"], "smaller");
        let requester = &entries[1]["requester"];
        assert_eq!(
            (&requester["uid"], &requester["command"]),
            (&json!(0), &json!("nipartctl"))
        );
        let shown = system.ctl(&["history", "show", "2"]).ok().out;
        for part in ["note: smaller", "mtu: 1300", "mtu: 1400"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let diff = system.ctl(&["history", "diff", "1", "2"]);
        assert_eq!((diff.code, diff.out.as_str()), (1, "v1.mtu: 1400 → 1300\n"));
        assert_eq!(system.ctl(&["history", "diff", "2", "2"]).ok().out, "");
        assert_eq!(system.ctl(&["history", "show", "4"]).code, 6);
        // What was not committed isn't history, nor what changed nothing.
        system
            .ctl_with(
                &["apply", "-", "--no-commit"],
                "interfaces: [{name: v1, mtu: 1350}]",
            )
            .ok();
        system.ctl(&["rollback"]).ok();
        system.apply(BRIDGE).ok();
        assert_eq!(self::entries(&system).len(), 3);
    });
}

#[test]
fn one_change_is_undone_and_later_ones_stay() {
    run(|| {
        let (system, _) = changed();
        system.ctl(&["history", "revert", "2"]).ok();
        assert_link("v1", &json!({"mtu": 1400}));
        assert_link("v2", &json!({"master": "br0"}));
        assert_eq!(entries(&system)[0]["note"], "revert of 2");
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}

#[test]
fn all_later_changes_are_undone() {
    run(|| {
        let (system, base) = changed();
        let held = system
            .ctl(&["history", "rollback", "1", "--no-commit", "-o", "json"])
            .ok()
            .json();
        assert_eq!(eyes::settled(), base);
        let id = held["checkpoint"]["id"].as_str().unwrap();
        system.ctl(&["commit", id]).ok();
        assert_eq!(eyes::settled(), base);
        assert_eq!(entries(&system)[0]["note"], "rollback to 1");
        let status = system.ctl(&["status"]).ok();
        assert_eq!(status.out, "v1  in-sync\nv2  in-sync\n");
    });
}
