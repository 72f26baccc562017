// SPDX-License-Identifier: Apache-2.0

//! Bond, alone and below VLANs, bridges and a VRF.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::{Value, json};

use crate::support::{index, reverted};

const PAIRS: &str = "
interfaces:
- {name: v1, type: veth, veth: {peer: p1}}
- {name: p1, type: veth, veth: {peer: v1}}
- {name: v2, type: veth, veth: {peer: p2}}
- {name: p2, type: veth, veth: {peer: v2}}
";

fn data(name: &str) -> Value {
    eyes::link(name)["linkinfo"]["info_data"].clone()
}

fn is_up(name: &str) -> bool {
    let flags = eyes::link(name)["flags"].clone();
    flags
        .as_array()
        .is_some_and(|flags| flags.contains(&json!("UP")))
}

/// Ports that were up before, options, another mode, a failed change, removal.
#[test]
fn over_links_that_are_there() {
    run(|| {
        if !needs_kinds(&["bond"]) {
            return;
        }
        let system = System::start();
        system.apply(PAIRS).ok();
        check::apply(
            &system,
            "
interfaces:
- name: bond0
  type: bond
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
  link-aggregation:
    mode: active-backup
    port: [v1, v2]
    ports-config: [{name: v1, priority: -3}, {name: v2, priority: 7, queue-id: 2}]
    options: {miimon: 100, updelay: 200, downdelay: 300, primary: v2, primary_reselect: better, num_grat_arp: 3, all_slaves_active: 1}
",
        );
        for (name, priority, queue) in [("v1", -3, 0), ("v2", 7, 2)] {
            let options = json!({"prio": priority, "queue_id": queue});
            let kind = json!({"info_slave_kind": "bond", "info_slave_data": options});
            assert_link(name, &json!({"master": "bond0", "linkinfo": kind}));
            assert!(is_up(name), "{name}");
        }
        let expected = json!({
            "mode": "active-backup", "miimon": 100, "updelay": 200, "downdelay": 300, "primary": "v2",
            "primary_reselect": "better", "num_peer_notif": 3, "all_slaves_active": 1,
        });
        eyes::assert_includes("bond0", &data("bond0"), &expected);

        let number = index("bond0");
        let state = "
interfaces:
- {name: bond0, link-aggregation: {options: {miimon: 50, primary: '', num_grat_arp: 1, fail_over_mac: none}}}
";
        check::apply(&system, state);
        assert_eq!(index("bond0"), number);
        let expected = json!({"miimon": 50, "updelay": 200, "num_peer_notif": 1});
        eyes::assert_includes("bond0", &data("bond0"), &expected);
        assert_eq!(data("bond0")["primary"], json!(null));

        let other_mode = "
interfaces:
- {name: bond0, link-aggregation: {mode: 802.3ad, options: {lacp_rate: fast, xmit_hash_policy: layer3+4}}}
";
        let _ = reverted(&system, &format!("{other_mode}{}", check::fails_last("p1")));
        check::apply(&system, other_mode);
        let expected = json!({"mode": "802.3ad", "ad_lacp_rate": "fast", "xmit_hash_policy": "layer3+4", "updelay": 0});
        eyes::assert_includes("bond0", &data("bond0"), &expected);
        assert_link("v1", &json!({"master": "bond0"}));
        assert_eq!(eyes::addresses("bond0"), ["192.0.2.1/24"]);

        check::apply(&system, "interfaces: [{name: bond0, state: absent}]");
        assert_eq!(eyes::link("bond0"), json!(null));
        assert!(is_up("v1") && is_up("v2"));
    });
}

/// Every mode, with the option that only some have.
#[test]
fn modes() {
    run(|| {
        if !needs_kinds(&["bond"]) {
            return;
        }
        let system = System::start();
        let modes = [
            ("balance-rr", "packets_per_slave: 3"),
            (
                "balance-xor",
                "arp_interval: 500, arp_ip_target: '192.0.2.7,192.0.2.8', arp_validate: all, arp_all_targets: all, arp_missed_max: 4, ns_ip6_target: '2001:db8::7,2001:db8::8'",
            ),
            ("broadcast", "resend_igmp: 5, min_links: 1"),
            (
                "802.3ad",
                "ad_actor_sys_prio: 7, ad_actor_system: '02:00:00:00:00:77', ad_select: count, ad_user_port_key: 9, lacp_active: false",
            ),
            ("balance-tlb", "tlb_dynamic_lb: 0, lp_interval: 3"),
            ("balance-alb", "primary_reselect: failure, use_carrier: yes"),
        ];
        let state: String = modes
            .iter()
            .map(|(mode, options)| format!("- {{name: b-{mode}, type: bond, link-aggregation: {{mode: {mode}, options: {{{options}}}}}}}\n"))
            .collect();
        check::apply(&system, &format!("interfaces:\n{state}"));
        for (mode, _) in modes {
            assert_eq!(data(&format!("b-{mode}"))["mode"], mode);
        }
        let expected = json!({"arp_interval": 500, "arp_ip_target": ["192.0.2.7", "192.0.2.8"], "arp_validate": "all", "arp_all_targets": "all", "arp_missed_max": 4, "ns_ip6_target": ["2001:db8::7", "2001:db8::8"]});
        eyes::assert_includes("xor", &data("b-balance-xor"), &expected);
        let expected = json!({"ad_actor_sys_prio": 7, "ad_actor_system": "02:00:00:00:00:77", "ad_select": "count", "ad_user_port_key": 9});
        eyes::assert_includes("lacp", &data("b-802.3ad"), &expected);
        assert_eq!(data("b-balance-rr")["packets_per_slave"], 3);
    });
}

/// A bond of two, VLANs on it, a bridge on one of these, a VRF: in one file, in any order; then things move.
#[test]
fn below_everything() {
    run(|| {
        if !needs_kinds(&["bond", "vlan", "vrf"]) {
            return;
        }
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- name: vrf7
  type: vrf
  vrf: {port: [br5, bond0.6], route-table-id: 7}
- name: br5
  type: linux-bridge
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8:5::1', prefix-length: 64}]}
  bridge: {port: [{name: bond0.5}]}
- {name: bond0.5, type: vlan, vlan: {base-iface: bond0, id: 5}}
- name: bond0.6
  type: vlan
  vlan: {base-iface: bond0, id: 6}
  ipv6: {address: [{ip: '2001:db8:6::1', prefix-length: 64}]}
- {name: bond0, type: bond, bond: {mode: 1, ports: [v1, v2], options: {miimon: 100}}}
- {name: v1, type: veth, veth: {peer: p1}}
- {name: p1, type: veth, veth: {peer: v1}}
- {name: v2, type: veth, veth: {peer: p2}}
- {name: p2, type: veth, veth: {peer: v2}}
",
        );
        let masters = [
            ("v1", "bond0"),
            ("v2", "bond0"),
            ("bond0.5", "br5"),
            ("br5", "vrf7"),
            ("bond0.6", "vrf7"),
        ];
        for (port, controller) in masters {
            assert_link(port, &json!({"master": controller}));
            assert!(is_up(port), "{port}");
        }
        assert_eq!(eyes::addresses("br5"), ["192.0.2.1/24", "2001:db8:5::1/64"]);

        // Another mode takes down and builds up again all that stands on the bond.
        check::apply(
            &system,
            "interfaces: [{name: bond0, link-aggregation: {mode: balance-xor}}]",
        );
        assert_eq!(data("bond0")["mode"], "balance-xor");
        for (port, controller) in masters {
            assert_link(port, &json!({"master": controller}));
        }
        assert_eq!(eyes::addresses("bond0.6"), ["2001:db8:6::1/64"]);

        // A port moves from the bond to the bridge.
        check::apply(
            &system,
            "interfaces: [{name: br5, bridge: {port: [{name: bond0.5}, {name: v2}]}}, {name: bond0, link-aggregation: {port: [v1]}}]",
        );
        assert_link("v2", &json!({"master": "br5"}));
        assert!(is_up("v2"));

        // Without the bond there are no VLANs on it.
        check::apply(&system, "interfaces: [{name: bond0, state: absent}]");
        for name in ["bond0", "bond0.5", "bond0.6"] {
            assert_eq!(eyes::link(name), json!(null), "{name}");
        }
    });
}
