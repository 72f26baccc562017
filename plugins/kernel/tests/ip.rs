// SPDX-License-Identifier: Apache-2.0

//! Addresses, routes and the switches of IPv6: set by plans or by `ip`, looked at with `ip`, and read back.

#![allow(clippy::unwrap_used, reason = "support functions of tests")]

#[path = "support/tools.rs"]
mod tools;

use nipart_schemas::ip::{Address, PROTOCOL_NIPART};
use nipart_schemas::operation::{Ipv6Changes, Operation};
use nipart_schemas::request::QueryScope;
use nipart_schemas::route::{Route, RouteType};
use serde_json::{Value, json};
use tools::*;

fn add(address: Address) -> Operation {
    Operation::AddAddress {
        interface: "v0".to_string(),
        address,
    }
}

fn remove(address: &str) -> Operation {
    Operation::RemoveAddress {
        interface: "v0".to_string(),
        address: parse_address(address),
    }
}

/// A pair that is up, without addresses of its own.
fn quiet_pair() {
    ip_lines(
        "link add v0 type veth peer name p0; link set v0 addrgenmode none; \
         link set p0 addrgenmode none; link set v0 up; link set p0 up",
    );
}

fn shown_addresses(name: &str) -> Vec<Value> {
    let mut shown = ip_json(&["address", "show", "dev", name]);
    shown[0]["addr_info"]
        .as_array_mut()
        .unwrap()
        .drain(..)
        .collect()
}

fn route(destination: &str) -> Route {
    Route {
        destination: Some(destination.parse().unwrap()),
        next_hop_interface: Some("v0".to_string()),
        ..Route::default()
    }
}

#[test]
fn addresses_with_owner_and_life_times() {
    run(|| {
        block_on(async {
            quiet_pair();
            let kernel = open().await;
            let ours = Address {
                protocol: Some(PROTOCOL_NIPART),
                ..parse_address("192.0.2.1/24")
            };
            let leased = Address {
                protocol: Some(16),
                valid_life_time: Some(3600),
                preferred_life_time: Some(1800),
                ..parse_address("198.51.100.7/26")
            };
            let ours6 = Address {
                protocol: Some(PROTOCOL_NIPART),
                ..parse_address("2001:db8::1/64")
            };
            let plain6 = parse_address("2001:db8:1::1/128");
            let all = [ours, leased, ours6, plain6];
            apply(&kernel, all.map(add).into()).await;

            let shown = shown_addresses("v0");
            assert_eq!(shown.len(), 4);
            assert_eq!(shown[0]["local"], "192.0.2.1");
            assert_eq!(shown[0]["prefixlen"], 24);
            // iproute2 before 6.3 doesn't know who added an address.
            if let Some(protocol) = shown[0].get("protocol") {
                assert_eq!(*protocol, "0x6e");
            }
            assert_eq!(shown[0]["scope"], "global");
            assert_eq!(shown[0].get("broadcast"), None);
            assert_eq!(shown[0]["valid_life_time"], u32::MAX);
            assert_eq!(shown[1]["local"], "198.51.100.7");
            assert_eq!(shown[1]["dynamic"], true);
            assert!((3590..=3600).contains(&shown[1]["valid_life_time"].as_u64().unwrap()));
            assert!((1790..=1800).contains(&shown[1]["preferred_life_time"].as_u64().unwrap()));

            let observed = query_one(&kernel, "v0").await;
            let ipv4 = observed.ipv4.unwrap();
            assert_eq!((ipv4.enabled, ipv4.dhcp), (Some(true), None));
            let list: Vec<Address> = ipv4
                .address
                .unwrap()
                .iter()
                .map(Address::any_family)
                .collect();
            assert_eq!(list[0], ours);
            assert_eq!((list[1].key(), list[1].protocol), (leased.key(), Some(16)));
            assert!((3590..=3600).contains(&list[1].valid_life_time.unwrap()));
            assert!((1790..=1800).contains(&list[1].preferred_life_time.unwrap()));
            let ipv6 = observed.ipv6.unwrap();
            let mut list: Vec<Address> = ipv6
                .address
                .unwrap()
                .iter()
                .map(Address::any_family)
                .collect();
            list.sort_by_key(|address| address.ip);
            assert_eq!(list, [ours6, plain6]);

            // Again: other life times.
            let renewed = Address {
                valid_life_time: Some(7200),
                preferred_life_time: None,
                ..leased
            };
            let for_ever = Address {
                valid_life_time: None,
                preferred_life_time: None,
                ..leased
            };
            apply(&kernel, vec![add(renewed)]).await;
            let list = query_one(&kernel, "v0")
                .await
                .ipv4
                .unwrap()
                .address
                .unwrap();
            assert!((7190..=7200).contains(&list[1].valid_life_time.unwrap()));
            apply(&kernel, vec![add(for_ever)]).await;
            let list = query_one(&kernel, "v0")
                .await
                .ipv4
                .unwrap()
                .address
                .unwrap();
            assert_eq!(list[1].any_family(), for_ever);

            let all = [
                "192.0.2.1/24",
                "198.51.100.7/26",
                "2001:db8::1/64",
                "2001:db8:1::1/128",
            ];
            apply(&kernel, all.map(remove).into()).await;
            // Again: gone is as good as removed.
            apply(&kernel, all.map(remove).into()).await;
            assert_eq!(shown_addresses("v0"), Vec::<Value>::new());
            let observed = query_one(&kernel, "v0").await;
            let ipv4 = observed.ipv4.unwrap();
            assert_eq!(
                (ipv4.enabled, ipv4.address),
                (Some(false), Some(Vec::new()))
            );
        });
    });
}

#[test]
fn addresses_that_ip_made() {
    run(|| {
        block_on(async {
            ip_lines(
                "link set lo up; link add v0 type veth peer name p0; link set v0 up; link set p0 up; \
                 address add 192.0.2.9 peer 192.0.2.10/32 dev v0; address add 10.0.0.1/8 brd + dev v0",
            );
            let state = query_all(&open().await).await;
            let lo = state.interface("lo").unwrap();
            let list = lo.ipv4.as_ref().unwrap().address.as_ref().unwrap();
            assert_eq!(
                list[0].any_family().key(),
                parse_address("127.0.0.1/8").key()
            );
            assert_eq!(list[0].protocol, None);
            let list = lo.ipv6.as_ref().unwrap().address.as_ref().unwrap();
            assert_eq!(list[0].to_string(), "::1/128");
            assert_eq!(list[0].protocol, Some(1));
            let v0 = state.interface("v0").unwrap();
            let list = v0.ipv4.as_ref().unwrap().address.as_ref().unwrap();
            let list: Vec<String> = list.iter().map(ToString::to_string).collect();
            assert_eq!(list, ["192.0.2.9/32", "10.0.0.1/8"]);
            let ipv6 = v0.ipv6.as_ref().unwrap();
            assert_eq!((ipv6.enabled, ipv6.autoconf), (Some(true), Some(true)));
            let local = ipv6.address.as_ref().unwrap();
            assert!(local[0].ip.is_unicast_link_local());
            assert_eq!((local.len(), local[0].protocol), (1, Some(3)));
        });
    });
}

#[test]
fn whose_the_advertised_default_route_is() {
    run(|| {
        block_on(async {
            ip_lines("link add v0 type veth peer name p0; link set v0 up; link set p0 up");
            let kernel = open().await;
            for (accept, shown, written) in [(false, Some(false), "0"), (true, None, "1")] {
                let change = Operation::ChangeIpv6(Ipv6Changes {
                    accept_ra_defrtr: Some(accept),
                    ..Ipv6Changes::of("v0")
                });
                apply(&kernel, vec![change]).await;
                let path = "/proc/sys/net/ipv6/conf/v0/accept_ra_defrtr";
                assert_eq!(std::fs::read_to_string(path).unwrap().trim(), written);
                let ipv6 = query_one(&kernel, "v0").await.ipv6.unwrap();
                assert_eq!(ipv6.accept_ra_defrtr, shown);
            }
        });
    });
}

/// The kernel joins routes of different routers that have the same metric; each comes and goes by itself all the same.
#[test]
fn advertised_routes_of_one_metric() {
    run(|| {
        block_on(async {
            ip_lines("link add v0 type veth peer name p0; link set v0 up; link set p0 up");
            let kernel = open().await;
            let route = |gateway: &str| Route {
                destination: Some("2001:db8:7::/48".parse().unwrap()),
                next_hop_interface: Some("v0".to_string()),
                next_hop_address: Some(gateway.parse().unwrap()),
                metric: Some(1024),
                table_id: Some(254),
                protocol: Some(9),
                ..Route::default()
            };
            let routes = [route("fe80::1"), route("fe80::2")];
            apply(&kernel, routes.clone().map(Operation::AddRoute).to_vec()).await;
            let expires = "route add 2001:db8:8::/48 via fe80::1 dev v0 proto ra expires 1000";
            ip_lines(expires);
            let observed = async || {
                let scope = QueryScope {
                    routes: true,
                    ..QueryScope::default()
                };
                let mut state = kernel.query(&scope).await.unwrap();
                let running = state.routes.take().unwrap().running.unwrap();
                let advertised = running.into_iter().filter(Route::is_advertised);
                advertised.collect::<Vec<Route>>()
            };
            let found = observed().await;
            assert_eq!(found.len(), 3, "{found:?}");
            for wanted in &routes {
                let same = found.iter().find(|found| found.key() == wanted.key());
                let same = same.unwrap();
                assert!(!same.is_hop() && !same.is_kernels(), "{same:?}");
            }
            assert_eq!(found.iter().filter(|found| found.is_kernels()).count(), 1);
            let [first, second] = routes;
            apply(&kernel, vec![Operation::RemoveRoute(first)]).await;
            let found = observed().await;
            assert!(found.len() == 2 && found.iter().any(|found| found.key() == second.key()));
        });
    });
}

#[test]
fn switches_of_ipv6() {
    run(|| {
        block_on(async {
            ip_lines("link add v0 type veth peer name p0; link set v0 up; link set p0 up");
            let kernel = open().await;
            let change = |enabled, autoconf: Option<bool>| {
                Operation::ChangeIpv6(Ipv6Changes {
                    enabled,
                    autoconf,
                    accept_ra: autoconf.map(u8::from),
                    ..Ipv6Changes::of("v0")
                })
            };
            let file = |key: &str| {
                let path = format!("/proc/sys/net/ipv6/conf/v0/{key}");
                std::fs::read_to_string(path).unwrap().trim().to_string()
            };
            apply(&kernel, vec![change(None, Some(false))]).await;
            assert_eq!(
                (file("autoconf"), file("accept_ra")),
                ("0".into(), "0".into())
            );
            assert_eq!(file("disable_ipv6"), "0");
            let ipv6 = query_one(&kernel, "v0").await.ipv6.unwrap();
            assert_eq!((ipv6.enabled, ipv6.autoconf), (Some(true), Some(false)));

            apply(&kernel, vec![change(Some(false), None)]).await;
            assert_eq!(file("disable_ipv6"), "1");
            let ipv6 = query_one(&kernel, "v0").await.ipv6.unwrap();
            assert_eq!(
                (ipv6.enabled, ipv6.address),
                (Some(false), Some(Vec::new()))
            );

            apply(&kernel, vec![change(Some(true), Some(true))]).await;
            assert_eq!(
                (file("autoconf"), file("accept_ra")),
                ("1".into(), "1".into())
            );
            let ipv6 = query_one(&kernel, "v0").await.ipv6.unwrap();
            assert_eq!((ipv6.enabled, ipv6.autoconf), (Some(true), Some(true)));
            assert_eq!(ipv6.address.unwrap().len(), 1);

            // In one wave with other operations, in the order given.
            let wave = vec![
                change(Some(false), None),
                Operation::ChangeLink(nipart_schemas::operation::LinkChanges {
                    mtu: Some(1400),
                    ..changes("v0")
                }),
                change(Some(true), None),
                add(parse_address("2001:db8::5/64")),
            ];
            let report = execute(&kernel, vec![wave]).await;
            assert_eq!((report.succeeded, report.failures), (4, vec![]));

            // A link that is too small for IPv6.
            ip_lines("link set v0 mtu 1000");
            let ipv6 = query_one(&kernel, "v0").await.ipv6.unwrap();
            assert_eq!((ipv6.enabled, ipv6.autoconf), (Some(false), None));
            apply(&kernel, vec![change(Some(false), Some(false))]).await;
            let refusal = refused(&kernel, change(Some(true), None)).await;
            assert!(
                refusal.starts_with("change IPv6 of v0: enabled true: /proc/sys/net/ipv6/conf/v0"),
                "{refusal}"
            );
        });
    });
}

#[test]
fn routes_of_both_families() {
    run(|| {
        block_on(async {
            quiet_pair();
            ip_lines("address add 192.0.2.1/24 dev v0; address add 2001:db8::1/64 dev v0 nodad");
            let kernel = open().await;
            let gateway = |text: &str| Some(text.parse().unwrap());
            let routes = [
                route("198.51.100.0/24"),
                Route {
                    next_hop_address: gateway("192.0.2.254"),
                    metric: Some(100),
                    source: gateway("192.0.2.1"),
                    ..route("0.0.0.0/0")
                },
                Route {
                    next_hop_address: gateway("192.0.2.253"),
                    table_id: Some(1000),
                    protocol: Some(16),
                    ..route("203.0.113.0/24")
                },
                route("2001:db8:1::/48"),
                Route {
                    next_hop_address: gateway("2001:db8::fe"),
                    metric: Some(50),
                    table_id: Some(100),
                    ..route("::/0")
                },
            ];
            apply(&kernel, routes.clone().map(Operation::AddRoute).into()).await;

            let four = ip_json(&["-4", "route", "show", "table", "all"]);
            let shown = four
                .iter()
                .find(|one| one["dst"] == "198.51.100.0/24")
                .unwrap();
            assert_eq!(
                (&shown["protocol"], &shown["scope"]),
                (&json!("110"), &json!("link"))
            );
            let shown = four.iter().find(|one| one["dst"] == "default").unwrap();
            assert_eq!(shown["gateway"], "192.0.2.254");
            assert_eq!(
                (&shown["metric"], &shown["prefsrc"]),
                (&json!(100), &json!("192.0.2.1"))
            );
            let shown = four
                .iter()
                .find(|one| one["dst"] == "203.0.113.0/24")
                .unwrap();
            assert_eq!(
                (&shown["table"], &shown["protocol"]),
                (&json!("1000"), &json!("dhcp"))
            );
            let six = ip_json(&["-6", "route", "show", "table", "all"]);
            let shown = six
                .iter()
                .find(|one| one["dst"] == "2001:db8:1::/48")
                .unwrap();
            assert_eq!(
                (&shown["metric"], &shown["protocol"]),
                (&json!(1024), &json!("110"))
            );
            let shown = six.iter().find(|one| one["dst"] == "default").unwrap();
            assert_eq!(
                (&shown["table"], &shown["metric"]),
                (&json!("100"), &json!(50))
            );

            let state = query_all(&kernel).await;
            let running = state.running_routes();
            for route in &routes {
                let filled = Route {
                    metric: Some(route.key().metric),
                    table_id: Some(route.key().table_id),
                    protocol: route.protocol.or(Some(PROTOCOL_NIPART)),
                    ..route.clone()
                };
                assert!(running.contains(&filled), "{filled:?} in {running:#?}");
            }
            // With them the two that came with the addresses, and nothing of the local table or of multicast.
            assert_eq!(running.len(), routes.len() + 2, "{running:#?}");
            let connected = running.iter().filter(|route| route.protocol == Some(2));
            let connected: Vec<String> = connected
                .map(|route| route.destination.unwrap().to_string())
                .collect();
            assert_eq!(connected, ["192.0.2.0/24", "2001:db8::/64"]);

            let refusal = refused(&kernel, Operation::AddRoute(routes[0].clone())).await;
            assert_eq!(
                refusal,
                "add route 198.51.100.0/24 dev v0: File exists (EEXIST)"
            );
            let unreachable = Route {
                next_hop_address: gateway("10.9.9.9"),
                ..route("203.0.113.0/24")
            };
            let refusal = refused(&kernel, Operation::AddRoute(unreachable)).await;
            assert_eq!(
                refusal,
                "add route 203.0.113.0/24 via 10.9.9.9 dev v0: Network is unreachable (ENETUNREACH): \
                 Nexthop has invalid gateway"
            );

            let ours: Vec<Route> = running
                .iter()
                .filter(|route| route.protocol != Some(2))
                .cloned()
                .collect();
            let removals: Vec<Operation> = ours.into_iter().map(Operation::RemoveRoute).collect();
            apply(&kernel, removals.clone()).await;
            apply(&kernel, removals).await;
            assert_eq!(query_all(&kernel).await.running_routes().len(), 2);
        });
    });
}

#[test]
fn routes_that_ip_made() {
    run(|| {
        block_on(async {
            quiet_pair();
            ip_lines(
                "link add v1 type veth peer name p1; link set v1 addrgenmode none; link set v1 up; \
                 link set p1 addrgenmode none; link set p1 up; \
                 address add 192.0.2.1/24 dev v0; address add 198.51.100.1/24 dev v1; \
                 address add 2001:db8::1/64 dev v0 nodad; \
                 route add blackhole 10.0.0.0/8; route add unreachable 2001:db8:dead::/48; \
                 route add 10.1.0.0/16 via inet6 2001:db8::9 dev v0; \
                 route add 10.2.0.0/16 nexthop via 192.0.2.7 nexthop via 198.51.100.7; \
                 route add 10.3.0.0/16 dev v0 table 4000000000 metric 4000000000 proto bird",
            );
            let kernel = open().await;
            let state = query_all(&kernel).await;
            let find = |destination: &str| -> Vec<Route> {
                let destination = Some(destination.parse().unwrap());
                let routes = state.running_routes().iter();
                routes
                    .filter(|route| route.destination == destination)
                    .cloned()
                    .collect()
            };
            let nowhere = |destination: &str| {
                let found = find(destination).remove(0);
                assert_eq!((found.next_hop_interface, found.weight), (None, None));
                found.route_type
            };
            assert_eq!(nowhere("10.0.0.0/8"), Some(RouteType::Blackhole));
            assert_eq!(nowhere("2001:db8:dead::/48"), Some(RouteType::Unreachable));
            let mixed = find("10.1.0.0/16");
            assert_eq!(
                mixed[0].next_hop_address,
                Some("2001:db8::9".parse().unwrap())
            );
            let hops: Vec<(Option<String>, String)> = find("10.2.0.0/16")
                .into_iter()
                .map(|hop| {
                    (
                        hop.next_hop_interface,
                        hop.next_hop_address.unwrap().to_string(),
                    )
                })
                .collect();
            assert_eq!(
                hops,
                [
                    (Some("v0".to_string()), "192.0.2.7".to_string()),
                    (Some("v1".to_string()), "198.51.100.7".to_string())
                ]
            );
            let large = find("10.3.0.0/16");
            assert_eq!(large[0].table_id, Some(4_000_000_000));
            assert_eq!(large[0].metric, Some(4_000_000_000));
            assert_eq!(large[0].protocol, Some(12));
            let removals = vec![
                Operation::RemoveRoute(large[0].clone()),
                Operation::RemoveRoute(mixed[0].clone()),
                Operation::AddRoute(mixed[0].clone()),
            ];
            apply(&kernel, removals).await;
            let shown = ip_json(&["-4", "route", "show", "table", "all"]);
            assert!(!shown.iter().any(|route| route["dst"] == "10.3.0.0/16"));
            let again = shown
                .iter()
                .find(|route| route["dst"] == "10.1.0.0/16")
                .unwrap();
            assert_eq!(again["via"]["host"], "2001:db8::9");
        });
    });
}

/// An address that somebody else added takes our mark when it is added again.
#[test]
fn owner_of_an_address_that_is_there_already() {
    run(|| {
        block_on(async {
            quiet_pair();
            ip_lines("address add 192.0.2.1/24 dev v0; address add 2001:db8::1/64 dev v0 nodad");
            let kernel = open().await;
            let ours = |text| Address {
                protocol: Some(PROTOCOL_NIPART),
                ..parse_address(text)
            };
            let addresses = ["192.0.2.1/24", "2001:db8::1/64"].map(ours);
            apply(&kernel, addresses.map(add).into()).await;
            let observed = query_one(&kernel, "v0").await;
            let ipv4 = observed.ipv4.unwrap().address.unwrap();
            let ipv6 = observed.ipv6.unwrap().address.unwrap();
            assert_eq!((ipv4.len(), ipv6.len()), (1, 1));
            // Before 6.5, the kernel changes that of IPv6 addresses only.
            assert!([None, Some(PROTOCOL_NIPART)].contains(&ipv4[0].protocol));
            assert_eq!(ipv6[0].protocol, Some(PROTOCOL_NIPART));
        });
    });
}

#[test]
fn addresses_by_which_others_reach_a_link() {
    run(|| {
        block_on(async {
            quiet_pair();
            ip_lines(
                "address add 192.0.2.1/24 dev v0; address add 198.51.100.1/24 dev v0 scope host; \
                 address add 169.254.1.1/16 dev v0 scope link; address add fe80::1/64 dev v0 nodad; \
                 address add 2001:db8::1/64 dev v0 nodad",
            );
            // Whether somebody else has it is looked for as long as the test lasts.
            std::fs::write("/proc/sys/net/ipv6/conf/v0/dad_transmits", "1000").unwrap();
            ip_lines("address add 2001:db8::2/64 dev v0");
            let kernel = open().await;
            let scope = QueryScope {
                usable_addresses: true,
                ..only(&["v0"])
            };
            let state = kernel.query(&scope).await.unwrap();
            let found = state.interface("v0").unwrap();
            let ipv4 = found.ipv4.iter().flat_map(|ipv4| &ipv4.address).flatten();
            let ipv4: Vec<String> = ipv4.map(ToString::to_string).collect();
            assert_eq!(ipv4, ["192.0.2.1/24"]);
            let ipv6 = found.ipv6.iter().flat_map(|ipv6| &ipv6.address).flatten();
            let ipv6: Vec<String> = ipv6.map(ToString::to_string).collect();
            assert_eq!(ipv6, ["2001:db8::1/64"]);
        });
    });
}
