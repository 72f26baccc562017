// SPDX-License-Identifier: Apache-2.0

//! Laying states over each other.

use proptest::prelude::*;
use proptest::sample::select;

use super::NetworkState;
use std::net::Ipv6Addr;

use crate::interface::InterfaceState;
use crate::revert::{followed_by, revert_of};
use crate::yaml;

fn state(text: &str) -> NetworkState {
    yaml::parse(text).unwrap()
}

#[track_caller]
fn check(upper: &str, below: &str, expected: &str) {
    let merged = state(upper).laid_over(&state(below));
    assert_eq!(
        yaml::to_string(&merged).unwrap(),
        yaml::to_string(&state(expected)).unwrap()
    );
}

#[test]
fn keys_that_are_not_written_stay() {
    check(
        "interfaces: [{name: eth0, mtu: 1400}, {name: eth1}]",
        "interfaces: [{name: eth0, type: ethernet, mtu: 1500, ipv4: {dhcp: true}}]",
        "interfaces: [{name: eth0, type: ethernet, mtu: 1400, ipv4: {dhcp: true}}, {name: eth1}]",
    );
}

#[test]
fn names_of_the_machine() {
    let below = "
hostname: {running: a, config: a}
dns-resolver: {config: {server: [192.0.2.1], search: [a.org]}}
interfaces: [{name: eth0, dns: {server: [192.0.2.2], search: [b.org]}}, {name: eth1, dns: {server: [192.0.2.3]}}]
";
    check(
        "
hostname: {running: b}
dns-resolver: {config: {search: []}}
interfaces: [{name: eth0, dns: {server: [192.0.2.4]}}, {name: eth1, dns: {}}]
",
        below,
        "
hostname: {running: b, config: a}
dns-resolver: {config: {server: [192.0.2.1], search: []}}
interfaces: [{name: eth0, dns: {server: [192.0.2.4], search: [b.org]}}, {name: eth1}]
",
    );
    let purged = state("dns-resolver: {config: {}}").laid_over(&state(below));
    assert_eq!(purged.dns_resolver, None);
    assert_eq!(purged.interfaces.len(), 2);
}

#[test]
fn the_way_back_of_names() {
    let current = state(
        "
hostname: {running: a}
dns-resolver: {running: {server: [192.0.2.1]}, config: {server: [192.0.2.1]}, backend: resolv-conf}
interfaces: [{name: eth0, type: ethernet, dns: {server: [192.0.2.2]}}]
",
    );
    let back = |desired: &str| {
        let text = yaml::to_string(&revert_of(&state(desired), &current)).unwrap();
        state(&text)
    };
    assert_eq!(
        back("hostname: {config: b}\ndns-resolver: {config: {search: [a.org]}}"),
        state("hostname: {config: ''}\ndns-resolver: {config: {search: []}}")
    );
    let section = back("interfaces: [{name: eth0, dns: {}}]").interfaces[0]
        .dns
        .clone();
    let expected =
        state("interfaces: [{name: eth0, dns: {server: [192.0.2.2], search: [], options: []}}]");
    assert_eq!(section, expected.interfaces[0].dns);

    let both = |first: &str, next: &str| followed_by(&state(first), &state(next)).dns_resolver;
    let resolver = |text: &str| state(text).dns_resolver;
    assert_eq!(
        both(
            "dns-resolver: {config: {}}",
            "dns-resolver: {config: {search: [a.org]}}"
        ),
        resolver("dns-resolver: {config: {server: [], search: [a.org], options: []}}")
    );
    assert_eq!(
        both(
            "dns-resolver: {config: {search: [a.org]}}",
            "dns-resolver: {config: {}}"
        ),
        resolver("dns-resolver: {config: {}}")
    );
}

/// The kernel shows `autoconf` of a port, and of a link without IPv6, which is refused for a new one.
#[test]
fn the_way_back_to_a_port() {
    let current = state(
        "
interfaces:
- {name: v1, type: veth, state: up, controller: br0, ipv6: {enabled: true, autoconf: true}, veth: {peer: v2}}
- {name: v3, type: veth, state: up, controller: vrf0, ipv6: {enabled: true, autoconf: true}, veth: {peer: v4}}
- {name: br0, type: linux-bridge, state: up}
- {name: vrf0, type: vrf, state: up}
- {name: v5, type: veth, state: up, ipv6: {enabled: false, autoconf: true}, veth: {peer: v6}}
",
    );
    let desired = "interfaces: [{name: v1, state: absent}, {name: v3, state: absent}, {name: v5, state: absent}]";
    let back = revert_of(&state(desired), &current);
    let autoconf = |name: &str| {
        let interface = back.interface(name).unwrap();
        interface.ipv6.as_ref().unwrap().autoconf
    };
    assert_eq!(
        back.interface("v1").unwrap().controller.as_deref(),
        Some("br0")
    );
    assert_eq!((autoconf("v1"), autoconf("v3")), (None, Some(true)));
    assert_eq!(autoconf("v5"), None);
}

/// What goes unasked, or stays written of a link that is set down.
#[test]
fn a_revert_brings_back_metrics_and_takes_back_tokens() {
    let current = state(
        "
interfaces:
- {name: v1, type: veth, state: up, ipv4: {enabled: true, prefix-route-metric: 50, address: [{ip: 192.0.2.1, prefix-length: 24, prefix-route-metric: 50}]}}
- {name: x0, type: vxlan, state: up, ipv6: {enabled: true, autoconf: true, address: []}}
",
    );
    let desired = "
interfaces:
- {name: v1, controller: br0}
- {name: br0, type: linux-bridge}
- {name: x0, state: down, ipv6: {token: '::2', prefix-route-metric: 50}}
";
    let back = revert_of(&state(desired), &current);
    let ipv4 = back.interface("v1").and_then(|v1| v1.ipv4.clone()).unwrap();
    assert_eq!(ipv4.prefix_route_metric, Some(50));
    let ipv6 = back.interface("x0").and_then(|x0| x0.ipv6.clone()).unwrap();
    assert_eq!(ipv6.token, Some(Ipv6Addr::UNSPECIFIED));
    assert_eq!(ipv6.prefix_route_metric, Some(0));
}

#[test]
fn absent_removes_with_routes_and_references() {
    check(
        "interfaces: [{name: eth0, state: absent}]",
        "
interfaces:
- {name: eth0, mtu: 1400}
- {name: br0, bridge: {port: [{name: eth0}, {name: eth1}]}}
routes:
  config:
  - {destination: 192.0.2.0/24, next-hop-interface: eth0}
  - {destination: 192.0.2.0/24, next-hop-interface: br0, metric: 5}
",
        "
interfaces:
- {name: br0, bridge: {port: [{name: eth1}]}}
routes:
  config:
  - {destination: 192.0.2.0/24, next-hop-interface: br0, metric: 5}
",
    );
    check(
        "interfaces: [{name: br0, state: absent}]",
        "interfaces: [{name: br0}, {name: eth0, controller: br0}]",
        "interfaces: [{name: eth0}]",
    );
}

#[test]
fn the_other_end_of_a_removed_veth_is_gone_too() {
    let pair = "interfaces: [{name: va, veth: {peer: vb}}, {name: vb}]";
    check("interfaces: [{name: va, state: absent}]", pair, "{}");
    check("interfaces: [{name: vb, state: absent}]", pair, "{}");
}

#[test]
fn the_other_end_of_a_veth_with_another_peer_is_gone() {
    let expected = "interfaces: [{name: va, mtu: 1400, veth: {peer: vc}}]";
    for pair in [
        "interfaces: [{name: va, mtu: 1400, veth: {peer: vb}}, {name: vb}]",
        "interfaces: [{name: va, mtu: 1400}, {name: vb, veth: {peer: va}}]",
    ] {
        check("interfaces: [{name: va, veth: {peer: vc}}]", pair, expected);
    }
    let written_there = "interfaces: [{name: va, mtu: 1400}, {name: vc, veth: {peer: va}}]";
    let pair = "interfaces: [{name: va, mtu: 1400}, {name: vb, veth: {peer: va}}]";
    check(
        "interfaces: [{name: vc, veth: {peer: va}}]",
        pair,
        written_there,
    );
}

#[test]
fn an_address_that_is_borrowed_is_not_kept() {
    check(
        "interfaces: [{name: mv1, mac-address: '02:00:00:00:00:01', mac-vlan: {mode: passthru}},
                      {name: mv2, mac-address: '02:00:00:00:00:02', mac-vlan: {mode: bridge}}]",
        "interfaces: [{name: mv1, mac-vlan: {base-iface: eth0}}]",
        "interfaces: [{name: mv1, mac-vlan: {base-iface: eth0, mode: passthru}},
                      {name: mv2, mac-address: '02:00:00:00:00:02', mac-vlan: {mode: bridge}}]",
    );
}

#[test]
fn a_port_that_moves_leaves_the_old_list() {
    check(
        "interfaces: [{name: br1, bridge: {port: [{name: eth0}]}}]",
        "interfaces: [{name: br0, bridge: {port: [{name: eth0}, {name: eth1}]}}]",
        "interfaces: [{name: br0, bridge: {port: [{name: eth1}]}}, {name: br1, bridge: {port: [{name: eth0}]}}]",
    );
    check(
        "interfaces: [{name: eth0, controller: br1}]",
        "interfaces: [{name: br0, bridge: {port: [{name: eth0}]}}, {name: br1, bridge: {port: []}}]",
        "interfaces: [{name: br0, bridge: {port: []}}, {name: br1, bridge: {port: [{name: eth0}]}}, {name: eth0, controller: br1}]",
    );
    check(
        "interfaces: [{name: eth0, controller: ''}]",
        "interfaces: [{name: br0, bridge: {port: [{name: eth0}]}}]",
        "interfaces: [{name: br0, bridge: {port: []}}, {name: eth0, controller: ''}]",
    );
}

#[test]
fn a_list_overrules_the_key_of_a_port() {
    check(
        "interfaces: [{name: br0, bridge: {port: []}}]",
        "interfaces: [{name: br0}, {name: eth0, controller: br0}]",
        "interfaces: [{name: br0, bridge: {port: []}}, {name: eth0}]",
    );
    check(
        "interfaces: [{name: br1, bridge: {port: [{name: eth0}]}}]",
        "interfaces: [{name: eth0, controller: br0}]",
        "interfaces: [{name: eth0}, {name: br1, bridge: {port: [{name: eth0}]}}]",
    );
}

#[test]
fn a_port_has_no_addresses_left() {
    check(
        "interfaces: [{name: br0, bridge: {port: [{name: eth0}]}}]",
        "interfaces: [{name: eth0, mtu: 1400, ipv4: {dhcp: true}, ipv6: {autoconf: true}}]",
        "interfaces: [{name: eth0, mtu: 1400}, {name: br0, bridge: {port: [{name: eth0}]}}]",
    );
}

#[test]
fn a_port_that_was_down_is_up() {
    check(
        "interfaces: [{name: br0, bridge: {port: [{name: eth0}]}}]",
        "interfaces: [{name: eth0, state: down}]",
        "interfaces: [{name: eth0}, {name: br0, bridge: {port: [{name: eth0}]}}]",
    );
}

#[test]
fn what_is_turned_off_takes_its_settings_along() {
    check(
        "interfaces: [{name: eth0, ipv4: {enabled: false}, ipv6: {enabled: false}}]",
        "
interfaces:
- name: eth0
  ipv4: {dhcp: true, address: [{ip: 192.0.2.1, prefix-length: 24}], auto-dns: false}
  ipv6: {enabled: true, autoconf: true, address: []}
",
        "interfaces: [{name: eth0, ipv4: {enabled: false, auto-dns: false}, ipv6: {enabled: false}}]",
    );
    check(
        "interfaces: [{name: eth0, ipv4: {dhcp: true}, ipv6: {autoconf: true}}]",
        "interfaces: [{name: eth0, ipv4: {enabled: false}, ipv6: {enabled: false}}]",
        "interfaces: [{name: eth0, ipv4: {dhcp: true}, ipv6: {autoconf: true}}]",
    );
}

#[test]
fn a_state_that_is_not_written_is_up() {
    check(
        "interfaces: [{name: br0, mtu: 1400}]",
        "interfaces: [{name: br0, state: down}]",
        "interfaces: [{name: br0, mtu: 1400}]",
    );
}

#[test]
fn a_veth_stays_a_veth() {
    check(
        "interfaces: [{name: va, type: ethernet, mtu: 1400}]",
        "interfaces: [{name: va, type: veth, veth: {peer: vb}}]",
        "interfaces: [{name: va, type: veth, mtu: 1400, veth: {peer: vb}}]",
    );
}

#[test]
fn a_route_replaces_what_is_in_its_place() {
    check(
        "
routes:
  config:
  - {destination: 10.0.0.0/8, next-hop-interface: eth0, next-hop-address: 192.0.2.2}
  - {destination: 11.0.0.0/8, next-hop-interface: eth0, source: 192.0.2.9}
  - {destination: 12.0.0.0/8, state: absent}
  - {destination: 13.0.0.0/8, next-hop-interface: eth0}
",
        "
routes:
  config:
  - {destination: 12.0.0.0/8, next-hop-interface: eth0}
  - {destination: 11.0.0.0/8, next-hop-interface: eth0}
  - {destination: 10.0.0.0/8, next-hop-interface: eth0, next-hop-address: 192.0.2.1}
  - {destination: 10.0.0.0/8, next-hop-interface: eth0, metric: 5}
",
        "
routes:
  config:
  - {destination: 11.0.0.0/8, next-hop-interface: eth0, source: 192.0.2.9}
  - {destination: 10.0.0.0/8, next-hop-interface: eth0, metric: 5}
  - {destination: 10.0.0.0/8, next-hop-interface: eth0, next-hop-address: 192.0.2.2}
  - {destination: 13.0.0.0/8, next-hop-interface: eth0}
",
    );
}

const NAMES: [&str; 4] = ["eth0", "br0", "br1", "va"];

/// One interface as text; `with_references` lets it name others or be absent.
fn interface(name: &'static str, with_references: bool) -> impl Strategy<Value = String> {
    let mut words = vec![
        "mtu: 1400",
        "mtu: 1500",
        "description: text",
        "ipv4: {dhcp: true}",
        "ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}",
        "ipv6: {auto-dns: false}",
        "profile-name: p",
    ];
    if with_references {
        words.extend(match name {
            "eth0" => vec![
                "controller: br0",
                "controller: ''",
                "state: absent",
                "state: down",
            ],
            "va" => vec!["veth: {peer: vb}", "controller: br1", "state: absent"],
            "br0" => vec![
                "bridge: {port: [{name: eth0}]}",
                "bridge: {port: []}",
                "state: absent",
            ],
            _ => vec!["bridge: {port: [{name: va}]}", "state: down"],
        });
    }
    select(words).prop_map(move |word| format!("- {{name: {name}, {word}}}\n"))
}

fn any_state(with_references: bool) -> impl Strategy<Value = NetworkState> {
    let interfaces =
        proptest::sample::subsequence(NAMES.to_vec(), 0..=4).prop_flat_map(move |names| {
            let interfaces = names
                .into_iter()
                .map(|name| interface(name, with_references));
            interfaces.collect::<Vec<_>>()
        });
    let gateways = proptest::collection::vec(1_u8..3, 3);
    let routes = (
        proptest::sample::subsequence(vec![1_u8, 2, 3], 0..=3),
        gateways,
    );
    (interfaces, routes).prop_map(|(interfaces, routes)| {
        let mut state = match interfaces.concat().as_str() {
            "" => NetworkState::default(),
            list => state(&format!("interfaces:\n{list}")),
        };
        let routes = routes.0.into_iter().zip(routes.1);
        let config = routes.map(|(destination, gateway)| {
            format!("  - {{destination: 10.{destination}.0.0/16, next-hop-interface: br1, next-hop-address: 192.0.2.{gateway}}}\n")
        });
        let config: Vec<String> = config.collect();
        if !config.is_empty() {
            let text = format!("routes:\n  config:\n{}", config.concat());
            state.routes = self::state(&text).routes;
        }
        state
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn twice_is_once(upper in any_state(true), below in any_state(true)) {
        let below = below.laid_over(&NetworkState::default());
        let once = upper.laid_over(&below);
        prop_assert_eq!(upper.laid_over(&once), once);
    }

    #[test]
    fn over_nothing_and_under_nothing_is_itself(own in any_state(false)) {
        let own = own.laid_over(&NetworkState::default());
        prop_assert_eq!(own.laid_over(&NetworkState::default()), own.clone());
        prop_assert_eq!(NetworkState::default().laid_over(&own), own);
    }

    #[test]
    fn what_is_absent_is_nowhere(upper in any_state(true), below in any_state(true)) {
        let merged = upper.laid_over(&below);
        for interface in &upper.interfaces {
            if interface.wanted_state() == crate::interface::InterfaceState::Absent {
                prop_assert!(!merged.mentioned_interfaces().contains(&interface.name));
            }
        }
    }

    #[test]
    fn states_that_name_no_others_can_be_laid_in_any_grouping(
        top in any_state(false),
        middle in any_state(false),
        bottom in any_state(false),
    ) {
        let left = top.laid_over(&middle).laid_over(&bottom);
        let right = top.laid_over(&middle.laid_over(&bottom));
        let sorted = |mut state: NetworkState| {
            state.interfaces.sort_by(|one, other| one.name.cmp(&other.name));
            let routes = state.routes.iter_mut().flat_map(|routes| routes.config.iter_mut());
            routes.for_each(|list| list.sort_by_key(crate::route::Route::key));
            state
        };
        prop_assert_eq!(sorted(left), sorted(right));
    }
}

/// The other end of a pair goes with it, and so does what is stacked upon a link.
#[test]
fn the_way_back_to_what_vanished() {
    let current = state(
        "
interfaces:
- {name: v1, type: veth, state: up, veth: {peer: v2}}
- {name: v2, type: veth, state: up, mtu: 1400, veth: {peer: v1}}
- {name: m1, type: mac-vlan, state: up, mac-vlan: {base-iface: v2, mode: bridge}}
- {name: eth0, type: ethernet, state: up}
- {name: m2, type: mac-vlan, state: up, mac-vlan: {base-iface: eth0, mode: bridge}}
",
    );
    let names = |desired: &str| {
        let back = revert_of(&state(desired), &current);
        let names = back.interfaces.into_iter().map(|interface| interface.name);
        names.collect::<Vec<String>>()
    };
    assert_eq!(
        names("interfaces: [{name: v1, state: absent}]"),
        ["v1", "v2", "m1"]
    );
    assert_eq!(names("interfaces: [{name: eth0, state: down}]"), ["eth0"]);
}

/// What is left out stays, so the way back says what was the default.
#[test]
fn the_way_back_of_uses_of_leases() {
    let mut current =
        state("interfaces: [{name: eth0, state: up, ipv4: {dhcp: true}, ipv6: {autoconf: true}}]");
    let saved =
        state("interfaces: [{name: eth0, ipv6: {auto-gateway: false, auto-route-metric: 7}}]");
    current.learn_uses_of_leases(&saved);
    let desired = "interfaces: [{name: eth0, ipv4: {auto-gateway: false, auto-route-metric: 3},
        ipv6: {auto-gateway: true, auto-routes: false, auto-route-table-id: 9}}]";
    let back = revert_of(&state(desired), &current);
    let expected = state(
        "interfaces: [{name: eth0, ipv4: {auto-gateway: true, auto-route-metric: 100},
            ipv6: {auto-gateway: false, auto-routes: true, auto-route-table-id: 254}}]",
    );
    assert_eq!(back.interfaces[0].ipv4, expected.interfaces[0].ipv4);
    assert_eq!(back.interfaces[0].ipv6, expected.interfaces[0].ipv6);
}

/// What is set down is remembered with the names that it was to get.
#[test]
fn the_way_back_to_a_link_that_had_no_such_name() {
    let current = state(
        "interfaces: [{name: v1, type: veth, state: up, alt-names: [{name: a}], veth: {peer: v2}}]",
    );
    let desired = "interfaces: [{name: v1, state: down, alt-names: [{name: a}, {name: b}]}]";
    let back = revert_of(&state(desired), &current);
    let expected =
        state("interfaces: [{name: v1, alt-names: [{name: a}, {name: b, state: absent}]}]");
    assert_eq!(
        back.interfaces[0].alt_names,
        expected.interfaces[0].alt_names
    );
}

/// IPv4 without an address is shown as off; others may have routes there all the same.
#[test]
fn the_way_back_to_a_route_without_an_address() {
    let current = state(
        "
interfaces: [{name: v1, type: veth, state: up, ipv4: {enabled: false}, veth: {peer: v2}}]
routes: {running: [{destination: 203.0.113.0/24, next-hop-interface: v1, metric: 24, protocol: 3}]}
",
    );
    let desired = "
interfaces: [{name: v1, ipv4: {enabled: true, address: [{ip: 192.0.2.1, prefix-length: 24}]}}]
routes: {config: [{state: absent, destination: 203.0.113.0/24}]}
";
    let back = revert_of(&state(desired), &current);
    let ipv4 = back.interfaces[0].ipv4.as_ref().unwrap();
    assert_eq!(back.config_routes().len(), 1);
    assert_eq!(
        (ipv4.enabled, ipv4.address.as_deref()),
        (None, Some(&[][..]))
    );
}

#[test]
fn the_way_back_to_a_family_that_is_turned_off() {
    let ipv4 = "{enabled: true, address: [{ip: 192.0.2.1, prefix-length: 24}]}";
    let ipv6 =
        "{enabled: true, autoconf: false, address: [{ip: '2001:db8::1', prefix-length: 64}]}";
    let current =
        format!("interfaces: [{{name: v1, type: veth, state: up, ipv4: {ipv4}, ipv6: {ipv6}}}]");
    let off = "interfaces: [{name: v1, ipv4: {enabled: false}, ipv6: {enabled: false}}]";
    assert_eq!(revert_of(&state(off), &state(&current)), state(&current));
}

/// Without a carrier, a card that negotiates nothing may not know its speed; of one that negotiates nothing was set.
#[test]
fn the_way_back_to_rules_of_several_owners() {
    let rule = "{family: ipv4, priority: 100, route-table: 6";
    let current =
        format!("route-rules: {{config: [{rule}, protocol: 0}}, {rule}, protocol: 3}}]}}");
    let removal = "route-rules: {config: [{state: absent, family: ipv4, route-table: 6}]}";
    let back = revert_of(&state(removal), &state(&current));
    assert_eq!(back.rules().len(), 1, "{back:?}");
}

#[test]
fn speeds_that_are_not_known_are_those_that_were_set() {
    let set =
        "interfaces: [{name: eth0, ethernet: {auto-negotiation: false, speed: 100, duplex: full}}]";
    for (present, expected) in [
        (
            "auto-negotiation: false",
            "auto-negotiation: false, speed: 100, duplex: full",
        ),
        (
            "auto-negotiation: false, speed: 10",
            "auto-negotiation: false, speed: 10, duplex: full",
        ),
        ("auto-negotiation: true", "auto-negotiation: true"),
    ] {
        let of = |ethernet: &str| {
            state(&format!(
                "interfaces: [{{name: eth0, ethernet: {{{ethernet}}}}}]"
            ))
        };
        let mut present = of(present);
        present.presume_link_modes(&state(set));
        assert_eq!(present, of(expected));
    }
}

#[test]
fn a_virtual_link_that_was_down_is_raised() {
    let current = state(
        "interfaces: [{name: v8, type: veth, state: down, mtu: 1500, veth: {peer: v9}},
                      {name: v9, type: veth, state: up, mtu: 1500, veth: {peer: v8}},
                      {name: far, type: veth, state: down, mtu: 1500},
                      {name: eth0, type: ethernet, state: down, mtu: 1500}]",
    );
    for (desired, states, raised) in [
        ("{name: v8, mtu: 1400}", "up", "v8"),
        ("{name: v9, state: down}", "up up", "v8"),
        ("{name: v8, state: absent}", "up up", "v8"),
        ("{name: v8, state: down}", "down", ""),
        (
            "{name: far, mtu: 1400}, {name: eth0, mtu: 1400}",
            "down down",
            "",
        ),
    ] {
        let back = revert_of(&state(&format!("interfaces: [{desired}]")), &current);
        let found = back
            .interfaces
            .iter()
            .map(|back| match back.wanted_state() {
                InterfaceState::Up => "up",
                _ => "down",
            });
        assert_eq!(found.collect::<Vec<_>>().join(" "), states, "{desired}");
        let found = crate::revert::raised(&back, &current);
        assert_eq!(found.join(" "), raised, "{desired}");
    }
}
