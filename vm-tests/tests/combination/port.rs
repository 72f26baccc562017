// SPDX-License-Identifier: Apache-2.0

//! Ports that go from one controller to another.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::json;

use crate::{controller, index, pairs};

fn is_up(name: &str) -> bool {
    let flags = eyes::link(name)["flags"].clone();
    let mut flags = flags.as_array().into_iter().flatten();
    flags.any(|flag| flag == "UP")
}

/// Between bridges: two change places, one is taken from its bridge and gets an address, and one that had an address comes.
#[test]
fn between_bridges() {
    run(|| {
        let system = System::start();
        let state = format!(
            "
interfaces:
- {{name: br0, type: linux-bridge, bridge: {{port: [{{name: v1, stp-path-cost: 11}}, {{name: v3}}]}}}}
- {{name: br1, type: linux-bridge, bridge: {{port: [{{name: v2, stp-path-cost: 22}}]}}}}
{}- {{name: v4, ipv4: {{address: [{{ip: 192.0.2.4, prefix-length: 24}}]}}}}
",
            // Written without its kind above: the other end of p4.
            pairs(&[("v1", "p1"), ("v2", "p2"), ("v3", "p3")]) + "- {name: p4, type: veth, veth: {peer: v4}}\n"
        );
        system.apply(&state).ok();
        let numbers = ["v1", "v2", "v3", "v4", "br0", "br1"].map(index);
        check::apply(
            &system,
            "
interfaces:
- {name: br0, bridge: {port: [{name: v2, stp-path-cost: 33}, {name: v4}]}}
- {name: br1, bridge: {port: [{name: v1, stp-hairpin-mode: true}]}}
- {name: v3, ipv4: {address: [{ip: 192.0.2.3, prefix-length: 24}]}}
",
        );
        assert_eq!(
            ["v1", "v2", "v3", "v4"].map(controller),
            ["br1", "br0", "", "br0"]
        );
        assert_eq!(numbers, ["v1", "v2", "v3", "v4", "br0", "br1"].map(index));
        let of_port = |options| json!({"linkinfo": {"info_slave_kind": "bridge", "info_slave_data": options}});
        // What a bridge kept about a port is gone with it.
        assert_link("v1", &of_port(json!({"cost": 2, "hairpin": true})));
        assert_link("v2", &of_port(json!({"cost": 33, "hairpin": false})));
        assert_eq!(eyes::addresses("v3"), ["192.0.2.3/24"]);
        assert_eq!(eyes::addresses("v4"), Vec::<String>::new());

        // The other spelling: each port says where it belongs.
        check::apply(
            &system,
            "interfaces: [{name: v1, controller: br0}, {name: v2, controller: br1}, {name: v4, controller: ''}]",
        );
        assert_eq!(
            ["v1", "v2", "v3", "v4"].map(controller),
            ["br0", "br1", "", ""]
        );
    });
}

/// From bond to bridge and back, both at once; into a VRF; with the bridge created and the bond deleted by the same file.
#[test]
fn between_kinds() {
    run(|| {
        if !needs_kinds(&["bond", "vrf"]) {
            return;
        }
        let system = System::start();
        let state = format!(
            "
interfaces:
- {{name: br0, type: linux-bridge, bridge: {{port: [{{name: v3}}]}}}}
- {{name: bond0, type: bond, link-aggregation: {{mode: balance-xor, port: [v1, v2]}}}}
{}",
            pairs(&[("v1", "p1"), ("v2", "p2"), ("v3", "p3")])
        );
        system.apply(&state).ok();
        let addresses = || ["v1", "v2", "v3"].map(|name| eyes::link(name)["address"].clone());
        check::apply(
            &system,
            "
interfaces:
- {name: br0, bridge: {port: [{name: v2, stp-priority: 5}]}}
- {name: bond0, link-aggregation: {port: [v1, v3]}}
",
        );
        assert_eq!(
            ["v1", "v2", "v3"].map(controller),
            ["bond0", "br0", "bond0"]
        );
        let [one, two, three] = addresses();
        assert!(one == three && one != two, "{one} {two} {three}");
        for name in ["v1", "v2", "v3"] {
            assert!(is_up(name), "{name}");
        }
        check::apply(
            &system,
            "
interfaces:
- {name: red, type: vrf, vrf: {port: [v1], route-table-id: 1001}}
- {name: br1, type: linux-bridge, bridge: {port: [{name: v3}, {name: v2}]}}
- {name: bond0, state: absent}
- {name: v1, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}, ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}}
",
        );
        assert_eq!(["v1", "v2", "v3"].map(controller), ["red", "br1", "br1"]);
        assert_eq!(eyes::addresses("v1"), ["192.0.2.1/24", "2001:db8::1/64"]);
        for name in ["v1", "v2", "v3"] {
            assert!(is_up(name), "{name}");
        }
        // Straight from the VRF into a new bond, which the bridge gets as a port.
        check::apply(
            &system,
            "
interfaces:
- {name: br1, bridge: {port: [{name: v3}, {name: bond1}]}}
- {name: bond1, type: bond, link-aggregation: {mode: active-backup, port: [v1, v2]}}
",
        );
        assert_eq!(
            ["v1", "v2", "v3", "bond1"].map(controller),
            ["bond1", "bond1", "br1", "br1"]
        );
        assert_eq!(eyes::addresses("v1"), Vec::<String>::new());
    });
}
