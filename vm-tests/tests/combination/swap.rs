// SPDX-License-Identifier: Apache-2.0

//! What two interfaces have, exchanged by one file.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::json;

use crate::{controller, pairs};

/// Hardware address, addresses and an alternative name that one of two has.
fn of(name: &str, host: u8) -> String {
    let other = 3 - host;
    format!(
        "
- name: {name}
  mac-address: '02:00:00:00:00:0{host}'
  alt-names: [{{name: host-{host}}}, {{name: host-{other}, state: absent}}]
  ipv4: {{address: [{{ip: 192.0.2.{host}, prefix-length: 24}}, {{ip: 10.{host}.0.1, prefix-length: 16}}]}}
  ipv6: {{address: [{{ip: '2001:db8::{host}', prefix-length: 64}}]}}
"
    )
}

/// Two interfaces in one network, where IPv6 notices an address that both have for a moment.
#[test]
fn addresses() {
    run(|| {
        let system = System::start();
        let wires = pairs(&[("v1", "p1"), ("v2", "p2")]);
        let bridge = "- {name: br0, type: linux-bridge, bridge: {port: [{name: p1}, {name: p2}]}}";
        system
            .apply(&format!("interfaces:\n{wires}{bridge}\n"))
            .ok();
        let routes = "
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-address: 10.1.0.9, next-hop-interface: v1}
  - {destination: 203.0.113.0/24, next-hop-address: 10.2.0.9, next-hop-interface: v2}
";
        check::apply(
            &system,
            &format!("interfaces:\n{}{}{routes}", of("v1", 1), of("v2", 2)),
        );
        let routes = "
routes:
  config:
  - {state: absent, next-hop-interface: v1}
  - {state: absent, next-hop-interface: v2}
  - {destination: 198.51.100.0/24, next-hop-address: 10.1.0.9, next-hop-interface: v2}
  - {destination: 203.0.113.0/24, next-hop-address: 10.2.0.9, next-hop-interface: v1}
";
        check::apply(
            &system,
            &format!("interfaces:\n{}{}{routes}", of("v1", 2), of("v2", 1)),
        );
        assert_eq!(
            eyes::addresses("v1"),
            ["192.0.2.2/24", "10.2.0.1/16", "2001:db8::2/64"]
        );
        assert_eq!(
            eyes::addresses("v2"),
            ["192.0.2.1/24", "10.1.0.1/16", "2001:db8::1/64"]
        );
        assert_link(
            "v1",
            &json!({"address": "02:00:00:00:00:02", "altnames": ["host-2"]}),
        );
        assert_link(
            "v2",
            &json!({"address": "02:00:00:00:00:01", "altnames": ["host-1"]}),
        );
        let everything = eyes::everything();
        assert!(!everything.contains("dadfailed"), "{everything}");
        let routes = [
            "198.51.100.0/24 via 10.1.0.9 dev v2",
            "203.0.113.0/24 via 10.2.0.9 dev v1",
        ];
        assert_eq!(eyes::routes(), routes);
    });
}

/// Numbers of which the kernel lets only one link have each.
#[test]
fn numbers_of_vxlans() {
    run(|| {
        let system = System::start();
        let state = |one: u8, two: u8| {
            format!(
                "
interfaces:
- {{name: vx1, type: vxlan, vxlan: {{id: {one}, remote: 192.0.2.1}}, ipv4: {{address: [{{ip: 10.1.0.1, prefix-length: 24}}]}}}}
- {{name: vx2, type: vxlan, vxlan: {{id: {two}, remote: 192.0.2.2}}}}
- {{name: br0, type: linux-bridge, bridge: {{port: [{{name: vx2}}]}}}}
"
            )
        };
        check::apply(&system, &state(1, 2));
        check::apply(&system, &state(2, 1));
        for (name, id) in [("vx1", 2), ("vx2", 1)] {
            assert_link(name, &json!({"linkinfo": {"info_data": {"id": id}}}));
        }
        assert_eq!(
            (eyes::addresses("vx1"), controller("vx2")),
            (vec!["10.1.0.1/24".to_string()], "br0".to_string())
        );
    });
}

/// The same of VLANs on a bond and of tables of VRFs, with what stands above.
#[test]
fn numbers_of_vlans_and_tables() {
    run(|| {
        if !needs_kinds(&["bond", "vlan", "vrf"]) {
            return;
        }
        let system = System::start();
        let state = |one: u16, two: u16| {
            format!(
                "
interfaces:
- {{name: red, type: vrf, vrf: {{port: [br1], route-table-id: 10{one}}}}}
- {{name: blue, type: vrf, vrf: {{port: [br2], route-table-id: 10{two}}}}}
- {{name: br1, type: linux-bridge, bridge: {{port: [{{name: vlan1}}]}}, ipv4: {{address: [{{ip: 10.0.0.1, prefix-length: 24}}]}}}}
- {{name: br2, type: linux-bridge, bridge: {{port: [{{name: vlan2}}]}}, ipv4: {{address: [{{ip: 10.0.0.1, prefix-length: 24}}]}}}}
- {{name: vlan1, type: vlan, vlan: {{base-iface: bond0, id: {one}}}}}
- {{name: vlan2, type: vlan, vlan: {{base-iface: bond0, id: {two}}}}}
- {{name: bond0, type: bond, link-aggregation: {{mode: active-backup, port: [v1]}}}}
{}
routes:
  config:
  - {{destination: 198.51.100.0/24, next-hop-address: 10.0.0.9, next-hop-interface: br1, vrf-name: red}}
",
                pairs(&[("v1", "p1")])
            )
        };
        check::apply(&system, &state(11, 22));
        assert_eq!(
            eyes::route_details("-4", "1011")[0]["dst"],
            "198.51.100.0/24"
        );
        check::apply(&system, &state(22, 11));
        for (name, id) in [("vlan1", 22), ("vlan2", 11)] {
            assert_link(name, &json!({"linkinfo": {"info_data": {"id": id}}}));
        }
        for (name, table) in [("red", 1022), ("blue", 1011)] {
            assert_link(name, &json!({"linkinfo": {"info_data": {"table": table}}}));
        }
        assert_eq!(
            ["vlan1", "vlan2", "br1", "br2"].map(controller),
            ["br1", "br2", "red", "blue"]
        );
        assert_eq!(
            eyes::route_details("-4", "1022")[0]["dst"],
            "198.51.100.0/24"
        );
        assert_eq!(eyes::route_details("-4", "1011"), json!([]));
    });
}
