// SPDX-License-Identifier: Apache-2.0

//! MACsec: the device.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::{Value, json};

#[test]
fn created_changed_removed() {
    run(|| {
        if !needs_kinds(&["macsec"]) {
            return;
        }
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: v1, type: veth, mac-address: '02:00:00:00:00:01', veth: {peer: v2}}
- {name: v2, type: veth}
- {name: m0, type: macsec, macsec: {base-iface: v1, encrypt: true, port: 7}}
",
        );
        let data = |data: &Value| json!({"link": "v1", "linkinfo": {"info_kind": "macsec", "info_data": data}});
        let sci = "0200000000010007";
        assert_link(
            "m0",
            &data(&json!({"sci": sci, "encrypt": true, "validation": "strict", "inc_sci": true})),
        );
        let index = eyes::link("m0")["ifindex"].clone();
        check::apply(
            &system,
            "interfaces: [{name: m0, macsec: {encrypt: false, validation: check, send-sci: false}}]",
        );
        assert_link(
            "m0",
            &data(&json!({"sci": sci, "encrypt": false, "validation": "check", "inc_sci": false})),
        );
        assert_eq!(eyes::link("m0")["ifindex"], index);
        // As nmstate's examples have it: no word about the port.
        check::changes_nothing(&system, "interfaces: [{name: m0, macsec: {port: 0}}]");
        check::apply(&system, "interfaces: [{name: m0, macsec: {port: 8}}]");
        let all = json!({"sci": "0200000000010008", "encrypt": false, "validation": "check", "inc_sci": false});
        assert_link("m0", &data(&all));

        check::apply(&system, "interfaces: [{name: m0, state: absent}]");
        assert_eq!(eyes::link("m0"), Value::Null);
    });
}
