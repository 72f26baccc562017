// SPDX-License-Identifier: Apache-2.0

//! Addresses, IPv6 switches and routes: `ip -j -d` and `/proc` agree, and a second apply changes nothing.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_includes, assert_link, ipv6_switch};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use serde_json::json;

const PAIR: &str = "{name: v1, type: veth, veth: {peer: v2}}, {name: v2, type: veth}";

#[test]
fn addresses() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: v1
  type: veth
  veth: {peer: v2}
  ipv4:
    address:
    - {ip: 192.0.2.1, prefix-length: 24}
    - {ip: 192.0.2.2, prefix-length: 24}
    - {ip: 198.51.100.1, prefix-length: 32}
  ipv6:
    address:
    - {ip: '2001:db8::1', prefix-length: 64}
    - {ip: '2001:db8:1::1', prefix-length: 127}
- {name: v2, type: veth}
",
        );
        let ipv4 = |local: &str, length: u8, secondary: bool| {
            let mut address =
                json!({"family": "inet", "local": local, "prefixlen": length, "scope": "global"});
            if secondary {
                address["secondary"] = json!(true);
            }
            address
        };
        let details = eyes::address_details("v1");
        let of_family = |family: &str| {
            let list = details.as_array().expect("a list").iter();
            list.filter(|address| address["family"] == family)
                .cloned()
                .collect::<serde_json::Value>()
        };
        let expected = json!([
            ipv4("192.0.2.1", 24, false),
            ipv4("198.51.100.1", 32, false),
            ipv4("192.0.2.2", 24, true)
        ]);
        assert_includes("v1 IPv4", &of_family("inet"), &expected);
        let mut known: Vec<String> = eyes::addresses("v1")
            .into_iter()
            .filter(|address| address.contains(':'))
            .collect();
        known.sort();
        assert_eq!(known, ["2001:db8:1::1/127", "2001:db8::1/64"]);
        let forever = of_family("inet6")
            .as_array()
            .expect("a list")
            .iter()
            .all(|address| address["valid_life_time"] == 4_294_967_295_u32);
        assert!(forever, "{details}");

        // The list replaces the one before, in its order.
        check::apply(
            &system,
            "interfaces: [{name: v1, ipv4: {address: [{ip: 192.0.2.2, prefix-length: 24}]}, ipv6: {address: []}}]",
        );
        assert_eq!(eyes::addresses("v1"), ["192.0.2.2/24"]);
        // What is written of life times, as in nmstate's output, means nothing.
        check::apply(
            &system,
            "interfaces: [{name: v1, ipv4: {address: [{ip: 192.0.2.2, prefix-length: 24, valid-left: 90sec, preferred-lft: 5},
             {ip: 192.0.2.3, prefix-length: 24, valid-life-time: forever}]}}]",
        );
        let details = eyes::address_details("v1");
        let mut all = details.as_array().expect("a list").iter();
        assert!(all.all(|address| address["valid_life_time"] == 4_294_967_295_u32));
        check::apply(&system, "interfaces: [{name: v1, ipv4: {enabled: false}}]");
        assert_eq!(eyes::addresses("v1"), Vec::<String>::new());
        check::round_trip(&system);
    });
}

/// By default others may add what they like. Who forbids that gets exactly what is listed, and the kernel's own.
#[test]
fn addresses_of_others() {
    run(|| {
        let system = System::start();
        let of = |ipv4: &str, ipv6: &str| {
            format!(
                "interfaces: [{PAIR}, {{name: v1, ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}]{ipv4}}}, ipv6: {{address: [{{ip: '2001:db8::1', prefix-length: 64}}]{ipv6}}}}}]"
            )
            .replace("{name: v1, type: veth, veth: {peer: v2}}, ", "")
        };
        let pair = format!("interfaces: [{PAIR}]");
        check::apply(&system, &pair);
        check::apply(&system, &of("", ""));
        for address in ["192.0.2.9/24", "2001:db8::9/64"] {
            ip(&["address", "add", address, "dev", "v1", "nodad"]);
        }
        let ours_and_others = [
            "192.0.2.1/24",
            "192.0.2.9/24",
            "2001:db8::1/64",
            "2001:db8::9/64",
        ];
        let global = || {
            let mut addresses = eyes::addresses("v1");
            addresses.sort();
            addresses
        };
        assert_eq!(global(), ours_and_others);
        check::apply(
            &system,
            &of(", allow-extra-address: true", ", allow-extra-address: true"),
        );
        assert_eq!(global(), ours_and_others);

        check::apply(&system, &of(", allow-extra-address: false", ""));
        assert_eq!(
            global(),
            ["192.0.2.1/24", "2001:db8::1/64", "2001:db8::9/64"]
        );
        check::apply(&system, &of("", ", allow-extra-address: false"));
        assert_eq!(global(), ["192.0.2.1/24", "2001:db8::1/64"]);
        let link_local = ip(&["-o", "-6", "address", "show", "dev", "v1", "scope", "link"]);
        assert!(link_local.contains("fe80:"), "the kernel's own stays");
    });
}

#[test]
fn ipv6_switches() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            &format!(
                "interfaces: [{PAIR}, {{name: br0, type: linux-bridge, ipv6: {{enabled: false}}}}]"
            ),
        );
        assert_eq!(ipv6_switch("br0", "disable_ipv6"), "1");
        assert_eq!(ipv6_switch("v1", "disable_ipv6"), "0");

        check::apply(
            &system,
            "interfaces: [{name: v1, ipv6: {autoconf: false}}, {name: v2, ipv6: {enabled: false}}]",
        );
        assert_eq!(
            (
                ipv6_switch("v1", "autoconf"),
                ipv6_switch("v1", "accept_ra")
            ),
            ("0".into(), "0".into())
        );
        assert_eq!(ipv6_switch("v2", "disable_ipv6"), "1");
        assert!(!ip(&["-6", "address", "show", "dev", "v2"]).contains("fe80"));

        let addresses = "address: [{ip: '2001:db8::2', prefix-length: 64}]";
        check::apply(
            &system,
            &format!(
                "interfaces: [{{name: v1, ipv6: {{autoconf: true}}}}, {{name: v2, ipv6: {{{addresses}}}}}]"
            ),
        );
        assert_eq!(ipv6_switch("v1", "autoconf"), "1");
        assert_ne!(ipv6_switch("v1", "accept_ra"), "0");
        assert_eq!(ipv6_switch("v2", "disable_ipv6"), "0");
        assert_eq!(eyes::addresses("v2"), ["2001:db8::2/64"]);
        check::round_trip(&system);
    });
}

#[test]
fn routes() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: v1
  type: veth
  veth: {peer: v2}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}, {ip: 192.0.2.9, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
- {name: v2, type: veth}
routes:
  config:
  - {destination: 0.0.0.0/0, next-hop-interface: v1, next-hop-address: 192.0.2.254, metric: 50}
  - {destination: 198.51.100.0/24, next-hop-interface: v1, next-hop-address: 192.0.2.253, source: 192.0.2.9}
  - {destination: 203.0.113.0/24, next-hop-interface: v1, table-id: 100}
  - {destination: 0.0.0.0/0, next-hop-interface: v1, next-hop-address: 203.0.113.1, table-id: 100, metric: 7}
  - {destination: '::/0', next-hop-interface: v1, next-hop-address: '2001:db8::ff'}
  - {destination: '2001:db8:2::/48', next-hop-interface: v1, next-hop-address: 'fe80::1', metric: 300, table-id: 5000}
",
        );
        let main = json!([
            {"dst": "default", "gateway": "192.0.2.254", "dev": "v1", "metric": 50, "protocol": "110"},
            {"dst": "198.51.100.0/24", "gateway": "192.0.2.253", "dev": "v1", "prefsrc": "192.0.2.9", "protocol": "110"},
        ]);
        assert_includes("IPv4 main", &eyes::route_details("-4", "main"), &main);
        let other = json!([
            {"dst": "default", "gateway": "203.0.113.1", "dev": "v1", "metric": 7, "protocol": "110"},
            {"dst": "203.0.113.0/24", "dev": "v1", "scope": "link", "protocol": "110"},
        ]);
        assert_includes("IPv4 100", &eyes::route_details("-4", "100"), &other);
        let main = json!([{"dst": "default", "gateway": "2001:db8::ff", "dev": "v1", "metric": 1024, "protocol": "110"}]);
        assert_includes("IPv6 main", &eyes::route_details("-6", "main"), &main);
        let other = json!([{"dst": "2001:db8:2::/48", "gateway": "fe80::1", "dev": "v1", "metric": 300, "protocol": "110"}]);
        assert_includes("IPv6 5000", &eyes::route_details("-6", "5000"), &other);

        // A new entry comes in addition; an absent one removes all that it matches, and only these.
        check::apply(
            &system,
            "
routes:
  config:
  - {destination: 198.18.0.0/15, next-hop-interface: v1, next-hop-address: 192.0.2.254}
  - {state: absent, next-hop-interface: v1, table-id: 100}
  - {state: absent, destination: '::/0'}
",
        );
        let destinations = |family: &str, table: &str| {
            let routes = eyes::route_details(family, table);
            let list = routes.as_array().expect("a list").iter();
            list.filter_map(|route| route["dst"].as_str().map(str::to_string))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            destinations("-4", "main"),
            ["default", "198.18.0.0/15", "198.51.100.0/24"]
        );
        assert_eq!(destinations("-4", "100"), Vec::<String>::new());
        assert_eq!(destinations("-6", "main"), Vec::<String>::new());
        assert_eq!(destinations("-6", "5000"), ["2001:db8:2::/48"]);
        check::round_trip(&system);
    });
}

#[test]
fn a_stack_in_one_file_in_any_order() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-interface: mv1, next-hop-address: 192.0.2.254}
interfaces:
- {name: mv1, type: mac-vlan, mac-vlan: {base-iface: br0, mode: bridge}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}
- {name: vx1, type: vxlan, controller: br0, vxlan: {id: 9, base-iface: v9, remote: 203.0.113.2}}
- {name: br0, type: linux-bridge}
- {name: v9, type: veth, mtu: 1600, ipv4: {address: [{ip: 203.0.113.1, prefix-length: 24}]}}
- {name: v8, type: veth, controller: br0, veth: {peer: v9}}
",
        );
        assert_link(
            "vx1",
            &json!({"master": "br0", "linkinfo": {"info_data": {"link": "v9"}}}),
        );
        assert_link("v8", &json!({"master": "br0", "link": "v9"}));
        assert_link("v9", &json!({"mtu": 1600}));
        assert_link("mv1", &json!({"link": "br0"}));
        assert_eq!(eyes::routes(), ["198.51.100.0/24 via 192.0.2.254 dev mv1"]);
        check::round_trip(&system);
        // All of it goes by one file as well, whatever goes with what.
        let absent = |name: &str| format!("{{name: {name}, state: absent}}");
        let all: Vec<String> = ["br0", "v8", "mv1", "vx1"].map(absent).into();
        check::apply(&system, &format!("interfaces: [{}]", all.join(", ")));
        assert_eq!(ip(&["-o", "link"]).lines().count(), 1);
    });
}
