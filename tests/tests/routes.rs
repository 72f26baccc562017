// SPDX-License-Identifier: Apache-2.0

//! Routes of all types, with all properties and with several next hops: `ip -j route` agrees, a second apply changes
//! nothing, a failed one leaves nothing behind.

use nipart_tests::check;
use nipart_tests::eyes::{self, Watch, assert_includes, parsed};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use serde_json::{Value, json};

const LINKS: &str = "
interfaces:
- name: v1
  type: veth
  veth: {peer: v2}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
- {name: v2, type: veth}
- name: v3
  type: veth
  veth: {peer: v4}
  ipv4: {address: [{ip: 198.51.100.1, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8:1::1', prefix-length: 64}]}
- {name: v4, type: veth}
";

fn with_links() -> System {
    let system = System::start();
    check::apply(&system, LINKS);
    system
}

#[test]
fn several_next_hops() {
    run(|| {
        let system = with_links();
        check::apply(
            &system,
            "
routes:
  config:
  - {destination: 10.0.0.0/8, next-hop-interface: v1, next-hop-address: 192.0.2.254, weight: 1, mtu: 1400}
  - {destination: 10.0.0.0/8, next-hop-interface: v3, next-hop-address: 198.51.100.254, weight: 200, mtu: 1400}
  - {destination: '::/0', next-hop-interface: v1, next-hop-address: '2001:db8::fe', weight: 3, metric: 50, table-id: 4000000000}
  - {destination: '::/0', next-hop-interface: v3, next-hop-address: '2001:db8:1::fe', weight: 1, metric: 50, table-id: 4000000000}
",
        );
        let hop = |gateway: &str, dev: &str, weight: u16| json!({"gateway": gateway, "dev": dev, "weight": weight});
        let four = json!([{"dst": "10.0.0.0/8", "protocol": "110", "metrics": [{"mtu": 1400}],
            "nexthops": [hop("192.0.2.254", "v1", 1), hop("198.51.100.254", "v3", 200)]}]);
        assert_includes("IPv4", &eyes::route_details("-4", "main"), &four);
        let six = json!([{"dst": "default", "metric": 50,
            "nexthops": [hop("2001:db8::fe", "v1", 3), hop("2001:db8:1::fe", "v3", 1)]}]);
        assert_includes("IPv6", &eyes::route_details("-6", "4000000000"), &six);

        // One more joins, one gets another weight; then one leaves. There is a route all the time.
        let watch = Watch::start();
        check::apply(
            &system,
            "
routes:
  config:
  - {destination: 10.0.0.0/8, next-hop-interface: v3, next-hop-address: 198.51.100.253, weight: 7}
  - {destination: '::/0', next-hop-interface: v3, next-hop-address: '2001:db8:1::fe', weight: 9, metric: 50, table-id: 4000000000}
",
        );
        let text = ip(&["-4", "route", "show", "10.0.0.0/8"]);
        assert_eq!(text.matches("nexthop").count(), 3, "{text}");
        let text = ip(&["-6", "route", "show", "table", "4000000000"]);
        assert!(
            text.contains("weight 9") && text.contains("weight 3"),
            "{text}"
        );
        check::apply(
            &system,
            "routes: {config: [{state: absent, next-hop-interface: v3}]}",
        );
        let told = watch.marked();
        assert!(
            !told.iter().any(|line| line.contains("Deleted")),
            "{told:#?}"
        );
        assert_eq!(eyes::routes(), ["10.0.0.0/8 via 192.0.2.254 dev v1"]);
        // The one that was left takes others in again.
        check::apply(
            &system,
            "
routes:
  config:
  - {destination: 10.0.0.0/8, next-hop-interface: v3, next-hop-address: 198.51.100.254, weight: 2}
",
        );
        let text = ip(&["-4", "route", "show", "10.0.0.0/8"]);
        assert_eq!(text.matches("nexthop").count(), 2, "{text}");
        check::apply(&system, "interfaces: [{name: v3, state: absent}]");
        assert_eq!(eyes::routes(), ["10.0.0.0/8 via 192.0.2.254 dev v1"]);
        check::round_trip(&system);
    });
}

#[test]
fn types_tables_and_properties() {
    run(|| {
        let system = with_links();
        check::apply(
            &system,
            "
routes:
  config:
  - {destination: 10.0.0.0/8, route-type: blackhole}
  - {destination: 10.1.0.0/16, route-type: unreachable, metric: 9}
  - {destination: 10.2.0.0/16, route-type: prohibit, table-id: 4294967295}
  - {destination: 10.3.0.0/16, route-type: throw, table-id: 100}
  - {destination: '2001:db8:ff::/48', route-type: blackhole}
  - destination: 10.4.0.0/16
    next-hop-interface: v1
    next-hop-address: 203.0.113.1
    onlink: yes
    mtu: 1400
    lock-mtu: true
    advmss: 1300
    cwnd: 30
    initcwnd: 20
    initrwnd: '40'
    quickack: true
    source: 192.0.2.1
",
        );
        let main = json!([
            {"type": "blackhole", "dst": "10.0.0.0/8", "protocol": "110"},
            {"type": "unreachable", "dst": "10.1.0.0/16", "metric": 9},
            {"dst": "10.4.0.0/16", "gateway": "203.0.113.1", "flags": ["onlink"], "prefsrc": "192.0.2.1",
             "metrics": [{"mtu": 1400, "advmss": 1300, "cwnd": 30, "initcwnd": 20, "initrwnd": 40, "quickack": 1}]},
        ]);
        assert_includes("main", &eyes::route_details("-4", "main"), &main);
        let last = json!([{"type": "prohibit", "dst": "10.2.0.0/16"}]);
        assert_includes(
            "the last table",
            &eyes::route_details("-4", "4294967295"),
            &last,
        );
        let other = json!([{"type": "throw", "dst": "10.3.0.0/16"}]);
        assert_includes("table 100", &eyes::route_details("-4", "100"), &other);

        // Another type, and fewer properties, by absent and new in one file; of wildcards the metric counts.
        check::apply(
            &system,
            "
routes:
  config:
  - {state: absent, destination: 10.0.0.0/8}
  - {destination: 10.0.0.0/8, next-hop-interface: v3}
  - {state: absent, destination: 10.4.0.0/16}
  - {destination: 10.4.0.0/16, next-hop-interface: v1, next-hop-address: 203.0.113.1, onlink: true, mtu: 1300}
  - {state: absent, metric: 9}
  - {state: absent, route-type: throw}
",
        );
        assert_eq!(
            eyes::routes(),
            [
                "10.0.0.0/8 dev v3",
                "10.4.0.0/16 via 203.0.113.1 dev v1",
                "2001:db8:ff::/48 dev lo"
            ]
        );
        let text = ip(&["route", "show", "10.4.0.0/16"]);
        assert!(
            text.contains("mtu 1300") && !text.contains("cwnd"),
            "{text}"
        );
        assert_eq!(ip(&["route", "show", "table", "100"]), "");
        check::round_trip(&system);
    });
}

#[test]
fn a_failed_apply_leaves_nothing_behind() {
    run(|| {
        let system = with_links();
        check::apply(
            &system,
            "
routes:
  config:
  - {destination: 10.0.0.0/8, next-hop-interface: v1, next-hop-address: 192.0.2.254, weight: 1}
  - {destination: 10.0.0.0/8, next-hop-interface: v3, next-hop-address: 198.51.100.254, weight: 2}
  - {destination: 10.1.0.0/16, route-type: prohibit}
  - {destination: 10.2.0.0/16, next-hop-interface: v1, mtu: 1400}
",
        );
        let before = eyes::everything();
        let refusal = system
            .apply(
                "
routes:
  config:
  - {state: absent, destination: 10.0.0.0/8}
  - {destination: 10.0.0.0/8, next-hop-interface: v1}
  - {state: absent, route-type: prohibit}
  - {destination: 10.2.0.0/16, next-hop-interface: v1, mtu: 1300}
  - {destination: 10.5.0.0/16, route-type: blackhole}
  - {destination: 10.6.0.0/16, next-hop-interface: v3, next-hop-address: 203.0.113.9}
",
            )
            .refused();
        assert!(refusal.contains("Nexthop has invalid gateway"), "{refusal}");
        eyes::assert_same(&before, &eyes::everything(), "the failed apply");
        check::round_trip(&system);
    });
}

/// Each key of a route, in a network of its own, with what `ip -j -d route` says of it. `SOURCE` and `GATEWAY` stand for
/// addresses of the family.
fn keys() -> Vec<(usize, &'static str, Value)> {
    let metrics = |metrics: Value| json!({"dev": "v1", "metrics": [metrics]});
    vec![
        (
            0,
            "next-hop-interface: v1",
            json!({"dev": "v1", "protocol": "110"}),
        ),
        (
            1,
            "next-hop-interface: v1, next-hop-address: 'GATEWAY'",
            json!({"gateway": "GATEWAY"}),
        ),
        (
            2,
            "next-hop-interface: v1, mtu: 1400",
            metrics(json!({"mtu": 1400})),
        ),
        (
            3,
            "next-hop-interface: v1, mtu: 1300, lock-mtu: true",
            metrics(json!({"mtu": 1300})),
        ),
        (
            4,
            "next-hop-interface: v1, advmss: 1200",
            metrics(json!({"advmss": 1200})),
        ),
        (
            5,
            "next-hop-interface: v1, cwnd: 30",
            metrics(json!({"cwnd": 30})),
        ),
        (
            6,
            "next-hop-interface: v1, initcwnd: 20",
            metrics(json!({"initcwnd": 20})),
        ),
        (
            7,
            "next-hop-interface: v1, initrwnd: 40",
            metrics(json!({"initrwnd": 40})),
        ),
        (
            8,
            "next-hop-interface: v1, quickack: yes",
            metrics(json!({"quickack": 1})),
        ),
        (
            9,
            "next-hop-interface: v1, source: 'SOURCE'",
            json!({"prefsrc": "SOURCE"}),
        ),
        (
            10,
            "next-hop-interface: v1, metric: 77",
            json!({"metric": 77}),
        ),
        (
            10,
            "next-hop-interface: v1, metric: 78",
            json!({"metric": 78}),
        ),
        (
            11,
            "next-hop-interface: v1, table-id: 70000",
            json!({"table": "70000"}),
        ),
        (12, "route-type: blackhole", json!({"type": "blackhole"})),
        (
            13,
            "route-type: unreachable",
            json!({"type": "unreachable"}),
        ),
        (14, "route-type: prohibit", json!({"type": "prohibit"})),
        (15, "route-type: throw", json!({"type": "throw"})),
    ]
}

#[test]
fn every_key() {
    run(|| {
        let system = with_links();
        let mut config = String::new();
        let mut expected = Vec::new();
        for (family, gateway, source) in [
            ("-4", "192.0.2.254", "192.0.2.1"),
            ("-6", "2001:db8::fe", "2001:db8::1"),
        ] {
            let filled = |text: &str| text.replace("GATEWAY", gateway).replace("SOURCE", source);
            for (number, keys, shown) in keys() {
                let destination = match family {
                    "-4" => format!("10.{number}.0.0/16"),
                    _ => format!("2001:db8:f{number}::/48"),
                };
                let keys = filled(keys);
                config.push_str(&format!("  - {{destination: '{destination}', {keys}}}\n"));
                let shown: Value = parsed(&filled(&shown.to_string()));
                expected.push((family, destination, keys, shown));
            }
        }
        check::apply(&system, &format!("routes:\n  config:\n{config}"));
        for (family, destination, keys, shown) in expected {
            let all = parsed(&ip(&["-j", "-d", family, "route", "show", "table", "all"]));
            let is_meant = |route: &&Value| {
                let metric = &shown["metric"];
                route["dst"] == destination && (metric.is_null() || route["metric"] == *metric)
            };
            let route = all.as_array().and_then(|all| all.iter().find(is_meant));
            let route = route.cloned().unwrap_or_default();
            assert_includes(&format!("{family} {keys}"), &route, &shown);
        }
        for family in ["-4", "-6"] {
            let text = ip(&[family, "route", "show"]);
            assert!(text.contains("mtu lock 1300"), "{text}");
        }
    });
}

#[test]
fn routes_through_what_is_not_managed() {
    run(|| {
        let system = with_links();
        for (state, why) in [
            ("ignore", "is ignored"),
            ("absent", "is removed by this very state"),
        ] {
            let refusal = check::refused(
                &system,
                &format!(
                    "interfaces: [{{name: v1, state: {state}}}]\nroutes: {{config: [{{destination: 10.0.0.0/8, next-hop-interface: v1}}]}}"
                ),
            );
            assert!(refusal.contains(why), "{refusal}");
            assert!(refusal.contains("next-hop-interface"), "{refusal}");
        }
    });
}
