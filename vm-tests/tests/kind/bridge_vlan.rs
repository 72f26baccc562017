// SPDX-License-Identifier: Apache-2.0

//! VLAN filtering of bridges: `bridge -j vlan` agrees.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{bridge, run};
use nipart_tests::system::System;
use nipart_vm_tests::needs_vlan_filtering;
use serde_json::json;

use crate::support::reverted;

const PAIRS: &str = "
- {name: p1, type: veth, veth: {peer: q1}}
- {name: p2, type: veth, veth: {peer: q2}}
- {name: p3, type: veth, veth: {peer: q3}}
- {name: q1, type: veth}
- {name: q2, type: veth}
- {name: q3, type: veth}
";

fn of_bridge(section: &str) -> String {
    format!("interfaces: [{{name: br0, bridge: {section}}}]")
}

fn assert_filters(on: bool) {
    let data = json!({"vlan_filtering": i32::from(on)});
    assert_link("br0", &json!({"linkinfo": {"info_data": data}}));
}

/// What there is of each port, and of the bridge itself.
fn assert_vlans(expected: [&[&str]; 4]) {
    for (name, vlans) in ["p1", "p2", "p3", "br0"].into_iter().zip(expected) {
        assert_eq!(eyes::vlans(name), vlans, "{name}");
    }
}

#[test]
fn ports_and_the_bridge_itself() {
    run(|| {
        if !needs_vlan_filtering() {
            return;
        }
        let system = System::start();
        check::apply(
            &system,
            &format!(
                "
interfaces:
- name: br0
  type: linux-bridge
  bridge:
    vlan: {{mode: trunk, enable-native: true, tag: 10, trunk-tags: [{{id: 20}}]}}
    port:
    - name: p1
      vlan: {{mode: access, tag: 10}}
    - name: p2
      vlan:
        mode: trunk
        enable-native: true
        tag: 30
        trunk-tags: [{{id: 10}}, {{id-range: {{min: 20, max: 40}}}}, {{id: 41}}, {{id: 4094}}]
    - name: p3
{PAIRS}"
            ),
        );
        assert_filters(true);
        assert_vlans([
            &["10 native"],
            &["10", "20-29", "30 native", "31-41", "4094"],
            &["1 native"],
            &["10 native", "20"],
        ]);

        // What isn't named stays, whoever set it; what is named is all there is.
        bridge(&["vlan", "add", "dev", "p1", "vid", "77"]);
        bridge(&["vlan", "add", "dev", "p3", "vid", "99"]);
        check::apply(
            &system,
            &of_bridge(
                "{port: [{name: p1, vlan: {tag: 11}}, {name: p2, stp-path-cost: 7}, {name: p3}]}",
            ),
        );
        assert_vlans([
            &["11 native"],
            &["10", "20-29", "30 native", "31-41", "4094"],
            &["1 native", "99"],
            &["10 native", "20"],
        ]);
    });
}

#[test]
fn reset() {
    run(|| {
        if !needs_vlan_filtering() {
            return;
        }
        let system = System::start();
        let ports = "[{name: p1, vlan: {tag: 11}}, {name: p2, vlan: {tag: 12}}, {name: p3, vlan: {tag: 13}}]";
        let state = format!(
            "interfaces:\n- {{name: br0, type: linux-bridge, bridge: {{vlan: {{tag: 14}}, port: {ports}}}}}"
        );
        system.apply(&format!("{state}{PAIRS}")).ok();
        check::apply(
            &system,
            &of_bridge(
                "{vlan: {}, port: [{name: p1}, {name: p2, vlan: {mode: trunk, trunk-tags: []}}, {name: p3, vlan: {}}]}",
            ),
        );
        assert_vlans([&["11 native"], &[], &["1 native"], &["1 native"]]);

        check::apply(
            &system,
            &of_bridge("{port: [{name: p1, vlan: {}}, {name: p2, vlan: {}}, {name: p3}]}"),
        );
        assert_filters(false);
        assert_vlans([&["1 native"], &["1 native"], &["1 native"], &["1 native"]]);
    });
}

#[test]
fn options_of_filtering() {
    run(|| {
        if !needs_vlan_filtering() {
            return;
        }
        let system = System::start();
        let options = "{vlan-filtering: true, vlan-protocol: 802.1ad, vlan-default-pvid: 7}";
        check::apply(
            &system,
            &format!(
                "interfaces:
- {{name: br0, type: linux-bridge, bridge: {{options: {options}, port: [{{name: p1, vlan: {{}}}}, {{name: p2}}]}}}}
{PAIRS}"
            ),
        );
        let data = json!({"vlan_filtering": 1, "vlan_protocol": "802.1ad", "vlan_default_pvid": 7});
        assert_link("br0", &json!({"linkinfo": {"info_data": data}}));
        assert_eq!(eyes::vlans("p1"), ["7 native"]);
        assert_eq!(eyes::vlans("p2"), ["7 native"]);

        // No default: what is reset has nothing.
        check::apply(
            &system,
            &of_bridge(
                "{options: {vlan-default-pvid: 0}, port: [{name: p1, vlan: {}}, {name: p2, vlan: {tag: 7}}]}",
            ),
        );
        assert_eq!(eyes::vlans("p1"), Vec::<String>::new());
        assert_eq!(eyes::vlans("p2"), ["7 native"]);
    });
}

#[test]
fn what_fails_leaves_the_tables_as_they_were() {
    run(|| {
        if !needs_vlan_filtering() {
            return;
        }
        let system = System::start();
        let start = "interfaces:\n- {name: br0, type: linux-bridge, bridge: {port: [{name: p1}, {name: p2}]}}";
        system.apply(&format!("{start}{PAIRS}")).ok();
        let on = of_bridge(
            "{vlan: {tag: 9}, port: [{name: p1, vlan: {tag: 10}}, {name: p2, vlan: {mode: trunk, trunk-tags: [{id: 5}]}}]}",
        );
        // Turned on, and off again.
        let _ = reverted(&system, &format!("{on}{}", check::fails_last("q1")));
        assert_filters(false);
        for name in ["p1", "p2", "br0"] {
            assert_eq!(eyes::vlans(name), ["1 native"], "{name}");
        }

        system.apply(&on).ok();
        bridge(&["vlan", "add", "dev", "p1", "vid", "77"]);
        bridge(&["vlan", "add", "dev", "p1", "vid", "80-90"]);
        bridge(&["vlan", "add", "dev", "br0", "vid", "77", "self"]);
        let before = ["p1", "p2", "br0"].map(eyes::vlans);
        assert_eq!(before[0], ["10 native", "77", "80-90"]);
        for change in [
            "{vlan: {}, port: [{name: p1, vlan: {tag: 12}}, {name: p2, vlan: {tag: 5}}]}",
            "{vlan: {}, port: [{name: p1, vlan: {}}, {name: p2, vlan: {}}]}",
            "{port: [{name: p2}, {name: p3}]}",
        ] {
            let state = format!("{}{}", of_bridge(change), check::fails_last("q1"));
            let _ = reverted(&system, &state);
            assert_filters(true);
            assert_eq!(["p1", "p2", "br0"].map(eyes::vlans), before, "{change}");
        }
    });
}

#[test]
fn reverted_by_the_history() {
    run(|| {
        if !needs_vlan_filtering() {
            return;
        }
        let system = System::start();
        let start = "interfaces:\n- {name: br0, type: linux-bridge, bridge: {port: [{name: p1}, {name: p2}]}}";
        system.apply(&format!("{start}{PAIRS}")).ok();
        let on = of_bridge("{vlan: {tag: 9}, port: [{name: p1, vlan: {tag: 10}}, {name: p2}]}");
        system.apply(&on).ok();
        bridge(&["vlan", "add", "dev", "p1", "vid", "77"]);
        let change = of_bridge("{port: [{name: p1, vlan: {}}, {name: p2, vlan: {tag: 5}}]}");
        system.apply(&change).ok();
        assert_eq!(eyes::vlans("p1"), ["1 native"]);
        system.ctl(&["history", "revert", "3"]).ok();
        assert_eq!(eyes::vlans("p1"), ["10 native", "77"]);
        assert_eq!(eyes::vlans("p2"), ["1 native"]);
        system.ctl(&["history", "revert", "2"]).ok();
        assert_filters(false);
        assert_eq!(eyes::vlans("p1"), ["1 native"]);
    });
}
