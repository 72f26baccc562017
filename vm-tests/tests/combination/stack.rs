// SPDX-License-Identifier: Apache-2.0

//! Stacks of four links and more, in one file, in any order.

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::{Value, json};

use crate::{controller, index, pairs};

const ROUTES: &str = "
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-address: 192.0.2.9, next-hop-interface: br10, metric: 7}
  - {destination: 203.0.113.0/24, next-hop-address: 10.20.0.9, next-hop-interface: br20, vrf-name: red}
  - {destination: '2001:db8:99::/48', next-hop-address: '2001:db8:20::9', next-hop-interface: br20, vrf-name: red}
";

/// Addresses and routes of all tables, in the order of letters, when IPv6 addresses were found to be unique.
fn network() -> Vec<String> {
    eyes::Watch::start().settle();
    let everything = [
        ip(&["-o", "address", "show"]),
        ip(&["-4", "route", "show", "table", "all"]),
        ip(&["-6", "route", "show", "table", "all"]),
    ];
    let lines = everything.iter().flat_map(|text| text.lines());
    let without_passing = |line: &str| {
        let is_number = |word: &str| {
            word.strip_suffix(':')
                .is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let words = line.split_whitespace();
        let words = words.filter(|word| !is_number(word));
        words.collect::<Vec<_>>().join(" ")
    };
    let mut lines: Vec<String> = lines.map(without_passing).collect();
    lines.sort_unstable();
    lines
}

fn bond(key: &str) -> Value {
    eyes::link("bond0")["linkinfo"]["info_data"][key].clone()
}

/// Two veths in a bond, two VLANs on it, a bridge over each, one of these in a VRF, addresses and routes everywhere.
fn state() -> String {
    format!(
        "
interfaces:
- {{name: red, type: vrf, vrf: {{port: [br20], route-table-id: 1020}}}}
- name: br20
  type: linux-bridge
  ipv4: {{address: [{{ip: 10.20.0.1, prefix-length: 24}}]}}
  ipv6: {{address: [{{ip: '2001:db8:20::1', prefix-length: 64}}]}}
  bridge: {{port: [{{name: bond0.20}}]}}
- name: br10
  type: linux-bridge
  ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}, {{ip: 192.0.2.2, prefix-length: 24}}]}}
  bridge: {{port: [{{name: bond0.10, stp-path-cost: 17}}, {{name: v3}}]}}
- {{name: bond0.20, type: vlan, vlan: {{base-iface: bond0, id: 20}}}}
- {{name: bond0.10, type: vlan, mtu: 1400, vlan: {{base-iface: bond0, id: 10}}}}
- name: bond0
  type: bond
  ipv4: {{address: [{{ip: 172.16.0.1, prefix-length: 16}}]}}
  ipv6: {{address: [{{ip: '2001:db8:1::1', prefix-length: 64}}]}}
  link-aggregation: {{mode: active-backup, port: [v2, v1], options: {{miimon: 100}}}}
{}{ROUTES}",
        pairs(&[("v1", "p1"), ("v2", "p2"), ("v3", "p3")])
    )
}

const PORTS: [(&str, &str); 6] = [
    ("v1", "bond0"),
    ("v2", "bond0"),
    ("v3", "br10"),
    ("bond0.10", "br10"),
    ("bond0.20", "br20"),
    ("br20", "red"),
];

fn are_attached() {
    for (port, name) in PORTS {
        assert_eq!(controller(port), name, "{port}");
    }
}

/// The kernel takes another mode only of a bond without ports. What stands above comes back, whoever wrote it.
#[test]
fn over_a_bond_of_another_mode() {
    run(|| {
        if !needs_kinds(&["bond", "vlan", "vrf"]) {
            return;
        }
        let system = System::start();
        system.apply(&state()).ok();
        ip(&["address", "add", "172.31.0.1/24", "dev", "bond0.20"]);
        let (before, above) = (network(), ["br10", "br20", "red"].map(index));
        let mode = "interfaces: [{name: bond0, link-aggregation: {mode: 802.3ad, options: {lacp_rate: fast}}}]";
        let refused = "
routes: {config: [{destination: 192.88.99.0/24, next-hop-address: 192.88.99.1, next-hop-interface: p3}]}
";
        let answer = system.apply(&format!("{mode}{refused}")).refused();
        assert_eq!(network(), before, "after {answer}");
        assert_eq!(bond("mode"), "active-backup");
        are_attached();
        check::apply(&system, mode);
        assert_eq!(
            (bond("mode"), bond("ad_lacp_rate")),
            (json!("802.3ad"), json!("fast"))
        );
        are_attached();
        assert_eq!(network(), before);
        assert_eq!(["br10", "br20", "red"].map(index), above);
    });
}

/// VLANs go with their bond; what only had them as ports stays. They come back with it.
#[test]
fn over_a_bond_that_goes() {
    run(|| {
        if !needs_kinds(&["bond", "vlan", "vrf"]) {
            return;
        }
        let system = System::start();
        check::apply(&system, &state());
        are_attached();
        assert_eq!(eyes::link("bond0.10")["mtu"], 1400);
        let routes = eyes::route_details("-4", "1020");
        assert_eq!(routes[0]["dst"], "203.0.113.0/24", "{routes}");
        let above = ["br10", "br20", "red"].map(index);
        let gone = "interfaces: [{name: bond0, state: absent}]";
        system.apply(gone).ok();
        for name in ["bond0", "bond0.10", "bond0.20"] {
            assert_eq!(eyes::link(name), json!(null), "{name}");
        }
        assert_eq!(["br10", "br20", "red"].map(index), above);
        assert_eq!(["v1", "v2", "v3"].map(controller), ["", "", "br10"]);
        assert_eq!(
            eyes::addresses("br20"),
            ["10.20.0.1/24", "2001:db8:20::1/64"]
        );
        let again = system.apply(gone).ok().out;
        assert!(again.starts_with("Nothing to change"), "{again}");
        system.apply(&state()).ok();
        are_attached();
    });
}

/// The entries of a state, to be put in any order.
const ENTRIES: [&str; 8] = [
    "- {name: mv0, type: mac-vlan, mac-address: '02:00:00:00:00:50', mac-vlan: {base-iface: br0, mode: bridge}, ipv4: {address: [{ip: 10.5.0.1, prefix-length: 24}]}}",
    "- {name: br0, type: linux-bridge, mac-address: '02:00:00:00:00:40', bridge: {port: [{name: vx0}, {name: v2}]}, ipv6: {address: [{ip: '2001:db8:4::1', prefix-length: 64}]}}",
    "- {name: vx0, type: vxlan, mac-address: '02:00:00:00:00:30', vxlan: {id: 7, base-iface: v1, remote: 192.0.2.9}}",
    "- {name: v1, type: veth, mac-address: '02:00:00:00:00:11', mtu: 1600, veth: {peer: p1}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}",
    "- {name: p1, type: veth, mac-address: '02:00:00:00:00:12', mtu: 1600, veth: {peer: v1}}",
    "- {name: v2, type: veth, mac-address: '02:00:00:00:00:21', veth: {peer: p2}}",
    "- {name: p2, type: veth, mac-address: '02:00:00:00:00:22', veth: {peer: v2}, controller: br1}",
    "- {name: br1, type: linux-bridge, mac-address: '02:00:00:00:00:60', bridge: {port: [{name: p2, stp-priority: 9}]}}",
];
const NAMES: [&str; 7] = ["mv0", "br0", "vx0", "v1", "v2", "br1", "p1"];

/// A macvlan on a bridge over a vxlan over a veth, and back through another bridge.
#[test]
fn in_any_order() {
    run(|| {
        let system = System::start();
        let mut first = None;
        for turn in [0, 5] {
            let mut entries = ENTRIES;
            entries.rotate_left(turn);
            if turn == 5 {
                entries.reverse();
            }
            let routes = "routes: {config: [{destination: 0.0.0.0/0, next-hop-address: 10.5.0.9, next-hop-interface: mv0}]}";
            let state = format!("interfaces:\n{}\n{routes}\n", entries.join("\n"));
            check::apply(&system, &state);
            assert_eq!(["vx0", "v2", "p2"].map(controller), ["br0", "br0", "br1"]);
            assert_eq!(eyes::routes(), ["default via 10.5.0.9 dev mv0"]);
            let links = eyes::everything();
            eyes::assert_same(first.get_or_insert(links.clone()), &links, &state);
            let gone = NAMES.map(|name| format!("- {{name: {name}, state: absent}}"));
            system
                .apply(&format!("interfaces:\n{}\n", gone.join("\n")))
                .ok();
        }
    });
}
