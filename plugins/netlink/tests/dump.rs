// SPDX-License-Identifier: Apache-2.0

//! Dumps compared with what `ip -j` says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "failing loudly is how tests report"
)]

#[path = "support/messages.rs"]
mod support;

use std::net::Ipv4Addr;
use std::time::Duration;

use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::link::{
    AfSpecInet6, AfSpecUnspec, InfoKind, LinkAttribute, LinkMessage,
};
use nipart_netlink::packet::route::{RouteProtocol, RouteType};
use nipart_netlink::sysctl::{self, Family, Scope};
use nipart_netlink::{LinkFilter, NetlinkRequest, OnFailure, RouteFilter};
use nipart_tests::namespace;
use nipart_tests::process::eventually;
use support::*;

fn has_ipv6_statistics(link: &LinkMessage) -> bool {
    link.attributes.iter().any(|attribute| {
        matches!(attribute, LinkAttribute::AfSpecUnspec(families) if families.iter().any(|family| {
            matches!(family, AfSpecUnspec::Inet6(inside)
                if inside.iter().any(|one| matches!(one, AfSpecInet6::Stats(_))))
        }))
    })
}

#[test]
fn links_match_what_ip_shows() {
    namespace::run(|| {
        block_on(async {
            let apply = apply_socket();
            let results = apply.execute(veth_pairs(0..200), OnFailure::Continue).await;
            assert!(results.iter().all(Result::is_ok));
            apply
                .execute_one(NetlinkRequest::create_link(link("br0", InfoKind::Bridge)))
                .await
                .unwrap();
            namespace::ip(&["link", "set", "v5", "master", "br0"]);
            namespace::ip(&["link", "set", "v6", "master", "br0", "mtu", "1400"]);

            let dump = dump_socket();
            let links = dump.links().await.unwrap();
            let shown = ip_json(&["link"]);
            assert_eq!(links.len(), 402);
            assert_eq!(links.len(), shown.len());
            for (link, shown) in links.iter().zip(&shown) {
                assert_eq!(name_of(link), shown["ifname"]);
                assert_eq!(link.header.index, shown["ifindex"]);
                let mtu = u32::try_from(shown["mtu"].as_u64().unwrap()).unwrap();
                assert!(link.attributes.contains(&LinkAttribute::Mtu(mtu)));
                assert!(!has_ipv6_statistics(link));
            }

            let bridges = dump
                .links_matching(LinkFilter {
                    kind: Some(InfoKind::Bridge),
                    ..LinkFilter::default()
                })
                .await
                .unwrap();
            assert_eq!(bridges.iter().map(name_of).collect::<Vec<_>>(), ["br0"]);
            let bridge = bridges[0].header.index;
            let ports = dump
                .links_matching(LinkFilter {
                    controller: Some(bridge),
                    ipv6_statistics: true,
                    ..LinkFilter::default()
                })
                .await
                .unwrap();
            assert_eq!(ports.iter().map(name_of).collect::<Vec<_>>(), ["v5", "v6"]);
            assert!(has_ipv6_statistics(&ports[0]));

            let with_vlans = dump.bridge_ports_map(Some).await.unwrap();
            assert_eq!(
                with_vlans.iter().map(name_of).collect::<Vec<_>>(),
                ["v5", "v6", "br0"]
            );
            assert!(
                with_vlans
                    .iter()
                    .all(|port| port.header.interface_family == AddressFamily::Bridge)
            );
        });
    });
}

#[test]
fn looks_up_names_alternative_names_and_indexes() {
    namespace::run(|| {
        namespace::ip(&["link", "add", "br0", "type", "bridge"]);
        namespace::ip(&["link", "property", "add", "dev", "br0", "altname", "short"]);
        let long = "a-name-much-longer-than-fifteen-bytes";
        namespace::ip(&["link", "property", "add", "dev", "br0", "altname", long]);
        block_on(async {
            let dump = dump_socket();
            for name in ["br0", "short", long] {
                let found = dump.link(name, LinkFilter::default()).await.unwrap();
                assert_eq!(name_of(&found.unwrap()), "br0", "{name}");
            }
            let index = index_of(&dump, "br0").await;
            let found = dump
                .link_by_index(index, LinkFilter::default())
                .await
                .unwrap();
            assert_eq!(name_of(&found.unwrap()), "br0");
            for name in ["br1", "another-name-longer-than-fifteen-bytes", "br0/x"] {
                assert_eq!(
                    dump.link(name, LinkFilter::default()).await.unwrap(),
                    None,
                    "{name}"
                );
            }
            assert_eq!(
                dump.link_by_index(9999, LinkFilter::default())
                    .await
                    .unwrap(),
                None
            );
        });
    });
}

#[test]
fn addresses_and_routes_are_filtered_by_the_kernel() {
    namespace::run(|| {
        block_on(async {
            let apply = apply_socket();
            let dump = dump_socket();
            let mut requests = veth_pairs(0..2);
            requests.extend([
                set_up("lo"),
                set_up("v0"),
                set_up("p0"),
                set_up("v1"),
                set_up("p1"),
            ]);
            assert!(
                apply
                    .execute(requests, OnFailure::Continue)
                    .await
                    .iter()
                    .all(Result::is_ok)
            );
            let (first, second) = (index_of(&dump, "v0").await, index_of(&dump, "v1").await);
            let requests = (0..200u8)
                .map(|number| {
                    let index = if number % 2 == 0 { first } else { second };
                    NetlinkRequest::add_address(address(index, Ipv4Addr::new(10, 0, 0, number)))
                })
                .chain((0..300u16).map(|number| {
                    let [high, low] = number.to_be_bytes();
                    let (table, protocol) = match number % 3 {
                        0 => (254, RouteProtocol::Static),
                        1 => (254, RouteProtocol::Bird),
                        _ => (1000, RouteProtocol::Static),
                    };
                    NetlinkRequest::add_route(route(
                        Ipv4Addr::new(10, 1, high, low),
                        first,
                        table,
                        protocol,
                    ))
                }))
                .collect();
            let results = apply.execute(requests, OnFailure::Continue).await;
            assert!(results.iter().all(Result::is_ok), "{results:?}");

            // Routes follow when duplicate address detection ends.
            eventually("addresses are usable", Duration::from_secs(10), || {
                (!namespace::ip(&["address"]).contains("tentative")).then_some(())
            });
            // IPv6 link-local addresses included.
            let of_first = dump.addresses(Some(first)).await.unwrap();
            assert!(of_first.iter().all(|address| address.header.index == first));
            let families = |family| {
                of_first
                    .iter()
                    .filter(|one| one.header.family == family)
                    .count()
            };
            assert_eq!(families(AddressFamily::Inet), 100);
            assert_eq!(families(AddressFamily::Inet6), 1);
            let shown: usize = ip_json(&["address"])
                .iter()
                .map(|link| link["addr_info"].as_array().unwrap().len())
                .sum();
            assert_eq!(dump.addresses(None).await.unwrap().len(), shown);
            assert!(dump.addresses(Some(9999)).await.unwrap_err().is_not_found());

            let count = async |filter| dump.routes(filter).await.unwrap().len();
            let any = RouteFilter::default();
            let four = RouteFilter {
                family: Some(AddressFamily::Inet),
                ..any
            };
            let six = RouteFilter {
                family: Some(AddressFamily::Inet6),
                ..any
            };
            assert_eq!(count(any).await, count(four).await + count(six).await);
            assert_eq!(
                count(four).await,
                ip_json(&["-4", "route", "show", "table", "all"]).len()
            );
            assert_eq!(
                count(six).await,
                ip_json(&["-6", "route", "show", "table", "all"]).len()
            );
            assert_eq!(
                count(RouteFilter {
                    table: Some(1000),
                    ..any
                })
                .await,
                100
            );
            assert_eq!(
                count(RouteFilter {
                    table: Some(4242),
                    ..any
                })
                .await,
                0
            );
            assert_eq!(
                count(RouteFilter {
                    protocol: Some(RouteProtocol::Bird),
                    ..any
                })
                .await,
                100
            );
            assert_eq!(
                count(RouteFilter {
                    interface: Some(second),
                    ..four
                })
                .await,
                ip_json(&["-4", "route", "show", "table", "all", "dev", "v1"]).len()
            );
            let kept = dump
                .routes_map(
                    RouteFilter {
                        table: Some(254),
                        ..four
                    },
                    |header| header.kind == RouteType::Unicast,
                    |route| {
                        (route.header.protocol == RouteProtocol::Bird).then_some(route.header.table)
                    },
                )
                .await
                .unwrap();
            assert_eq!(kept, vec![254; 100]);
            for (family, option) in [(AddressFamily::Inet, "-4"), (AddressFamily::Inet6, "-6")] {
                let rules = dump.rules(family).await.unwrap();
                assert_eq!(rules.len(), ip_json(&[option, "rule"]).len());
            }
        });
    });
}

#[test]
fn sysctls_of_interfaces_with_dots() {
    namespace::run(|| {
        namespace::ip(&["link", "add", "br.1", "type", "bridge"]);
        let scope = Scope::Interface("br.1");
        assert_eq!(
            sysctl::read(Family::Ipv6, scope, "disable_ipv6").unwrap(),
            "0"
        );
        sysctl::write(Family::Ipv6, scope, "disable_ipv6", "1").unwrap();
        assert_eq!(
            sysctl::read(Family::Ipv6, scope, "disable_ipv6").unwrap(),
            "1"
        );
        sysctl::write(Family::Ipv4, scope, "rp_filter", "2").unwrap();
        assert_eq!(sysctl::read(Family::Ipv4, scope, "rp_filter").unwrap(), "2");
        assert!(
            sysctl::read(Family::Ipv4, Scope::Interface("br.2"), "rp_filter")
                .unwrap_err()
                .is_not_found()
        );
        assert!(
            sysctl::write(Family::Ipv4, scope, "nonesuch", "1")
                .unwrap_err()
                .is_not_found()
        );
        assert!(
            !sysctl::write(Family::Ipv4, scope, "rp_filter", "many")
                .unwrap_err()
                .is_not_found()
        );
    });
}
