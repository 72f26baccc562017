// SPDX-License-Identifier: Apache-2.0

//! Tun and tap devices: `ip -j -d` agrees; and links of kinds that Nipart doesn't know.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use serde_json::json;

/// Whether a link-local address comes depends on how soon the kernel notices that no program is there, so IPv6 is off.
#[test]
fn tun_and_tap() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: br0, type: linux-bridge, ipv6: {enabled: false}, bridge: {port: [{name: tap0}]}}
- {name: tap0, type: tun, mtu: 1400, mac-address: '02:00:00:00:00:05', ipv6: {enabled: false}, tun: {mode: tap, owner: 1, group: 2, multi-queue: true}}
- {name: tun0, type: tun, tun: {mode: tun}, ipv6: {enabled: false}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}
",
        );
        let data = json!({"type": "tap", "persist": true, "multi_queue": true});
        let kind = json!({"info_kind": "tun", "info_data": data});
        assert_link(
            "tap0",
            &json!({"mtu": 1400, "address": "02:00:00:00:00:05", "master": "br0", "linkinfo": kind}),
        );
        assert_eq!(number("tap0", "owner"), "1");
        assert_eq!(number("tap0", "group"), "2");
        let data = json!({"type": "tun", "persist": true, "multi_queue": false});
        assert_link("tun0", &json!({"linkinfo": {"info_data": data}}));
        assert_eq!(eyes::addresses("tun0"), ["192.0.2.1/24"]);

        // Another owner in place; what can't be taken off again, or be changed, is made anew.
        let index = |name: &str| eyes::link(name)["ifindex"].clone();
        let before = index("tap0");
        check::apply(&system, "interfaces: [{name: tap0, tun: {owner: 3}}]");
        assert_eq!(index("tap0"), before);
        assert_eq!(number("tap0", "owner"), "3");
        check::apply(&system, "interfaces: [{name: tun0, tun: {mode: tap}}]");
        assert_link("tun0", &json!({"linkinfo": {"info_data": {"type": "tap"}}}));
        assert_eq!(eyes::addresses("tun0"), ["192.0.2.1/24"]);

        let fails = "
routes:
  config: [{destination: 203.0.113.0/24, next-hop-address: 203.0.113.77, next-hop-interface: tun0}]
";
        let before = eyes::everything();
        for change in [
            "{name: tun0, tun: {owner: 5}}",
            "{name: tap0, tun: {owner: 5, multi-queue: false}}, {name: tun9, type: tun, tun: {mode: tap}}",
        ] {
            let answer = system
                .apply(&format!("interfaces: [{change}]{fails}"))
                .refused();
            assert!(answer.contains("the network is as it was"), "{answer}");
            eyes::assert_same(&before, &eyes::everything(), change);
        }

        check::apply(
            &system,
            "interfaces: [{name: tun0, state: absent}, {name: tap0, state: absent}]",
        );
        assert_eq!(eyes::link("tap0"), json!(null));
    });
}

/// The number of the user or the group; iproute2 prints names where it knows them.
fn number(name: &str, of: &str) -> String {
    let path = format!("/sys/class/net/{name}/{of}");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.trim().to_string()
}

/// What isn't known is shown, and changed only where all links are alike.
#[test]
fn kinds_without_a_name_stay_as_they_are() {
    run(|| {
        ip(&["link", "add", "other0", "type", "ifb"]);
        let system = System::start();
        let shown = system.ctl(&["show", "other0"]).ok().out;
        assert!(shown.contains("type: ifb"), "{shown}");
        check::round_trip(&system);
        let before = eyes::link("other0");
        for state in [
            "{name: other0, type: unknown, mtu: 1400, state: up}",
            "{name: other0, type: ifb, mtu: 1300, state: up}",
        ] {
            check::apply(&system, &format!("interfaces: [{state}]"));
        }
        assert_link(
            "other0",
            &json!({"mtu": 1300, "ifindex": before["ifindex"]}),
        );
        // What Nipart can't make it doesn't delete.
        system
            .apply("interfaces: [{name: other0, state: absent}]")
            .ok();
        assert_eq!(eyes::link("other0")["linkinfo"], before["linkinfo"]);
    });
}
