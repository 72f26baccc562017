// SPDX-License-Identifier: Apache-2.0

//! Each type of interface and each common property: `ip -j -d` agrees, and a second apply changes nothing.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use serde_json::json;

#[test]
fn spare_queues_of_a_veth() {
    run(|| {
        let system = System::start();
        // As the kernel does it by itself: none to spare where there is one processor.
        ip(&["link", "add", "k1", "type", "veth", "peer", "name", "k2"]);
        let queues = |name: &str| {
            let link = eyes::link(name);
            (link["num_tx_queues"].clone(), link["num_rx_queues"].clone())
        };
        check::apply(
            &system,
            "
interfaces:
- {name: v1, type: veth, veth: {peer: v2, spare-queues: true}}
- {name: v2, type: veth, veth: {peer: v1}}
- {name: v3, type: veth, veth: {peer: v4, spare-queues: true}}
",
        );
        let one = (json!(1), json!(1));
        for (name, expected) in [
            ("v1", queues("k1")),
            ("v2", one.clone()),
            ("v3", queues("k1")),
            ("v4", one.clone()),
        ] {
            assert_eq!(queues(name), expected, "{name}");
        }
        // A pair of somebody else that comes back is as it was; one that is there stays as it is.
        let revert = system.ctl_with(&["gr", "-"], "interfaces: [{name: k1, state: absent}]");
        let revert = revert.ok().out;
        assert_eq!(revert.contains("spare-queues: true"), queues("k1") != one);
        let before = queues("k1");
        system.apply("interfaces: [{name: k1, state: absent}]").ok();
        system.apply(&revert).ok();
        assert_eq!((queues("k1"), queues("k2")), (before.clone(), before));
        system
            .apply("interfaces: [{name: v2, veth: {spare-queues: true}}]")
            .ok();
        assert_eq!(queues("v2"), one);
    });
}

#[test]
fn veth_pair() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: v1
  type: veth
  mtu: 1400
  mac-address: 02:00:00:00:00:01
  description: to the other end
  alt-names:
  - name: uplink
  - name: a-name-of-more-than-fifteen-bytes
  veth:
    peer: v2
- name: v2
  type: veth
  mtu: 1300
  mac-address: 02:00:00:00:00:02
  veth:
    peer: v1
",
        );
        assert_link(
            "v1",
            &json!({
                "link": "v2", "mtu": 1400, "address": "02:00:00:00:00:01", "ifalias": "to the other end",
                "operstate": "UP", "linkinfo": {"info_kind": "veth"},
                "altnames": ["uplink", "a-name-of-more-than-fifteen-bytes"],
                "num_tx_queues": 1, "num_rx_queues": 1,
            }),
        );
        assert_link(
            "v2",
            &json!({
                "link": "v1", "mtu": 1300, "address": "02:00:00:00:00:02", "operstate": "UP",
                "num_tx_queues": 1, "num_rx_queues": 1,
            }),
        );

        check::apply(
            &system,
            "interfaces: [{name: v1, alt-names: [{name: uplink, state: absent}], description: ''}]",
        );
        let link = eyes::link("v1");
        assert_eq!(
            link["altnames"],
            json!(["a-name-of-more-than-fifteen-bytes"])
        );
        assert_eq!(link["ifalias"], json!(null));

        check::apply(&system, "interfaces: [{name: v1, state: absent}]");
        assert_eq!(
            (eyes::link("v1"), eyes::link("v2")),
            (json!(null), json!(null))
        );
        check::round_trip(&system);
    });
}

#[test]
fn link_that_is_there_already() {
    run(|| {
        ip(&["link", "add", "v1", "type", "veth", "peer", "name", "v2"]);
        let system = System::start();
        // nmstate's users write ethernet for a veth.
        let state =
            "interfaces: [{name: v1, type: ethernet, mtu: 1400, mac-address: '02:00:00:00:00:11'}]";
        check::apply(&system, state);
        let expected =
            json!({"mtu": 1400, "address": "02:00:00:00:00:11", "linkinfo": {"info_kind": "veth"}});
        assert_link("v1", &expected);
        assert!(
            eyes::link("v1")["flags"]
                .as_array()
                .expect("flags")
                .contains(&json!("UP"))
        );
        assert_eq!(eyes::link("v2")["mtu"], 1500);
        check::round_trip(&system);
    });
}

#[test]
fn vxlan() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: v1
  type: veth
  veth: {peer: v2}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
- name: vx1
  type: vxlan
  mtu: 1400
  vxlan:
    id: 4242
    base-iface: v1
    local: 192.0.2.1
    remote: 239.1.1.1
    destination-port: 8472
    learning: false
- name: vx2
  type: vxlan
  vxlan: {id: 7, remote: '2001:db8::2', local: '2001:db8::1'}
",
        );
        assert_link(
            "vx1",
            &json!({"mtu": 1400, "linkinfo": {"info_kind": "vxlan", "info_data": {
                "id": 4242, "link": "v1", "local": "192.0.2.1", "group": "239.1.1.1", "port": 8472, "learning": false,
            }}}),
        );
        // nmstate's default port, which is not the kernel's.
        let second = json!({"id": 7, "remote6": "2001:db8::2", "local6": "2001:db8::1", "port": 4789, "learning": true});
        assert_link("vx2", &json!({"linkinfo": {"info_data": second}}));

        // Neither the identifier nor the port can be changed in place: the link is created anew, and keeps the rest.
        ip(&["address", "add", "198.51.100.7/24", "dev", "vx1"]);
        check::apply(
            &system,
            "interfaces: [{name: vx1, type: vxlan, vxlan: {id: 4243}}]",
        );
        assert_link(
            "vx1",
            &json!({"mtu": 1400, "linkinfo": {"info_data": {"id": 4243, "link": "v1", "port": 8472, "learning": false}}}),
        );
        assert_eq!(eyes::addresses("vx1"), ["198.51.100.7/24"]);
        check::round_trip(&system);
    });
}

#[test]
fn mac_vlan_and_mac_vtap() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: v1, type: veth, veth: {peer: v2}}
- {name: v3, type: veth, veth: {peer: v4}}
- name: mv1
  type: mac-vlan
  mac-address: 02:00:00:00:00:21
  mac-vlan: {base-iface: v1, mode: bridge}
- name: mv2
  type: mac-vlan
  mac-vlan: {base-iface: v1, mode: private}
- name: mt1
  type: mac-vtap
  mtu: 1400
  mac-vtap: {base-iface: v2, mode: vepa}
- name: mt2
  type: mac-vtap
  mac-vtap: {base-iface: v3, mode: passthru, promiscuous: false}
",
        );
        let kind = |kind: &str, mode: &str| json!({"info_kind": kind, "info_data": {"mode": mode}});
        assert_link(
            "mv1",
            &json!({"link": "v1", "address": "02:00:00:00:00:21", "linkinfo": kind("macvlan", "bridge")}),
        );
        assert_link(
            "mv2",
            &json!({"link": "v1", "linkinfo": kind("macvlan", "private")}),
        );
        assert_link(
            "mt1",
            &json!({"link": "v2", "mtu": 1400, "linkinfo": kind("macvtap", "vepa")}),
        );
        assert_link(
            "mt2",
            &json!({"link": "v3", "linkinfo": kind("macvtap", "passthru")}),
        );
        assert_link(
            "mt2",
            &json!({"linkinfo": {"info_data": {"nopromisc": true}}}),
        );

        check::apply(&system, "interfaces: [{name: mv2, mac-vlan: {mode: vepa}}]");
        assert_link("mv2", &json!({"linkinfo": kind("macvlan", "vepa")}));
        check::apply(
            &system,
            "
interfaces:
- {name: mt2, state: absent}
- {name: mv3, type: mac-vlan, mac-vlan: {base-iface: v3, mode: passthru, promiscuous: false}}
",
        );
        let quiet =
            json!({"info_kind": "macvlan", "info_data": {"mode": "passthru", "nopromisc": true}});
        assert_link("mv3", &json!({"link": "v3", "linkinfo": quiet}));
        check::round_trip(&system);
    });
}

#[test]
fn passthru_has_the_address_of_its_base() {
    run(|| {
        let mut system = System::start();
        let pair = "{name: v1, type: veth, mac-address: '02:00:00:00:00:31', veth: {peer: v2}}";
        check::apply(&system, &format!("interfaces: [{pair}]"));
        let kinds = [("mac-vlan", "mp1"), ("mac-vtap", "mp2")];
        let link = |(kind, name): (&str, &str), address: &str| {
            format!(
                "{{name: {name}, type: {kind}, mac-address: '{address}', {kind}: {{base-iface: v1, mode: passthru}}}}"
            )
        };
        for new in kinds {
            let other = link(new, "02:00:00:00:00:32");
            let error = check::refused(&system, &format!("interfaces: [{other}]"));
            assert!(
                error.contains("address of the interface below (02:00:00:00:00:31)"),
                "{error}"
            );
            let same = link(new, "02:00:00:00:00:31");
            check::apply(&system, &format!("interfaces: [{same}]"));
            // It follows its base, also when that is remembered otherwise.
            let base = "{name: v1, mac-address: '02:00:00:00:00:33'}";
            check::apply(&system, &format!("interfaces: [{base}]"));
            system.stop_daemon();
            system.start_daemon();
            for name in ["v1", new.1] {
                assert_link(name, &json!({"address": "02:00:00:00:00:33"}));
            }
            let status = system.ctl(&["status"]);
            assert_eq!(status.code, 0, "{}{}", status.out, status.err);
            let gone = format!("{{name: {}, state: absent}}", new.1);
            check::apply(&system, &format!("interfaces: [{pair}, {gone}]"));
            check::no_errors(&system);
        }
    });
}

#[test]
fn loopback() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: lo
  type: loopback
  mtu: 16384
  ipv4: {address: [{ip: 127.0.0.1, prefix-length: 8}, {ip: 198.51.100.1, prefix-length: 32}]}
  ipv6: {address: [{ip: '::1', prefix-length: 128}, {ip: '2001:db8::1', prefix-length: 128}]}
",
        );
        assert_link(
            "lo",
            &json!({"mtu": 16384, "flags": ["LOOPBACK", "UP", "LOWER_UP"]}),
        );
        let mut addresses = eyes::addresses("lo");
        addresses.sort();
        assert_eq!(
            addresses,
            [
                "127.0.0.1/8",
                "198.51.100.1/32",
                "2001:db8::1/128",
                "::1/128"
            ]
        );
        check::round_trip(&system);
    });
}
