// SPDX-License-Identifier: Apache-2.0

//! VLAN.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::json;

use crate::support::{index, reverted};

#[test]
fn comes_changes_and_goes() {
    run(|| {
        if !needs_kinds(&["vlan"]) {
            return;
        }
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: v1, type: veth, veth: {peer: p1}}
- {name: p1, type: veth, veth: {peer: v1}}
- name: v1.5
  type: vlan
  vlan:
    base-iface: v1
    id: 5
    protocol: 802.1ad
    registration-protocol: mvrp
    reorder-headers: false
    loose-binding: true
    ingress-qos-map: [{from: 1, to: 3}, {from: 2, to: 4}]
    egress-qos-map: [{from: 9, to: 7}]
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
",
        );
        let flags = json!(["MVRP", "LOOSE_BINDING"]);
        let data = json!({
            "id": 5, "protocol": "802.1ad", "flags": flags,
            "ingress_qos": [{"from": 1, "to": 3}, {"from": 2, "to": 4}],
            "egress_qos": [{"from": 9, "to": 7}],
        });
        let kind = json!({"info_kind": "vlan", "info_data": data});
        assert_link("v1.5", &json!({"link": "v1", "linkinfo": kind}));

        let number = index("v1.5");
        let state = "
interfaces:
- name: v1.5
  vlan:
    registration-protocol: gvrp
    reorder-headers: true
    loose-binding: false
    ingress-qos-map: [{from: 2, to: 5}]
    egress-qos-map: []
";
        let _ = reverted(&system, &format!("{state}{}", check::fails_last("p1")));
        check::apply(&system, state);
        let data = json!({
            "flags": ["REORDER_HDR", "GVRP"], "ingress_qos": [{"from": 2, "to": 5}],
        });
        let kind = json!({"info_data": data});
        assert_link("v1.5", &json!({"ifindex": number, "linkinfo": kind}));
        assert_eq!(
            eyes::link("v1.5")["linkinfo"]["info_data"]["egress_qos"],
            json!(null)
        );

        check::apply(&system, "interfaces: [{name: v1.5, vlan: {id: 6}}]");
        let kind = json!({"info_data": {"id": 6, "flags": ["REORDER_HDR", "GVRP"]}});
        assert_link("v1.5", &json!({"linkinfo": kind}));
        assert_eq!(eyes::addresses("v1.5"), ["192.0.2.1/24"]);

        check::apply(&system, "interfaces: [{name: v1.5, state: absent}]");
        assert_eq!(eyes::link("v1.5"), json!(null));
    });
}
