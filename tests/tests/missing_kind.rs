// SPDX-License-Identifier: Apache-2.0

//! What the running kernel lacks is refused by name, before anything is changed.

#![allow(
    clippy::expect_used,
    reason = "tests fail loudly, in their helpers too"
)]

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;

/// Kinds of links with what is said of each, and a state that needs one; kernels lack different ones.
const KINDS: [(&str, &str, &str); 5] = [
    (
        "bond",
        "create bond new0: the kernel has no bonding support (module \"bonding\")",
        "{name: new0, type: bond, link-aggregation: {mode: active-backup}}",
    ),
    (
        "vrf",
        "create vrf new0: the kernel has no vrf support (module \"vrf\")",
        "{name: new0, type: vrf, vrf: {route-table-id: 7}}",
    ),
    (
        "hsr",
        "create hsr new0: the kernel has no hsr support (module \"hsr\")",
        "{name: new0, type: hsr, hsr: {port1: v0, port2: v1}}",
    ),
    (
        "dummy",
        "create dummy new0: the kernel has no dummy support (module \"dummy\")",
        "{name: new0, type: dummy}",
    ),
    (
        "vlan",
        "create vlan new0: the kernel has no vlan support (module \"8021q\")",
        "{name: new0, type: vlan, vlan: {base-iface: v0, id: 7}}",
    ),
];

fn is_missing(kind: &str) -> bool {
    let output = std::process::Command::new("ip")
        .args(["link", "add", "probe", "type", kind])
        .output()
        .expect("ip is installed");
    let is_missing = String::from_utf8_lossy(&output.stderr).contains("Unknown device type");
    if output.status.success() {
        ip(&["link", "delete", "probe"]);
    }
    is_missing
}

#[test]
fn refused_by_name_before_anything_is_changed() {
    run(|| {
        let system = System::start();
        let before = "interfaces: [{name: v0, type: veth, mtu: 1400, veth: {peer: v1}}, {name: br0, type: linux-bridge}]";
        system.apply(before).ok();
        let saved = system.saved();
        for (kind, refusal, interface) in KINDS {
            if !is_missing(kind) {
                println!("SKIPPED: this kernel has links of kind {kind}");
                continue;
            }
            // What would come first: something to delete, and a link to change.
            let state = format!(
                "interfaces: [{{name: br0, state: absent}}, {{name: v0, mtu: 1300}}, {interface}]"
            );
            let answer = check::refused(&system, &state);
            assert!(answer.contains(refusal), "{answer}");
            assert_eq!(system.saved(), saved);
            assert!(system.journals().is_empty());
            assert_eq!(eyes::link("v0")["mtu"], 1400);
        }
    });
}
