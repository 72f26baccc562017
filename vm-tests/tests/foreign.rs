// SPDX-License-Identifier: Apache-2.0

//! Links that others made, of every kind, whether Nipart can create it or not: they are shown, their common properties can
//! be set, what is particular to the kind stays untouched.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test support: failing loudly is its way of reporting"
)]

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::{needs_kinds, try_add};
use serde_json::{Value, json};

/// Another program makes a link of this kind; Nipart gives it an address and a description, and takes them away again.
fn passes_through(kind: &str) {
    if !needs_kinds(&[kind]) {
        return;
    }
    ip(&[
        "link",
        "add",
        "base",
        "type",
        "veth",
        "peer",
        "name",
        "kind-base-2",
    ]);
    for link in ["base", "kind-base-2"] {
        ip(&["link", "set", link, "up"]);
    }
    try_add("foreign", kind, "base").expect("the kernel has the kind");
    ip(&["link", "set", "foreign", "up"]);
    let before = own(&eyes::link("foreign"));

    let system = System::start();
    let shown = system.ctl(&["show", "foreign", "-o", "json"]).ok().json();
    // Nipart's word for a kind that it knows, else the kernel's.
    assert!(shown["interfaces"][0]["type"].is_string(), "{shown}");
    check::apply(
        &system,
        "
interfaces:
- name: foreign
  description: not ours
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
",
    );
    assert_link("foreign", &json!({"ifalias": "not ours"}));
    assert_eq!(eyes::addresses("foreign"), ["192.0.2.1/24"]);
    assert_eq!(own(&eyes::link("foreign")), before);

    check::apply(
        &system,
        "interfaces: [{name: foreign, description: '', ipv4: {enabled: false}}]",
    );
    assert_eq!(eyes::addresses("foreign"), Vec::<String>::new());
    let after = eyes::link("foreign");
    assert_eq!(after["ifalias"], json!(null));
    assert_eq!(own(&after), before);
}

/// What is particular to the kind, and what Nipart wasn't asked to change.
fn own(link: &Value) -> Value {
    json!([link["linkinfo"], link["mtu"], link["address"], link["link"]])
}

macro_rules! kinds {
    ($($name:ident $kind:literal;)*) => {$(
        #[test]
        fn $name() {
            run(|| passes_through($kind));
        }
    )*};
}

kinds! {
    bond "bond";
    geneve "geneve";
    gre "gre";
    gretap "gretap";
    ifb "ifb";
    ip6gre "ip6gre";
    ip6tnl "ip6tnl";
    ipip "ipip";
    ipvlan "ipvlan";
    macsec "macsec";
    sit "sit";
    vlan "vlan";
    vrf "vrf";
    wireguard "wireguard";
    xfrm "xfrm";
}
