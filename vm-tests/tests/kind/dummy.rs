// SPDX-License-Identifier: Apache-2.0

//! Dummy.

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
        if !needs_kinds(&["dummy"]) {
            return;
        }
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: d0
  type: dummy
  mtu: 1400
  mac-address: 02:00:00:00:00:0d
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
",
        );
        let kind = json!({"info_kind": "dummy"});
        let expected = json!({"mtu": 1400, "address": "02:00:00:00:00:0d", "linkinfo": kind});
        assert_link("d0", &expected);
        assert_eq!(eyes::addresses("d0"), ["192.0.2.1/24"]);

        let number = index("d0");
        check::apply(&system, "interfaces: [{name: d0, mtu: 9000}]");
        assert_link("d0", &json!({"mtu": 9000, "ifindex": number}));
        check::round_trip(&system);

        let state = format!(
            "interfaces: [{{name: d0, mtu: 1300}}, {{name: d1, type: dummy}}]\n{}",
            check::fails_last("d0")
        );
        let _ = reverted(&system, &state);

        check::apply(&system, "interfaces: [{name: d0, state: absent}]");
        assert_eq!(eyes::link("d0"), json!(null));
    });
}
