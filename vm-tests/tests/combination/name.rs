// SPDX-License-Identifier: Apache-2.0

//! Ports that are known by their MAC addresses, whatever they are called.

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::json;

use crate::{controller, index};

/// Two links that others made, with their ends elsewhere up.
fn cards() {
    for (name, peer, address) in [
        ("v1", "p1", "02:00:00:00:00:11"),
        ("v2", "p2", "02:00:00:00:00:12"),
    ] {
        ip(&[
            "link", "add", name, "address", address, "type", "veth", "peer", "name", peer,
        ]);
        ip(&["link", "set", peer, "up"]);
    }
}

/// As udev does at start, and administrators do.
fn rename(from: &str, to: &str) {
    ip(&["link", "set", from, "down"]);
    ip(&["link", "set", from, "name", to]);
    ip(&["link", "set", to, "up"]);
}

const CARDS: &str = "
- {name: left, type: ethernet, identifier: mac-address, mac-address: '02:00:00:00:00:11'}
- {name: right, type: ethernet, identifier: mac-address, mac-address: '02:00:00:00:00:12'}
";

#[test]
fn of_a_bridge() {
    run(|| {
        cards();
        let system = System::start();
        let state = format!(
            "
interfaces:
- name: br0
  type: linux-bridge
  ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}]}}
  bridge: {{port: [{{name: left, stp-path-cost: 11}}, {{name: right, stp-path-cost: 12}}]}}
{CARDS}"
        );
        system.apply(&state).ok();
        assert_eq!(["v1", "v2"].map(controller), ["br0", "br0"]);
        rename("v1", "x1");
        // Another card gets the name that one had.
        rename("v2", "v1");
        check::changes_nothing(&system, &state);
        system.apply(&state.replace("cost: 12", "cost: 13")).ok();
        let costs = ["x1", "v1"]
            .map(|name| eyes::link(name)["linkinfo"]["info_slave_data"]["cost"].clone());
        assert_eq!(costs, [json!(11), json!(13)]);
        system
            .apply("interfaces: [{name: br0, bridge: {port: [{name: left}]}}]")
            .ok();
        assert_eq!(["x1", "v1"].map(controller), ["br0", ""]);
    });
}

/// A bond gives its ports its own address: they are known by the one that they had, which the bond keeps.
#[test]
fn of_a_bond() {
    run(|| {
        if !needs_kinds(&["bond", "vlan"]) {
            return;
        }
        cards();
        let system = System::start();
        let state = format!(
            "
interfaces:
- {{name: bond0.5, type: vlan, vlan: {{base-iface: bond0, id: 5}}, ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}]}}}}
- {{name: bond0, type: bond, link-aggregation: {{mode: active-backup, port: [left, right]}}}}
{CARDS}"
        );
        system.apply(&state).ok();
        assert_eq!(["v1", "v2"].map(controller), ["bond0", "bond0"]);
        assert_eq!(eyes::link("v1")["address"], eyes::link("v2")["address"]);
        let number = index("bond0");
        rename("v1", "x1");
        rename("v2", "v1");
        check::changes_nothing(&system, &state);
        let ports = "port: [left, right]";
        let primary = state.replace(ports, &format!("{ports}, options: {{primary: left}}"));
        system.apply(&primary).ok();
        let options = eyes::link("bond0")["linkinfo"]["info_data"].clone();
        assert_eq!(
            (options["primary"].as_str(), index("bond0")),
            (Some("x1"), number)
        );
        let alone = "interfaces: [{name: bond0, link-aggregation: {options: {primary: right}}}]";
        system.apply(alone).ok();
        let options = eyes::link("bond0")["linkinfo"]["info_data"].clone();
        assert_eq!(options["primary"], "v1");
        system
            .apply("interfaces: [{name: bond0, link-aggregation: {mode: 802.3ad}}]")
            .ok();
        assert_eq!(["x1", "v1"].map(controller), ["bond0", "bond0"]);
        assert_eq!(eyes::addresses("bond0.5"), ["192.0.2.1/24"]);
        system
            .apply("interfaces: [{name: bond0, state: absent}]")
            .ok();
        assert_eq!(eyes::link("x1")["address"], "02:00:00:00:00:11");
        assert_eq!(eyes::link("v1")["address"], "02:00:00:00:00:12");
    });
}
