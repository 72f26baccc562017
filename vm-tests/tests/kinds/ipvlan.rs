// SPDX-License-Identifier: Apache-2.0

//! IPVLAN.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::{Value, json};

const BASES: &str = "
interfaces:
- {name: v1, type: veth, veth: {peer: v2}}
- {name: v2, type: veth}
";

/// Flags have no value in JSON.
fn assert_ipvlan(name: &str, mode: &str) {
    let shown = ip(&["-d", "link", "show", name]);
    assert!(shown.contains(&format!("ipvlan  mode {mode} ")), "{shown}");
}

#[test]
fn created_changed_removed() {
    run(|| {
        if !needs_kinds(&["ipvlan"]) {
            return;
        }
        let system = System::start();
        check::apply(&system, BASES);
        let report = check::apply(
            &system,
            "
interfaces:
- name: iv0
  type: ipvlan
  ipvlan: {base-iface: v1, mode: l2, private: true}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
",
        );
        assert_eq!(report["changes"][0], "create ipvlan iv0");
        assert_link(
            "iv0",
            &json!({"link": "v1", "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]}),
        );
        assert_ipvlan("iv0", "l2 private");

        // Each key alone, the others stay.
        let index = eyes::link("iv0")["ifindex"].clone();
        check::apply(&system, "interfaces: [{name: iv0, ipvlan: {mode: l3s}}]");
        assert_ipvlan("iv0", "l3s private");
        check::apply(
            &system,
            "interfaces: [{name: iv0, ipvlan: {private: false, vepa: true}}]",
        );
        assert_ipvlan("iv0", "l3s vepa");
        assert_eq!(eyes::link("iv0")["ifindex"], index);

        // Another base: created anew, with its address.
        check::apply(
            &system,
            "interfaces: [{name: iv0, ipvlan: {base-iface: v2}}]",
        );
        assert_link(
            "iv0",
            &json!({"link": "v2", "address": eyes::link("v2")["address"]}),
        );
        assert_ipvlan("iv0", "l3s vepa");
        assert_eq!(eyes::addresses("iv0"), ["192.0.2.1/24"]);

        check::apply(&system, "interfaces: [{name: iv0, state: absent}]");
        assert_eq!(eyes::link("iv0"), Value::Null);
        check::round_trip(&system);
    });
}

#[test]
fn all_over_one_base_are_alike() {
    run(|| {
        if !needs_kinds(&["ipvlan"]) {
            return;
        }
        let system = System::start();
        check::apply(&system, BASES);
        check::apply(
            &system,
            "
interfaces:
- {name: iv0, type: ipvlan, ipvlan: {base-iface: v1, mode: l2}}
- {name: iv1, type: ipvlan, ipvlan: {base-iface: v1, mode: l2}}
",
        );
        let said = check::refused(
            &system,
            "
interfaces:
- {name: iv0, ipvlan: {mode: l3}}
- {name: iv1, ipvlan: {mode: l2}}
",
        );
        assert!(said.contains("iv1 and iv0 have the same base v1"), "{said}");
        check::apply(
            &system,
            "
interfaces:
- {name: iv0, ipvlan: {mode: l3}}
- {name: iv1, ipvlan: {mode: l3}}
",
        );
        for name in ["iv0", "iv1"] {
            assert_link(name, &json!({"linkinfo": {"info_data": {"mode": "l3"}}}));
        }
    });
}
