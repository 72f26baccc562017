// SPDX-License-Identifier: Apache-2.0

//! Rules with every selector: set by plans, looked at with `ip`, and read back.

#![allow(clippy::unwrap_used, reason = "support functions of tests")]

#[path = "support/tools.rs"]
mod tools;

use nipart_schemas::ip::PROTOCOL_NIPART;
use nipart_schemas::operation::Operation;
use nipart_schemas::route_rule::RouteRule;
use nipart_schemas::yaml;
use serde_json::{Value, json};
use tools::*;

fn rule(text: &str) -> RouteRule {
    yaml::parse(text).unwrap()
}

/// What `ip` says of the only rule of that priority.
fn shown_by_ip(family: &str, priority: u32) -> Value {
    let mut found = ip_json(&[
        "-d",
        family,
        "rule",
        "show",
        "priority",
        &priority.to_string(),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn every_selector() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            for (text, family, expected) in [
                (
                    "{family: ipv4}",
                    "-4",
                    json!({"src": "all", "table": "main", "protocol": "110"}),
                ),
                (
                    "{family: ipv6, route-table: 4294967295}",
                    "-6",
                    json!({"table": "4294967295"}),
                ),
                (
                    "{ip-from: 192.0.2.0/24, ip-to: 198.51.100.7}",
                    "-4",
                    json!({"src": "192.0.2.0", "srclen": 24, "dst": "198.51.100.7"}),
                ),
                (
                    "{ip-from: '2001:db8::/64', ip-to: '2001:db8:1::7'}",
                    "-6",
                    json!({"src": "2001:db8::", "srclen": 64, "dst": "2001:db8:1::7"}),
                ),
                (
                    "{family: ipv4, iif: nobody0, oif: lo}",
                    "-4",
                    json!({"iif": "nobody0", "oif": "lo"}),
                ),
                (
                    "{family: ipv6, fwmark: 0x10}",
                    "-6",
                    json!({"fwmark": "0x10"}),
                ),
                (
                    "{family: ipv4, fwmark: 5, fwmask: 7}",
                    "-4",
                    json!({"fwmark": "0x5", "fwmask": "0x7"}),
                ),
                ("{family: ipv4, tos: 0x10}", "-4", json!({"tos": "0x10"})),
                ("{family: ipv6, tos: 0xfc}", "-6", json!({"tos": "0xfc"})),
                (
                    "{family: ipv4, ip-proto: tcp}",
                    "-4",
                    json!({"ipproto": "tcp"}),
                ),
                ("{family: ipv6, ip-proto: 99}", "-6", json!({})),
                (
                    "{family: ipv4, source-port: 1000-2000, destination-port: 80}",
                    "-4",
                    json!({"sport_start": 1000, "sport_end": 2000, "dport": 80}),
                ),
                (
                    "{family: ipv6, source-port: 65534, destination-port: 1-2}",
                    "-6",
                    json!({"sport": 65534}),
                ),
                (
                    "{family: ipv4, uidrange: 0}",
                    "-4",
                    json!({"uid_start": 0, "uid_end": 0}),
                ),
                (
                    "{family: ipv4, suppress-prefix-length: 0}",
                    "-4",
                    json!({"suppress_prefixlen": 0}),
                ),
                (
                    "{family: ipv6, suppress-prefix-length: 128}",
                    "-6",
                    json!({"suppress_prefixlen": 128}),
                ),
                (
                    "{family: ipv4, action: blackhole}",
                    "-4",
                    json!({"action": "blackhole"}),
                ),
                (
                    "{family: ipv6, action: unreachable}",
                    "-6",
                    json!({"action": "unreachable"}),
                ),
                (
                    "{family: ipv4, action: prohibit}",
                    "-4",
                    json!({"action": "prohibit"}),
                ),
            ] {
                let rule = RouteRule {
                    priority: Some(77),
                    ..rule(text)
                };
                apply(&kernel, vec![Operation::AddRule(rule.clone())]).await;
                let shown = shown_by_ip(family, 77);
                for (key, value) in expected.as_object().unwrap() {
                    assert_eq!(&shown[key], value, "{key} of {text}: {shown}");
                }
                let state = query_all(&kernel).await;
                let observed = RouteRule {
                    protocol: Some(PROTOCOL_NIPART),
                    ..rule.identity()
                };
                assert!(
                    state.rules().contains(&observed),
                    "{text}: {:#?}",
                    state.rules()
                );
                let removal = vec![Operation::RemoveRule(observed)];
                apply(&kernel, removal.clone()).await;
                apply(&kernel, removal).await;
                assert_eq!(ip(&["rule", "show", "priority", "77"]), "", "{text}");
            }
        });
    });
}

#[test]
fn what_is_told_by_half_is_not_shown() {
    run(|| {
        block_on(async {
            ip_lines(
                "rule add priority 5 goto 32766; rule add priority 6 not from 192.0.2.0/24 table 9; \
                 rule add priority 7 nop; rule add priority 8 from 192.0.2.0/24 table 9 realms 3/4; \
                 rule add priority 9 from 192.0.2.0/24 table 9 protocol static",
            );
            let kernel = open().await;
            let state = query_all(&kernel).await;
            let found: Vec<String> = state
                .rules()
                .iter()
                .filter(|rule| !rule.is_kernels())
                .map(ToString::to_string)
                .collect();
            assert_eq!(found, ["IPv4 priority 9 from 192.0.2.0/24 table 9"]);
            assert_eq!(
                state
                    .rules()
                    .iter()
                    .filter(|rule| rule.is_kernels())
                    .count(),
                5
            );
        });
    });
}

#[test]
fn only_one_with_fewer_selectors_goes() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let rules = [
                "{family: ipv4, priority: 5, iif: lo, route-table: 9}",
                "{family: ipv4, priority: 5, route-table: 9}",
            ];
            // With the wider one last the kernel would say that it is there already.
            let add = rules.map(|text| Operation::AddRule(rule(text))).into();
            apply(&kernel, add).await;
            assert_eq!(ip(&["rule", "show", "priority", "5"]).lines().count(), 2);
        });
    });
}
