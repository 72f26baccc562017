// SPDX-License-Identifier: Apache-2.0

//! Routes of every type and with every property, with one next hop and with several: set by plans, looked at with
//! `ip`, and read back.

#![allow(clippy::unwrap_used, reason = "support functions of tests")]

#[path = "support/tools.rs"]
mod tools;

use nipart_schemas::ip::{PROTOCOL_DHCP, PROTOCOL_NIPART};
use nipart_schemas::operation::Operation;
use nipart_schemas::route::{Route, RouteType};
use serde_json::{Value, json};
use tools::*;

/// Two pairs that are up, with addresses of both families.
fn two_pairs() {
    ip_lines(
        "link add v0 type veth peer name p0; link add v1 type veth peer name p1; \
         link set v0 addrgenmode none; link set v1 addrgenmode none; \
         link set v0 up; link set p0 up; link set v1 up; link set p1 up; \
         address add 192.0.2.1/24 dev v0; address add 198.51.100.1/24 dev v1; \
         address add 2001:db8::1/64 dev v0 nodad; address add 2001:db8:1::1/64 dev v1 nodad",
    );
}

fn nowhere(destination: &str, route_type: RouteType) -> Route {
    Route {
        destination: Some(destination.parse().unwrap()),
        route_type: Some(route_type),
        ..Route::default()
    }
}

fn via(destination: &str, name: &str, gateway: &str) -> Route {
    Route {
        destination: Some(destination.parse().unwrap()),
        next_hop_interface: Some(name.to_string()),
        next_hop_address: Some(gateway.parse().unwrap()),
        ..Route::default()
    }
}

fn hop(destination: &str, name: &str, gateway: &str, weight: u16) -> Route {
    Route {
        weight: Some(weight),
        ..via(destination, name, gateway)
    }
}

/// As the kernel shows what was added.
fn shown(route: &Route) -> Route {
    Route {
        metric: Some(route.key().metric),
        table_id: Some(route.key().table_id),
        protocol: route.protocol.or(Some(PROTOCOL_NIPART)),
        ..route.clone()
    }
}

fn find<'v>(routes: &'v [Value], destination: &str) -> &'v Value {
    let mut routes = routes.iter();
    routes.find(|route| route["dst"] == destination).unwrap()
}

fn all_tables(family: &str) -> Vec<Value> {
    ip_json(&[family, "route", "show", "table", "all"])
}

#[test]
fn routes_that_lead_nowhere() {
    run(|| {
        block_on(async {
            ip_lines("link set lo up");
            let kernel = open().await;
            let before = query_all(&kernel).await.running_routes().len();
            let routes = [
                nowhere("10.0.0.0/8", RouteType::Blackhole),
                nowhere("10.1.0.0/16", RouteType::Unreachable),
                Route {
                    table_id: Some(u32::MAX),
                    metric: Some(u32::MAX),
                    ..nowhere("10.2.0.0/16", RouteType::Prohibit)
                },
                nowhere("10.3.0.0/16", RouteType::Throw),
                nowhere("2001:db8:1::/48", RouteType::Blackhole),
                nowhere("2001:db8:2::/48", RouteType::Unreachable),
                Route {
                    table_id: Some(70_000),
                    metric: Some(5),
                    ..nowhere("2001:db8:3::/48", RouteType::Prohibit)
                },
                nowhere("2001:db8:4::/48", RouteType::Throw),
            ];
            apply(&kernel, routes.clone().map(Operation::AddRoute).into()).await;
            let four = all_tables("-4");
            assert_eq!(find(&four, "10.0.0.0/8")["type"], "blackhole");
            assert_eq!(find(&four, "10.1.0.0/16")["type"], "unreachable");
            let prohibit = find(&four, "10.2.0.0/16");
            assert_eq!(prohibit["type"], "prohibit");
            assert_eq!(
                (&prohibit["table"], &prohibit["metric"]),
                (&json!("4294967295"), &json!(u32::MAX))
            );
            assert_eq!(find(&four, "10.3.0.0/16")["type"], "throw");
            let six = all_tables("-6");
            assert_eq!(find(&six, "2001:db8:1::/48")["type"], "blackhole");
            assert_eq!(find(&six, "2001:db8:2::/48")["type"], "unreachable");
            assert_eq!(find(&six, "2001:db8:3::/48")["type"], "prohibit");
            assert_eq!(find(&six, "2001:db8:4::/48")["type"], "throw");

            let state = query_all(&kernel).await;
            for route in &routes {
                assert!(
                    state.running_routes().contains(&shown(route)),
                    "{route:?} in {:#?}",
                    state.running_routes()
                );
            }
            let removals: Vec<Operation> = routes
                .iter()
                .map(|route| Operation::RemoveRoute(shown(route)))
                .collect();
            apply(&kernel, removals.clone()).await;
            apply(&kernel, removals).await;
            assert_eq!(query_all(&kernel).await.running_routes().len(), before);
        });
    });
}

#[test]
fn properties() {
    run(|| {
        block_on(async {
            two_pairs();
            let kernel = open().await;
            let with_all = |route: Route| Route {
                mtu: Some(1400),
                lock_mtu: Some(true),
                advmss: Some(1300),
                cwnd: Some(30),
                initcwnd: Some(20),
                initrwnd: Some(40),
                quickack: Some(true),
                onlink: Some(true),
                ..route
            };
            let routes = [
                with_all(via("10.0.0.0/8", "v0", "203.0.113.1")),
                with_all(via("2001:db8:ff::/48", "v0", "2001:db8:9::1")),
                Route {
                    source: Some("192.0.2.1".parse().unwrap()),
                    mtu: Some(1450),
                    ..via("10.1.0.0/16", "v1", "198.51.100.254")
                },
            ];
            apply(&kernel, routes.clone().map(Operation::AddRoute).into()).await;
            for (family, destination) in [("-4", "10.0.0.0/8"), ("-6", "2001:db8:ff::/48")] {
                let routes = all_tables(family);
                let route = find(&routes, destination);
                let metrics = &route["metrics"][0];
                for (key, value) in [
                    ("mtu", 1400),
                    ("advmss", 1300),
                    ("cwnd", 30),
                    ("initcwnd", 20),
                    ("initrwnd", 40),
                    ("quickack", 1),
                ] {
                    assert_eq!(metrics[key], value, "{key} of {route}");
                }
                assert!(route["flags"].to_string().contains("onlink"), "{route}");
                let text = ip(&[family, "route", "show", destination]);
                assert!(text.contains("mtu lock 1400"), "{text}");
            }
            let state = query_all(&kernel).await;
            for route in &routes {
                assert!(
                    state.running_routes().contains(&shown(route)),
                    "{route:?} in {:#?}",
                    state.running_routes()
                );
            }
        });
    });
}

#[test]
fn several_next_hops() {
    run(|| {
        block_on(async {
            two_pairs();
            let kernel = open().await;
            let four = vec![
                hop("10.0.0.0/8", "v0", "192.0.2.254", 1),
                hop("10.0.0.0/8", "v1", "198.51.100.254", 256),
                Route {
                    onlink: Some(true),
                    ..hop("10.0.0.0/8", "v1", "203.0.113.7", 3)
                },
            ];
            let with_mtu = |hop: Route| Route {
                mtu: Some(1400),
                metric: Some(7),
                table_id: Some(300),
                ..hop
            };
            let six = vec![
                with_mtu(hop("2001:db8:ff::/48", "v0", "2001:db8::fe", 2)),
                with_mtu(hop("2001:db8:ff::/48", "v1", "2001:db8:1::fe", 5)),
            ];
            // An IPv6 gateway of an IPv4 route (RFC 5549).
            let mixed = vec![
                hop("10.9.0.0/16", "v0", "2001:db8::fe", 1),
                hop("10.9.0.0/16", "v1", "198.51.100.254", 1),
            ];
            let all = [&four, &six, &mixed];
            let operations = all.map(|hops| Operation::AddMultipathRoute(hops.clone()));
            apply(&kernel, operations.into()).await;

            let found = all_tables("-4");
            let hops = &find(&found, "10.0.0.0/8")["nexthops"];
            assert_eq!(hops[0]["gateway"], "192.0.2.254");
            assert_eq!(
                (&hops[0]["dev"], &hops[0]["weight"]),
                (&json!("v0"), &json!(1))
            );
            assert_eq!(
                (&hops[1]["dev"], &hops[1]["weight"]),
                (&json!("v1"), &json!(256))
            );
            assert_eq!(hops[2]["flags"], json!(["onlink"]));
            let found = all_tables("-6");
            let route = find(&found, "2001:db8:ff::/48");
            assert_eq!(
                (&route["metric"], &route["table"]),
                (&json!(7), &json!("300"))
            );
            assert_eq!(route["metrics"][0]["mtu"], 1400);
            assert_eq!(route["nexthops"][0]["weight"], 2);
            assert_eq!(route["nexthops"][1]["gateway"], "2001:db8:1::fe");

            let state = query_all(&kernel).await;
            for hop in all.into_iter().flatten() {
                assert!(
                    state.running_routes().contains(&shown(hop)),
                    "{hop:?} in {:#?}",
                    state.running_routes()
                );
            }
            // A scope of one link shows the whole route.
            let scoped = kernel.query(&only(&["v0"])).await.unwrap();
            let hops = scoped
                .running_routes()
                .iter()
                .filter(|route| route.is_hop());
            assert_eq!(hops.count(), 7);

            let removals = all.map(|hops| Operation::RemoveMultipathRoute(hops.clone()));
            apply(&kernel, removals.clone().into()).await;
            apply(&kernel, removals.into()).await;
            let state = query_all(&kernel).await;
            assert!(!state.running_routes().iter().any(Route::is_hop));
        });
    });
}

/// What the planner relies on.
#[test]
fn what_the_kernel_does_to_several_next_hops() {
    run(|| {
        block_on(async {
            two_pairs();
            ip_lines(
                "link add v2 type veth peer name p2; link set v2 up; link set p2 up; \
                 address add 203.0.113.1/24 dev v2; address add 2001:db8:2::1/64 dev v2 nodad",
            );
            let kernel = open().await;
            let four = vec![
                hop("10.0.0.0/8", "v0", "192.0.2.254", 1),
                hop("10.0.0.0/8", "v1", "198.51.100.254", 1),
            ];
            let six = vec![
                hop("2001:db8:ff::/48", "v0", "2001:db8::fe", 1),
                hop("2001:db8:ff::/48", "v1", "2001:db8:1::fe", 1),
                hop("2001:db8:ff::/48", "v2", "2001:db8:2::fe", 1),
            ];
            let add = vec![
                Operation::AddMultipathRoute(four),
                Operation::AddMultipathRoute(six),
            ];
            apply(&kernel, add).await;
            let count = async |is_ipv6: bool| {
                let state = query_all(&kernel).await;
                let routes = state.running_routes().iter();
                routes
                    .filter(|route| route.is_hop() && route.is_ipv6() == is_ipv6)
                    .count()
            };
            // A dead next hop stays.
            ip_lines("link set v1 down");
            assert_eq!((count(false).await, count(true).await), (2, 3));
            ip_lines("link set v1 up");
            ip_lines("address del 198.51.100.1/24 dev v1");
            assert_eq!(count(false).await, 2);
            // Without one of its links an IPv4 route is gone, an IPv6 route has the others.
            ip_lines("link del v1");
            assert_eq!((count(false).await, count(true).await), (0, 2));
        });
    });
}

#[test]
fn leased_routes_share_a_place() {
    run(|| {
        block_on(async {
            two_pairs();
            let kernel = open().await;
            let leased = |name, gateway| {
                Operation::AddRoute(Route {
                    metric: Some(100),
                    protocol: Some(PROTOCOL_DHCP),
                    ..via("0.0.0.0/0", name, gateway)
                })
            };
            let both = vec![leased("v0", "192.0.2.254"), leased("v1", "198.51.100.254")];
            apply(&kernel, both).await;
            let gateways: Vec<Value> = ip_json(&["-4", "route", "show", "default"])
                .iter()
                .map(|route| route["gateway"].clone())
                .collect();
            assert_eq!(gateways, ["192.0.2.254", "198.51.100.254"]);
        });
    });
}
