// SPDX-License-Identifier: Apache-2.0

//! Nipart's own links above, below and beside links that others made, of kinds that it can't create.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::json;

/// Runs these lines, each as a command of `ip`.
fn others_do(lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        ip(&line.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn bridge_over_vlans_of_a_bond() {
    run(|| {
        if !needs_kinds(&["bond", "vlan"]) {
            return;
        }
        others_do(
            "link add v1 type veth peer name p1
             link add v2 type veth peer name p2
             link add bond7 type bond mode active-backup miimon 100
             link set v1 master bond7
             link set v2 master bond7
             link set p1 up
             link set p2 up
             link set bond7 up
             link add link bond7 name bond7.5 type vlan id 5
             link set bond7.5 up",
        );
        let bond = eyes::link("bond7")["linkinfo"]["info_data"]["mode"].clone();
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: br5
  type: linux-bridge
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
  bridge: {port: [{name: bond7.5, stp-path-cost: 17}]}
- name: mv0
  type: mac-vlan
  mac-vlan: {base-iface: bond7, mode: bridge}
",
        );
        let port = json!({"info_kind": "vlan", "info_data": {"id": 5}, "info_slave_kind": "bridge", "info_slave_data": {"cost": 17}});
        assert_link(
            "bond7.5",
            &json!({"master": "br5", "link": "bond7", "linkinfo": port}),
        );
        assert_link(
            "mv0",
            &json!({"link": "bond7", "linkinfo": {"info_kind": "macvlan"}}),
        );
        for name in ["v1", "v2"] {
            assert_link(name, &json!({"master": "bond7"}));
        }
        assert_eq!(eyes::link("bond7")["linkinfo"]["info_data"]["mode"], bond);

        check::apply(
            &system,
            "interfaces: [{name: br5, state: absent}, {name: mv0, state: absent}]",
        );
        assert_eq!(eyes::link("bond7.5")["master"], json!(null));
        assert_eq!(
            (eyes::link("br5"), eyes::link("mv0")),
            (json!(null), json!(null))
        );
    });
}

#[test]
fn port_of_a_vrf() {
    run(|| {
        if !needs_kinds(&["vrf"]) {
            return;
        }
        others_do(
            "link add red type vrf table 1001
             link set red up",
        );
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: v1, type: veth, veth: {peer: v2}, controller: red}
- {name: v2, type: veth}
",
        );
        assert_link(
            "v1",
            &json!({"master": "red", "linkinfo": {"info_kind": "veth", "info_slave_kind": "vrf"}}),
        );
        // Something else about it doesn't take it out of the VRF, and a controller of nothing does.
        check::apply(&system, "interfaces: [{name: v1, mtu: 1400}]");
        assert_link("v1", &json!({"master": "red", "mtu": 1400}));
        check::apply(&system, "interfaces: [{name: v1, controller: ''}]");
        assert_eq!(eyes::link("v1")["master"], json!(null));
    });
}

#[test]
fn vxlan_over_a_dummy_in_a_bridge() {
    run(|| {
        if !needs_kinds(&["dummy"]) {
            return;
        }
        others_do("link add d0 mtu 9000 type dummy");
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: d0
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
- name: vx0
  type: vxlan
  mtu: 8930
  vxlan: {id: 7, base-iface: d0, local: '2001:db8::1', remote: '2001:db8::2'}
- name: br0
  type: linux-bridge
  bridge: {port: [{name: vx0}]}
",
        );
        assert_link(
            "d0",
            &json!({"mtu": 9000, "linkinfo": {"info_kind": "dummy"}}),
        );
        assert_link(
            "vx0",
            &json!({"master": "br0", "mtu": 8930, "linkinfo": {"info_data": {"id": 7, "link": "d0"}}}),
        );
        assert_eq!(eyes::addresses("d0"), ["2001:db8::1/64"]);
    });
}
