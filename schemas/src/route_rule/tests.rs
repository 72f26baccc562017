// SPDX-License-Identifier: Apache-2.0

//! Rules as they are read, compared, meant by `absent` entries, and numbered.

use super::{AUTOMATIC_PRIORITY, AbsentRules, RouteRule, RuleState, with_priorities};
use crate::yaml;

fn rule(text: &str) -> RouteRule {
    yaml::parse(text).unwrap()
}

fn rules(texts: &[&str]) -> Vec<RouteRule> {
    texts.iter().map(|text| rule(text)).collect()
}

#[test]
fn as_people_write_them() {
    for (text, expected) in [
        ("{family: ipv6}", "IPv6"),
        (
            "{ip-from: 192.0.2.0/24, priority: '100', route-table: 0x10}",
            "IPv4 priority 100 from 192.0.2.0/24 table 16",
        ),
        (
            "{ip-to: '2001:db8::1', priority: -1, action: blackhole}",
            "IPv6 to 2001:db8::1/128 blackhole",
        ),
        (
            "{family: ipv4, iif: eth0, oif: 0x10, fwmark: 0x10, fwmask: '0xff', tos: 0x10}",
            "IPv4 iif eth0 oif 0x10 fwmark 16 fwmask 255 tos 16",
        ),
        (
            "{family: ipv4, ip-proto: tcp, source-port: 1000-2000, destination-port: 80, uid-range: 5-6}",
            "IPv4 ipproto tcp sport 1000-2000 dport 80 uidrange 5-6",
        ),
        (
            "{family: ipv4, ip-proto: 99, ip-from: '', suppress_prefixlength: 0}",
            "IPv4 from none ipproto 99 suppress_prefixlength 0",
        ),
    ] {
        let read = rule(text);
        assert_eq!(read.to_string(), expected, "{text}");
        let written = yaml::to_string(&read).unwrap();
        assert_eq!(rule(&written), read, "{written}");
    }
}

#[test]
fn one_identity_however_it_is_written() {
    for (one, other) in [
        ("{family: ipv4}", "{family: ipv4, route-table: 254}"),
        ("{family: ipv4}", "{ip-from: 0.0.0.0/0, route-table: 0}"),
        (
            "{ip-from: 192.0.2.0/24}",
            "{ip-from: 192.0.2.0/24, family: ipv4, iif: ''}",
        ),
        (
            "{family: ipv6, fwmark: 5}",
            "{family: ipv6, fwmark: 5, fwmask: 0xffffffff}",
        ),
        ("{family: ipv6, fwmark: 0}", "{family: ipv6, tos: 0}"),
        ("{family: ipv4}", "{family: ipv4, protocol: 110}"),
        (
            "{family: ipv4, action: prohibit}",
            "{family: ipv4, action: prohibit, route-table: 0}",
        ),
    ] {
        assert_eq!(
            rule(one).identity(),
            rule(other).identity(),
            "{one} {other}"
        );
    }
    for (one, other) in [
        ("{family: ipv4}", "{family: ipv6}"),
        ("{family: ipv4}", "{family: ipv4, iif: eth0}"),
        ("{family: ipv4, priority: 5}", "{family: ipv4, priority: 6}"),
        ("{family: ipv4}", "{family: ipv4, action: prohibit}"),
        (
            "{family: ipv4, fwmark: 0, fwmask: 1}",
            "{family: ipv4, fwmark: 0}",
        ),
    ] {
        assert_ne!(
            rule(one).identity(),
            rule(other).identity(),
            "{one} {other}"
        );
    }
}

#[test]
fn absent_entries() {
    let present = rule("{ip-from: 192.0.2.0/24, priority: 5, route-table: 9, iif: eth0}");
    for (entry, expected) in [
        ("{}", true),
        ("{family: ipv4}", true),
        ("{family: ipv6}", false),
        ("{priority: 5}", true),
        ("{priority: 6}", false),
        ("{priority: -1, route-table: 9}", true),
        ("{route-table: 0}", false),
        ("{ip-from: 192.0.2.0/24}", true),
        ("{ip-from: 192.0.2.0/25}", false),
        ("{ip-from: 0.0.0.0/0}", false),
        ("{ip-from: ''}", false),
        ("{ip-to: ''}", true),
        ("{ip-to: 0.0.0.0/0}", true),
        ("{iif: eth0, fwmark: 0}", true),
        ("{iif: ''}", false),
        ("{action: blackhole}", false),
    ] {
        assert_eq!(rule(entry).matches(&present), expected, "{entry}");
    }
}

#[test]
fn what_an_absent_entry_takes_away() {
    let absent = |entry: &str| {
        let entry = RouteRule {
            state: Some(RuleState::Absent),
            ..rule(entry)
        };
        AbsentRules::of([&entry])
    };
    let kernels = rule("{family: ipv4, priority: 32766, protocol: 2}");
    assert!(!absent("{priority: 32766}").take_away(&kernels, true));
    let present = rule("{family: ipv4, priority: 5, protocol: 3}");
    for (entry, of_others, ours) in [
        ("{}", false, true),
        ("{family: ipv4, ip-from: ''}", false, true),
        ("{priority: 5}", true, true),
        ("{priority: 6}", false, false),
        ("{route-table: 254}", true, true),
        ("{family: ipv6}", false, false),
    ] {
        let absent = absent(entry);
        assert_eq!(absent.take_away(&present, false), of_others, "{entry}");
        assert_eq!(absent.take_away(&present, true), ours, "{entry}");
        assert_eq!(absent.mean(&present), ours, "{entry}");
    }
}

#[test]
fn an_entry_that_means_one_rule_only() {
    let narrow = rule("{ip-from: 192.0.2.0/24, iif: eth0, priority: 5}");
    let wide = rule("{ip-from: 192.0.2.0/24, priority: 5}");
    let present = [narrow.clone(), wide.clone()];
    assert_eq!(narrow.absent_entry(&present).iif, narrow.iif);
    assert_eq!(narrow.absent_entry(&present).oif, None);
    let entry = wide.absent_entry(&present);
    assert!(entry.is_absent() && entry.matches(&wide) && !entry.matches(&narrow));
}

#[test]
fn priorities_are_given_once() {
    let present = rules(&[
        "{ip-from: 192.0.2.0/24, priority: 30001, protocol: 110}",
        "{ip-from: 192.0.2.1, priority: 700, protocol: 3}",
        "{family: ipv4, priority: 32766, protocol: 2}",
    ]);
    let wanted = rules(&[
        "{ip-from: 192.0.2.9}",
        "{ip-from: 192.0.2.8, priority: 30002}",
        "{ip-from: 192.0.2.1}",
        "{ip-from: 192.0.2.0/24}",
        "{family: ipv4}",
        "{ip-from: 192.0.2.9}",
    ]);
    let priorities = |wanted: &[RouteRule], present: &[RouteRule]| -> Vec<Option<u32>> {
        let numbered = with_priorities(wanted, present);
        numbered.iter().map(|rule| rule.priority).collect()
    };
    let expected = [30000, 30002, 700, 30001, 30003, 30000].map(Some);
    assert_eq!(priorities(&wanted, &present), expected);
    // Once they are there they keep them.
    let numbered = with_priorities(&wanted, &present);
    assert_eq!(priorities(&wanted, &numbered), expected);

    let moved = rules(&[
        "{state: absent, priority: 700}",
        "{ip-from: 192.0.2.1}",
        "{state: absent, ip-from: 192.0.2.0/24}",
        "{ip-from: 192.0.2.0/24}",
    ]);
    let expected = [Some(700), Some(AUTOMATIC_PRIORITY), None, Some(30001)];
    assert_eq!(priorities(&moved, &present), expected);
}
