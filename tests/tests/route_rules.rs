// SPDX-License-Identifier: Apache-2.0

//! Rules of routing policy: `ip -j rule` agrees, those of others stay, what was changed can be taken back and comes
//! back after a restart.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_includes};
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::json;

const RULES: &str = "
route-rules:
  config:
  - {ip-from: 192.0.2.0/24, ip-to: 198.51.100.7, route-table: 100, priority: 500}
  - {family: ipv4, iif: eth7, oif: lo, fwmark: 0x10, fwmask: '0xff', tos: 0x10, suppress-prefix-length: 0}
  - {family: ipv4, iif: eth8, ip-proto: udp, source-port: 1000-2000, destination-port: 53, uidrange: 0, route-table: 4294967295}
  - {ip-from: '2001:db8::/64', action: prohibit}
  - {family: ipv6, ip-to: '2001:db8:1::/48', iif: eth7, tos: 0xfc, ip-proto: 99, priority: 501, route-table: 100}
";

/// What others have; the priorities of two are used by ours, too.
fn others_join_in() {
    for command in [
        "-4 rule add from 203.0.113.0/24 table 7 priority 500",
        "-4 rule add table 9 priority 600 protocol bird",
        "-4 rule add not from 203.0.113.0/24 table 8 priority 30000",
        "-6 rule add iif eth9 blackhole priority 501 protocol static",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        ip(&words);
    }
}

/// Priorities in the order in which `ip` lists them.
fn priorities(family: &str) -> Vec<u64> {
    let rules = eyes::rules(family);
    let list = rules.as_array().unwrap();
    list.iter()
        .map(|rule| rule["priority"].as_u64().unwrap())
        .collect()
}

#[test]
fn every_selector() {
    run(|| {
        others_join_in();
        let others = eyes::everything();
        let system = System::start();
        check::apply(&system, RULES);
        let four = json!([
            {"priority": 500, "src": "203.0.113.0"},
            {"priority": 500, "src": "192.0.2.0", "srclen": 24, "dst": "198.51.100.7", "table": "100", "protocol": "110"},
            {"priority": 600},
            {"priority": 30000, "not": null},
            {"priority": 30000, "src": "all", "iif": "eth7", "oif": "lo", "fwmark": "0x10", "fwmask": "0xff", "tos": "0x10",
             "suppress_prefixlen": 0, "table": "main", "protocol": "110"},
            {"priority": 30001, "iif": "eth8", "ipproto": "udp", "sport_start": 1000, "sport_end": 2000, "dport": 53,
             "uid_start": 0, "uid_end": 0, "table": "4294967295"},
        ]);
        assert_includes("IPv4", &eyes::rules("-4"), &four);
        let six = json!([
            {"priority": 501, "iif": "eth9", "protocol": "static"},
            {"priority": 501, "src": "all", "dst": "2001:db8:1::", "dstlen": 48, "iif": "eth7", "tos": "0xfc", "table": "100"},
            {"priority": 30002, "src": "2001:db8::", "srclen": 64, "action": "prohibit", "protocol": "110"},
        ]);
        assert_includes("IPv6", &eyes::rules("-6"), &six);
        // What is shown names them, and neither the kernel's own nor what can't be said.
        let shown = system.ctl(&["show", "-o", "json"]).ok().json();
        let shown = shown["route-rules"]["config"].as_array().unwrap().len();
        assert_eq!(shown, 5 + 3);
        assert!(
            system.saved().contains("priority: 30002"),
            "{}",
            system.saved()
        );

        // A partial file keeps the rest.
        check::apply(
            &system,
            "route-rules: {config: [{state: absent, iif: eth7}, {ip-from: 192.0.2.1, route-table: 5}]}",
        );
        assert_eq!(priorities("-4"), [500, 500, 600, 30000, 30001, 30003]);
        assert_eq!(priorities("-6"), [501, 30002]);
        // Of a whole family only ours go.
        check::apply(
            &system,
            "route-rules: {config: [{state: absent, family: ipv4}, {state: absent, family: ipv6}]}",
        );
        eyes::assert_same(&others, &eyes::everything(), "ours are gone");
        assert!(
            !system.saved().contains("route-rules"),
            "{}",
            system.saved()
        );
        check::apply(
            &system,
            "route-rules: {config: [{state: absent, route-table: 9}]}",
        );
        assert_eq!(priorities("-4"), [500, 30000]);
        check::round_trip(&system);
    });
}

#[test]
fn a_rule_beside_one_with_more_selectors() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "route-rules: {config: [{family: ipv4, iif: eth7, route-table: 5, priority: 9}, {family: ipv4, route-table: 5, priority: 9}]}",
        );
        // The kernel would remove the first one of the two.
        check::apply(
            &system,
            "route-rules: {config: [{state: absent, priority: 9, iif: ''}]}",
        );
        assert_includes(
            "",
            &eyes::rules("-4"),
            &json!([{"priority": 9, "iif": "eth7"}]),
        );
        check::apply(
            &system,
            "route-rules: {config: [{family: ipv4, route-table: 5, priority: 9}]}",
        );
        check::round_trip(&system);
    });
}

#[test]
fn what_is_taken_back() {
    run(|| {
        others_join_in();
        let system = System::start();
        check::apply(&system, RULES);
        let before = eyes::everything();
        let change = "
interfaces: [{name: v1, type: veth, veth: {peer: v2}}]
route-rules:
  config:
  - {state: absent, ip-from: 192.0.2.0/24}
  - {state: absent, priority: 600}
  - {ip-to: 10.0.0.0/8, route-table: 3}
";
        // Refused in the middle: rules have gone before.
        let routes = "routes: {config: [{destination: 10.0.0.0/8, next-hop-interface: v1, next-hop-address: 203.0.113.1}]}";
        let refusal = system.apply(&format!("{change}{routes}")).refused();
        assert!(refusal.contains("the network is as it was"), "{refusal}");
        eyes::assert_same(&before, &eyes::everything(), "the failed apply");
        // Done, and taken back.
        system.ctl_with(&["apply", "-", "--no-commit"], change).ok();
        assert_eq!(priorities("-4"), [500, 30000, 30000, 30001, 30003]);
        system.ctl(&["rollback"]).ok();
        eyes::assert_same(&before, &eyes::everything(), "the rollback");
        // Committed, and reverted from the history: what comes back by a state is ours.
        let before = before.replace("proto bird", "proto 110");
        let back = system.ctl_with(&["gr", "-"], change).ok().out;
        check::apply(&system, change);
        system.ctl(&["history", "revert", "2"]).ok();
        eyes::assert_same(&before, &eyes::everything(), "the revert");
        check::apply(&system, change);
        check::apply(&system, &back);
        eyes::assert_same(&before, &eyes::everything(), "the generated state");
    });
}

#[test]
fn a_restart_brings_them_back() {
    run(|| {
        let mut system = System::start();
        check::apply(&system, RULES);
        let before = eyes::everything();
        system.stop_daemon();
        for family in ["-4", "-6"] {
            for priority in priorities(family) {
                ip(&[family, "rule", "delete", "priority", &priority.to_string()]);
            }
        }
        others_join_in();
        let others = priorities("-4").len();
        system.start_daemon();
        eventually("the rules are back", Duration::from_secs(10), || {
            (priorities("-4").len() == others + 3).then_some(())
        });
        let now = eyes::everything();
        let missing: Vec<&str> = before.lines().filter(|line| !now.contains(line)).collect();
        assert_eq!(missing, Vec::<&str>::new());

        ip(&["-4", "rule", "delete", "priority", "30001"]);
        let status = system.ctl(&["status"]);
        assert_eq!(status.code, 1, "{}", status.out);
        assert!(
            status.out.contains("add rule IPv4 priority 30001 iif eth8"),
            "{}",
            status.out
        );
    });
}

#[test]
fn refusals_name_the_place() {
    run(|| {
        let system = System::start();
        for (entry, place, why) in [
            ("{iif: eth0}", "input>:2:12", "a rule needs its family"),
            (
                "{family: ipv4, fwmask: 1}",
                "fwmask",
                "fwmask needs the fwmark",
            ),
            ("{family: ipv4, dport: 5}", "input>:2:27", "unknown key"),
        ] {
            let state = format!("route-rules:\n  config: [{entry}]\n");
            let refusal = check::refused(&system, &state);
            assert!(refusal.contains(why), "{entry}: {refusal}");
            assert!(refusal.contains(place), "{entry}: {refusal}");
        }
    });
}
