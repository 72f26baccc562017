// SPDX-License-Identifier: Apache-2.0

//! Bridges, their options and their ports: `ip -j -d` agrees, and a second apply changes nothing.

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
fn bridge_with_ports() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: br0
  type: linux-bridge
  mtu: 1450
  mac-address: 02:00:00:00:00:10
  ipv4:
    address: [{ip: 192.0.2.1, prefix-length: 24}]
  bridge:
    port:
    - name: p1
      stp-hairpin-mode: true
      stp-path-cost: 37
      stp-priority: 9
    - name: p2
- {name: p1, type: veth, mtu: 1450, veth: {peer: q1}}
- {name: p2, type: veth, mtu: 1450, veth: {peer: q2}}
- {name: p3, type: veth, mtu: 1450, veth: {peer: q3}, controller: br1}
- {name: q1, type: veth}
- {name: q2, type: veth}
- {name: q3, type: veth}
- {name: br1, type: linux-bridge}
",
        );
        assert_link(
            "br0",
            &json!({"mtu": 1450, "address": "02:00:00:00:00:10", "linkinfo": {"info_kind": "bridge"}}),
        );
        assert_eq!(eyes::addresses("br0"), ["192.0.2.1/24"]);
        let of_port = json!({"cost": 37, "priority": 9, "hairpin": true, "state": "forwarding"});
        assert_link(
            "p1",
            &json!({"master": "br0", "linkinfo": {"info_slave_kind": "bridge", "info_slave_data": of_port}}),
        );
        assert_link(
            "p2",
            &json!({"master": "br0", "linkinfo": {"info_slave_data": {"hairpin": false, "priority": 32}}}),
        );
        assert_link("p3", &json!({"master": "br1"}));

        check::apply(
            &system,
            "interfaces: [{name: p3, controller: br1}, {name: p2, controller: ''}]",
        );
        assert_eq!(eyes::link("p2")["master"], json!(null));
        check::apply(
            &system,
            "interfaces: [{name: br0, bridge: {port: [{name: p2, stp-path-cost: 5}]}}]",
        );
        assert_link(
            "p2",
            &json!({"master": "br0", "linkinfo": {"info_slave_data": {"cost": 5}}}),
        );
        assert_eq!(eyes::link("p1")["master"], json!(null));
        check::round_trip(&system);
    });
}

#[test]
fn bridge_options() {
    run(|| {
        let system = System::start();
        let state = "
interfaces:
- name: br0
  type: linux-bridge
  bridge:
    options:
      group-addr: 01:80:C2:00:00:0E
      group-fwd-mask: 16400
      hash-max: 1024
      mac-ageing-time: 120
      multicast-last-member-count: 3
      multicast-last-member-interval: 200
      multicast-membership-interval: 25000
      multicast-querier: true
      multicast-querier-interval: 24000
      multicast-query-interval: 12000
      multicast-query-response-interval: 900
      multicast-query-use-ifaddr: true
      multicast-router: enabled
      multicast-snooping: true
      multicast-startup-query-count: 4
      multicast-startup-query-interval: 3000
      stp:
        enabled: true
        forward-delay: 16
        hello-time: 3
        max-age: 21
        priority: 12288
";
        check::apply(&system, state);
        let expected = json!({
            "group_addr": "01:80:c2:00:00:0e", "group_fwd_mask": "0x4010", "mcast_hash_max": 1024,
            "ageing_time": 12000, "mcast_last_member_cnt": 3, "mcast_last_member_intvl": 200,
            "mcast_membership_intvl": 25000, "mcast_querier": 1, "mcast_querier_intvl": 24000,
            "mcast_query_intvl": 12000, "mcast_query_response_intvl": 900, "mcast_query_use_ifaddr": 1,
            "mcast_router": 2, "mcast_snooping": 1, "mcast_startup_query_cnt": 4,
            "mcast_startup_query_intvl": 3000, "stp_state": 1, "forward_delay": 1600, "hello_time": 300, "max_age": 2100, "priority": 12288,
        });
        assert_link("br0", &json!({"linkinfo": {"info_data": expected}}));

        // What a second file doesn't name stays.
        let second = "{name: br0, bridge: {options: {multicast-router: disabled, mac-ageing-time: 60, stp: {max-age: 30}}}}";
        check::apply(&system, &format!("interfaces: [{second}]"));
        let mut expected = expected;
        expected["mcast_router"] = json!(0);
        expected["ageing_time"] = json!(6000);
        expected["max_age"] = json!(3000);
        assert_link("br0", &json!({"linkinfo": {"info_data": expected}}));
        check::round_trip(&system);
    });
}

#[test]
fn bridge_options_that_need_vlan_filtering() {
    run(|| {
        ip(&["link", "add", "probe", "type", "bridge"]);
        let info = &eyes::link("probe")["linkinfo"]["info_data"];
        ip(&["link", "delete", "probe"]);
        let system = System::start();
        let options = "{vlan-protocol: 802.1ad, vlan-default-pvid: 7}";
        let state = format!(
            "interfaces: [{{name: br0, type: linux-bridge, bridge: {{options: {options}}}}}]"
        );
        if info.get("vlan_protocol").is_some() {
            check::apply(&system, &state);
            let expected = json!({"vlan_protocol": "802.1ad", "vlan_default_pvid": 7});
            assert_link("br0", &json!({"linkinfo": {"info_data": expected}}));
        } else {
            // A kernel built without it would take the options and forget them.
            let refusal = check::refused(&system, &state);
            let what = "create linux-bridge br0: the kernel has no VLAN filtering of bridges";
            assert!(refusal.contains(what), "{refusal}");
        }
    });
}

#[test]
fn ports_of_others_and_a_copied_address() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: br0, type: linux-bridge, copy-mac-from: v0, bridge: {port: [{name: v0}]}}
- {name: v0, type: veth, mac-address: '02:00:00:00:00:77', veth: {peer: v1}}
",
        );
        assert_link("br0", &json!({"address": "02:00:00:00:00:77"}));
        ip(&["link", "add", "x0", "type", "veth", "peer", "name", "x1"]);
        ip(&["link", "set", "x0", "master", "br0"]);
        let list = "interfaces: [{name: br0, bridge: {port: [{name: v0}]}}]";
        check::apply(&system, list);
        assert_link("x0", &json!({"master": "br0"}));

        check::apply(
            &system,
            "interfaces: [{name: br0, bridge: {allow-extra-ports: false, port: [{name: v0}]}}]",
        );
        assert_eq!(eyes::link("x0")["master"], json!(null));
        assert_link("v0", &json!({"master": "br0"}));

        // An address that is written takes the place of one that is copied.
        check::apply(
            &system,
            "interfaces: [{name: br0, mac-address: '02:00:00:00:00:78'}]",
        );
        assert_link("br0", &json!({"address": "02:00:00:00:00:78"}));
        assert!(!system.saved().contains("copy-mac-from"));
    });
}

#[test]
fn a_bridge_keeps_what_it_had_from_a_port() {
    run(|| {
        ip(&["link", "add", "br0", "type", "bridge"]);
        let address = "02:00:00:00:00:79";
        ip(&[
            "link", "add", "v0", "mtu", "1400", "address", address, "type", "veth", "peer", "name",
            "v1",
        ]);
        ip(&["link", "set", "v0", "master", "br0"]);
        let kept = json!({"mtu": 1400, "address": address});
        assert_link("br0", &kept);
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: br0, type: linux-bridge, mtu: 1400, mac-address: '02:00:00:00:00:79'}
- {name: br1, type: linux-bridge, bridge: {port: [{name: v0}]}}
",
        );
        assert_link("br0", &kept);
        // It is its own now.
        ip(&["link", "set", "v1", "mtu", "1300", "master", "br0"]);
        assert_link("br0", &kept);
    });
}
