// SPDX-License-Identifier: Apache-2.0

//! The states of `examples/nmstate`, applied: with two ends of wires as cards, as far as the kernel has the kinds. Each
//! applies once, changes nothing when it is applied again, and is undone by its revert.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

use std::fs;
use std::path::Path;

use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::{in_virtual_machine, needs_kinds};
use serde_json::json;

/// Three cards.
fn start() -> System {
    for number in 1..=3 {
        let (card, wire) = (format!("eth{number}"), format!("wire{number}"));
        ip(&["link", "add", &card, "type", "veth", "peer", "name", &wire]);
        ip(&[
            "link",
            "set",
            &card,
            "address",
            &format!("02:00:00:00:01:0{number}"),
            "up",
        ]);
        ip(&["link", "set", &wire, "up"]);
    }
    ip(&["link", "set", "lo", "up"]);
    System::start()
}

/// Links, their addresses, routes and rules.
fn outline() -> Vec<String> {
    let links = eyes::parsed(&ip(&["-j", "link", "show"]));
    let links = links.as_array().unwrap().iter();
    let names = links.map(|link| link["ifname"].as_str().unwrap());
    let mut lines: Vec<String> = names
        .map(|name| format!("{name} {:?}", eyes::addresses(name)))
        .collect();
    lines.extend(eyes::routes());
    lines.extend(ip(&["rule", "show"]).lines().map(str::to_string));
    lines.sort();
    lines
}

/// Applies the examples one after the other, and takes them back in the other direction. `look` sees the last one.
fn applies_then(system: &System, names: &[&str], look: impl Fn()) {
    let before = outline();
    let mut reverts = Vec::new();
    for name in names {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nmstate");
        let text = fs::read_to_string(folder.join(format!("{name}.yml"))).unwrap();
        // A policy means something else when it has been applied.
        let state = match text.contains("capture:") {
            true => system.ctl_with(&["policy", "-"], &text).ok().out,
            false => text.clone(),
        };
        let revert = system.ctl_with(&["gr", "-"], &text);
        assert_eq!(revert.code, 0, "{name}: {}", revert.err);
        let answer = system.apply(&text);
        assert_eq!(answer.code, 0, "{name}: {}", answer.err);
        let again = system.apply(&state).ok().out;
        assert!(
            again.starts_with("Nothing to change, verified"),
            "{name}: {again}"
        );
        reverts.push((name, revert.out));
    }
    look();
    for (name, revert) in reverts.iter().rev() {
        let answer = system.apply(revert);
        assert_eq!(answer.code, 0, "revert of {name}: {}\n{revert}", answer.err);
    }
    assert_eq!(outline(), before, "after {names:?} and their reverts");
}

fn applies(system: &System, names: &[&str]) {
    applies_then(system, names, || {});
}

#[test]
fn cards() {
    run(|| {
        let system = start();
        applies(&system, &["card-up"]);
        applies_then(&system, &["card-with-addresses"], || {
            assert_eq!(
                eyes::addresses("eth1"),
                ["192.0.2.17/24", "192.0.2.18/24", "2001:db8:17::1/64"]
            );
            // A card would be down; but it is a virtual link.
            assert_eq!(eyes::link("eth3"), json!(null));
        });
        applies_then(&system, &["card-by-mac-address"], || {
            assert_eq!(eyes::addresses("eth1"), ["192.0.2.21/24"]);
        });
        ip(&[
            "link",
            "property",
            "add",
            "dev",
            "eth1",
            "altname",
            "never-used",
        ]);
        applies(&system, &["alternative-names"]);
        applies(
            &system,
            &[
                "all-addresses-taken",
                "ethtool-features",
                "ethernet-settings",
            ],
        );
        applies(&system, &["loopback-without-ipv6"]);
    });
}

#[test]
fn virtual_links() {
    run(|| {
        let system = start();
        applies_then(&system, &["veth-up"], || {
            assert_link("veth8", &json!({"operstate": "UP"}))
        });
        applies(&system, &["veth-up", "virtual-link-down"]);
        applies(&system, &["veth-up", "veth-absent"]);
        applies(&system, &["vxlan-up", "vxlan-absent"]);
        applies(&system, &["mac-vlan-up", "mac-vlan-absent"]);
        applies(&system, &["mac-vtap-up", "mac-vtap-absent"]);
        // Of whatever isn't there, nothing is to be removed.
        applies(
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
fn virtual_links_of_few_kernels() {
    run(|| {
        let system = start();
        for (kind, names) in [
            ("dummy", &["dummy-up", "dummy-absent"][..]),
            ("vlan", &["vlan-up", "vlan-down"]),
            ("vlan", &["vlan-up", "vlan-absent"]),
            ("vlan", &["vlan-settings"]),
            ("ipvlan", &["ipvlan-up", "ipvlan-absent"]),
            ("vrf", &["vrf-up", "vrf-absent"]),
            ("ipip", &["ipip-up"]),
            ("ip6tnl", &["ip6ip6-up"]),
        ] {
            if needs_kinds(&[kind]) {
                applies(&system, names);
            }
        }
    });
}

#[test]
fn bonds() {
    run(|| {
        if !needs_kinds(&["bond", "vlan"]) {
            return;
        }
        let system = start();
        applies_then(&system, &["bond-of-two"], || {
            assert_link(
                "eth2",
                &json!({"master": "bond7", "linkinfo": {"info_slave_data": {"queue_id": 1}}}),
            );
        });
        applies(&system, &["bond-of-two", "bond-absent"]);
        applies_then(&system, &["bond-with-bridges"], || {
            assert_link("vlan31", &json!({"master": "br31", "link": "bond7"}));
            assert_link("bond7", &json!({"master": "br7"}));
        });
        applies(&system, &["bond-with-bridges", "bond-with-bridges-absent"]);
        applies(&system, &["bond-options"]);
        applies_then(&system, &["bond-with-copied-address"], || {
            assert_link("bond7", &json!({"address": "02:00:00:00:01:02"}));
        });
    });
}

#[test]
fn bridges() {
    run(|| {
        let system = start();
        applies_then(&system, &["bridge-with-options"], || {
            let data = json!({"stp_state": 1, "hello_time": 300, "priority": 28672});
            assert_link("br7", &json!({"linkinfo": {"info_data": data}}));
            assert_link(
                "eth1",
                &json!({"master": "br7", "linkinfo": {"info_slave_data": {"cost": 90}}}),
            );
        });
        applies(&system, &["bridge-with-options", "bridge-absent"]);
        let names = [
            "bridge-with-copied-address",
            "bridge-port-by-controller",
            "bridge-port-leaves",
        ];
        applies_then(&system, &names[..2], || {
            assert_link("br7", &json!({"address": "02:00:00:00:01:02"}));
            assert_link("eth3", &json!({"master": "br7"}));
        });
        applies(&system, &names);
        if in_virtual_machine() {
            applies(&system, &["bridge-with-all-options", "bridge-absent"]);
            applies_then(&system, &["bridge-with-vlans"], || {
                assert_eq!(eyes::vlans("eth1"), ["30 native", "31", "400-409"]);
                assert_eq!(eyes::vlans("eth2"), ["400"]);
                assert_eq!(eyes::vlans("eth3"), ["31 native"]);
            });
        }
    });
}

#[test]
fn routes_rules_and_names() {
    run(|| {
        let system = start();
        applies_then(&system, &["route", "route-changed"], || {
            assert_eq!(
                eyes::routes(),
                [
                    "default via 192.0.2.2 dev eth1",
                    "203.0.113.0/24 via 192.0.2.3 dev eth1"
                ]
            );
        });
        applies(&system, &["route", "route-absent"]);
        applies_then(&system, &["route", "routes-all-absent"], || {
            assert_eq!(eyes::routes(), Vec::<String>::new());
        });
        applies(&system, &["rules", "rules-nothing", "rule-absent"]);
        applies(&system, &["dns", "dns-absent"]);
        applies(&system, &["host-name", "host-name-dynamic"]);
    });
}

#[test]
fn policies() {
    run(|| {
        let system = start();
        applies_then(&system, &["route", "policy-bridge-over-gateway"], || {
            assert_eq!(eyes::addresses("br7"), ["192.0.2.17/24"]);
            assert_eq!(
                eyes::routes(),
                [
                    "default via 192.0.2.1 dev br7",
                    "203.0.113.0/24 via 192.0.2.3 dev br7"
                ]
            );
        });
        applies_then(&system, &["policy-larger-packets"], || {
            assert_link("eth2", &json!({"mtu": 1400}));
        });
    });
}
