// SPDX-License-Identifier: Apache-2.0

//! The states of `examples/nmstate` that every kernel can do, applied and taken back.

use nipart_tests::examples::{apply, apply_then, machine_with_cards};
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use serde_json::{Value, json};

#[test]
fn cards() {
    run(|| {
        let system = machine_with_cards();
        apply(&system, &["card-up"]);
        apply_then(&system, &["card-with-addresses"], || {
            let expected = ["192.0.2.17/24", "192.0.2.18/24", "2001:db8:17::1/64"];
            assert_eq!(eyes::addresses("eth1"), expected);
            // A card would be down; but it is a virtual link.
            assert_eq!(eyes::link("eth3"), Value::Null);
        });
        apply_then(&system, &["card-by-mac-address"], || {
            assert_eq!(eyes::addresses("eth1"), ["192.0.2.21/24"]);
        });
        let never_used = [
            "link",
            "property",
            "add",
            "dev",
            "eth1",
            "altname",
            "never-used",
        ];
        ip(&never_used);
        apply_then(&system, &["alternative-names"], || {
            assert_link("eth1", &json!({"altnames": ["front-panel-left"]}));
        });
        let settings = [
            "all-addresses-taken",
            "ethtool-features",
            "ethernet-settings",
        ];
        apply_then(&system, &settings, || {
            assert_link("eth1", &json!({"promiscuity": 1}));
        });
        apply_then(&system, &["loopback-without-ipv6"], || {
            assert_eq!(eyes::addresses("lo"), ["127.0.0.1/8"]);
        });
    });
}

#[test]
fn virtual_links() {
    run(|| {
        let system = machine_with_cards();
        let is_up = || assert_link("veth8", &json!({"operstate": "UP"}));
        apply_then(&system, &["veth-up"], is_up);
        for [up, down] in [
            ["veth-up", "virtual-link-down"],
            ["veth-up", "veth-absent"],
            ["vxlan-up", "vxlan-absent"],
            ["mac-vlan-up", "mac-vlan-absent"],
            ["mac-vtap-up", "mac-vtap-absent"],
        ] {
            apply(&system, &[up, down]);
        }
        // Of whatever isn't there, nothing is to be removed.
        apply(
            &system,
            &[
                "team-absent",
                "infiniband-absent",
                "hsr-absent",
                "macsec-absent",
                "ovs-bridge-absent",
            ],
        );
    });
}

#[test]
fn bridges() {
    run(|| {
        let system = machine_with_cards();
        let names = ["bridge-with-options", "bridge-absent"];
        apply_then(&system, &names[..1], || {
            let data = json!({"stp_state": 1, "hello_time": 300, "priority": 28672});
            assert_link("br7", &json!({"linkinfo": {"info_data": data}}));
            let port = json!({"info_slave_data": {"cost": 90}});
            assert_link("eth1", &json!({"master": "br7", "linkinfo": port}));
        });
        apply(&system, &names);
        let names = [
            "bridge-with-copied-address",
            "bridge-port-by-controller",
            "bridge-port-leaves",
        ];
        apply_then(&system, &names[..2], || {
            assert_link("br7", &json!({"address": "02:00:00:00:01:02"}));
            assert_link("eth3", &json!({"master": "br7"}));
        });
        apply(&system, &names);
    });
}

#[test]
fn routes_rules_and_names() {
    run(|| {
        let system = machine_with_cards();
        apply_then(&system, &["route", "route-changed"], || {
            let expected = [
                "default via 192.0.2.2 dev eth1",
                "203.0.113.0/24 via 192.0.2.3 dev eth1",
            ];
            assert_eq!(eyes::routes(), expected);
        });
        apply(&system, &["route", "route-absent"]);
        apply_then(&system, &["route", "routes-all-absent"], || {
            assert_eq!(eyes::routes(), Vec::<String>::new());
        });
        apply(&system, &["rules", "rules-nothing", "rule-absent"]);
        apply(&system, &["dns", "dns-absent"]);
        apply(&system, &["host-name", "host-name-dynamic"]);
    });
}

#[test]
fn policies() {
    run(|| {
        let system = machine_with_cards();
        apply_then(&system, &["route", "policy-bridge-over-gateway"], || {
            assert_eq!(eyes::addresses("br7"), ["192.0.2.17/24"]);
            let expected = [
                "default via 192.0.2.1 dev br7",
                "203.0.113.0/24 via 192.0.2.3 dev br7",
            ];
            assert_eq!(eyes::routes(), expected);
        });
        apply_then(&system, &["policy-larger-packets"], || {
            assert_link("eth2", &json!({"mtu": 1400}));
        });
    });
}
