// SPDX-License-Identifier: Apache-2.0

//! VRF.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::json;

use crate::support::reverted;

/// What a port loses on its way into the VRF, out of it, and with the VRF, comes back.
#[test]
fn ports_keep_what_they_have() {
    run(|| {
        if !needs_kinds(&["vrf"]) {
            return;
        }
        let system = System::start();
        system
            .apply(
                "
interfaces:
- name: v1
  type: veth
  veth: {peer: p1}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
- {name: p1, type: veth, veth: {peer: v1}}
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-address: 192.0.2.254, next-hop-interface: v1, table-id: 7}
",
            )
            .ok();
        ip(&["address", "add", "2001:db8:1::1/64", "dev", "v1"]);
        let has_all = || {
            assert_eq!(
                eyes::addresses("v1").len(),
                3,
                "{:?}",
                eyes::addresses("v1")
            );
            assert_eq!(
                eyes::route_details("-4", "7").as_array().map(Vec::len),
                Some(1)
            );
        };
        has_all();

        let state = "interfaces: [{name: vrf7, type: vrf, vrf: {port: [v1], route-table-id: 7}}]";
        let _ = reverted(&system, &format!("{state}{}", check::fails_last("p1")));
        has_all();
        check::apply(&system, state);
        let kind = json!({"info_kind": "vrf", "info_data": {"table": 7}});
        assert_link("vrf7", &json!({"linkinfo": kind}));
        assert_link("v1", &json!({"master": "vrf7"}));
        has_all();

        check::apply(
            &system,
            "interfaces: [{name: vrf7, vrf: {route-table-id: 8}}]",
        );
        let kind = json!({"info_data": {"table": 8}});
        assert_link("vrf7", &json!({"linkinfo": kind}));
        assert_link("v1", &json!({"master": "vrf7"}));
        has_all();

        check::apply(&system, "interfaces: [{name: vrf7, state: absent}]");
        assert_eq!(eyes::link("vrf7"), json!(null));
        has_all();
    });
}
