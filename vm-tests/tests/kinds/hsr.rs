// SPDX-License-Identifier: Apache-2.0

//! HSR and PRP. Neither can be changed in place; Linux 6.1 has no interlink.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::{Value, json};

/// What iproute2 says of a ring over `v0` and `v1`.
fn ring(supervision_address: &str, protocol: u8) -> Value {
    let data = json!({
        "slave1": "v0", "slave2": "v1", "supervision_addr": supervision_address, "proto": protocol
    });
    json!({"linkinfo": {"info_kind": "hsr", "info_data": data}})
}

#[test]
fn created_changed_removed() {
    run(|| {
        if !needs_kinds(&["hsr"]) {
            return;
        }
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: v0, type: veth, mac-address: '02:00:00:00:00:01', veth: {peer: w0}}
- {name: v1, type: veth, veth: {peer: w1}}
- {name: w0, type: veth}
- {name: w1, type: veth}
- name: h0
  type: hsr
  hsr: {port1: v0, port2: v1, multicast-spec: 7, protocol: hsr-2012}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
",
        );
        assert_link("h0", &ring("01:15:4e:00:01:07", 0));
        let shown = system.ctl(&["show", "h0", "-o", "json"]).ok().json();
        let expected = json!({
            "port1": "v0", "port2": "v1", "multicast-spec": 7, "protocol": "hsr",
            "supervision-address": "01:15:4E:00:01:07",
        });
        assert_eq!(shown["interfaces"][0]["hsr"], expected);

        let change = "interfaces: [{name: h0, hsr: {multicast-spec: 9, protocol: prp}}]";
        let before = eyes::settled();
        let fails = check::fails_last("h0");
        let answer = system.apply(&format!("{change}{fails}")).refused();
        assert!(answer.contains("add route"), "{answer}");
        eyes::assert_same(&before, &eyes::settled(), &answer);

        let index = eyes::link("h0")["ifindex"].clone();
        check::apply(&system, change);
        assert_link("h0", &ring("01:15:4e:00:01:09", 1));
        assert_ne!(eyes::link("h0")["ifindex"], index);
        assert_eq!(eyes::addresses("h0"), ["192.0.2.1/24"]);

        check::apply(&system, "interfaces: [{name: h0, state: absent}]");
        assert_eq!(eyes::link("h0"), Value::Null);
    });
}
