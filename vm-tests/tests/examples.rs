// SPDX-License-Identifier: Apache-2.0

//! The states of `examples/nmstate` that need more kinds of links than every kernel has, applied and taken back.

use nipart_tests::examples::{apply, apply_then, machine_with_cards};
use nipart_tests::eyes::{self, assert_includes, assert_link};
use nipart_tests::namespace::run;
use nipart_vm_tests::{needs_kinds, needs_vlan_filtering};
use serde_json::{Value, json};

/// Of a bond over `eth1` and `eth2`: its own options as iproute2 shows them.
fn has_options(name: &str, expected: &Value) {
    let link = eyes::link(name);
    assert_includes(name, &link["linkinfo"]["info_data"], expected);
}

fn is_port_of(port: &str, controller: &str) {
    assert_link(port, &json!({"master": controller}));
}

#[test]
fn bonds() {
    run(|| {
        if !needs_kinds(&["bond", "vlan"]) {
            return;
        }
        let system = machine_with_cards();
        apply_then(&system, &["bond-of-two"], || {
            has_options("bond7", &json!({"mode": "active-backup", "miimon": 120}));
            let second = json!({"prio": 3, "queue_id": 1});
            let kind = json!({"info_slave_data": second});
            assert_link("eth2", &json!({"master": "bond7", "linkinfo": kind}));
        });
        apply_then(&system, &["bond-options"], || {
            has_options("bond7", &json!({"mode": "balance-rr", "miimon": 120}));
            assert_eq!(eyes::addresses("bond7"), ["192.0.2.70/24"]);
        });
        apply_then(&system, &["bond-with-copied-address"], || {
            let expected = json!({"mode": "balance-xor", "xmit_hash_policy": "vlan+srcmac"});
            has_options("bond7", &expected);
            assert_link("bond7", &json!({"address": "02:00:00:00:01:02"}));
        });
        apply_then(&system, &["bond-with-bridges"], || {
            is_port_of("eth1", "bond7");
            is_port_of("bond7", "br7");
            is_port_of("vlan31", "br31");
        });
        apply(&system, &["bond-of-two", "bond-absent"]);
        apply(&system, &["bond-with-bridges", "bond-with-bridges-absent"]);
    });
}

#[test]
fn vlans() {
    run(|| {
        if !needs_kinds(&["vlan"]) {
            return;
        }
        let system = machine_with_cards();
        apply_then(&system, &["vlan-up"], || {
            has_options("eth1.31", &json!({"id": 31, "protocol": "802.1Q"}));
        });
        apply_then(&system, &["vlan-settings"], || {
            let maps = json!({
                "protocol": "802.1ad",
                "ingress_qos": [{"from": 1, "to": 3}],
                "egress_qos": [{"from": 2, "to": 5}],
            });
            has_options("eth1.31", &maps);
        });
        for gone in ["vlan-down", "vlan-absent"] {
            apply_then(&system, &["vlan-up", gone], || {
                assert_eq!(eyes::link("eth1.31"), Value::Null);
            });
        }
    });
}

#[test]
fn other_kinds() {
    run(|| {
        if !needs_kinds(&["dummy", "vrf", "ipvlan", "ipip", "ip6tnl"]) {
            return;
        }
        let system = machine_with_cards();
        apply_then(&system, &["dummy-up"], || {
            assert_eq!(eyes::addresses("dummy7"), ["203.0.113.7/32"]);
        });
        apply_then(&system, &["vrf-up"], || {
            has_options("vrf7", &json!({"table": 107}));
            is_port_of("eth1", "vrf7");
        });
        apply_then(&system, &["ipvlan-up"], || {
            has_options("ipvlan7", &json!({"mode": "l2"}));
        });
        apply_then(&system, &["ipip-up"], || {
            has_options("ipip7", &json!({"remote": "198.51.100.2", "ttl": 255}));
        });
        apply_then(&system, &["ip6ip6-up"], || {
            has_options("ip6ip67", &json!({"remote": "2001:db8:7::2"}));
        });
        for [up, gone] in [
            ["dummy-up", "dummy-absent"],
            ["vrf-up", "vrf-absent"],
            ["ipvlan-up", "ipvlan-absent"],
        ] {
            apply(&system, &[up, gone]);
        }
    });
}

#[test]
fn bridges_that_filter_vlans() {
    run(|| {
        if !needs_vlan_filtering() {
            return;
        }
        let system = machine_with_cards();
        apply(&system, &["bridge-with-all-options"]);
        apply_then(&system, &["bridge-with-vlans"], || {
            assert_eq!(eyes::vlans("eth3"), ["31 native"]);
        });
    });
}
