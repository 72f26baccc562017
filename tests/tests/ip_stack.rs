// SPDX-License-Identifier: Apache-2.0

//! Forwarding, how IPv6 addresses are made, and the metric of the kernel's own routes: `ip` and `/proc` agree, and what
//! fails is taken back.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::net::Ipv6Addr;
use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes::{self, Watch, assert_includes, ipv4_switch, ipv6_switch};
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::{Value, json};

const PAIR: &str = "interfaces: [{name: v1, type: veth, mac-address: '02:00:00:00:00:01', veth: {peer: v2}}, {name: v2, type: veth}]";

fn apply(system: &System, name: &str, sections: &str) -> Value {
    check::apply(
        system,
        &format!("interfaces: [{{name: {name}, {sections}}}]"),
    )
}

/// What a failing apply leaves is what was there: the gateway is on no network.
fn fails_and_changes_nothing(system: &System, name: &str, sections: &str) {
    let (before, saved) = (eyes::settled(), system.saved());
    let route = format!(
        "{{destination: 10.2.0.0/16, next-hop-interface: {name}, next-hop-address: 10.77.0.1}}"
    );
    let state =
        format!("interfaces: [{{name: {name}, {sections}}}]\nroutes: {{config: [{route}]}}");
    let error = system.apply(&state).refused();
    assert!(
        error.contains("ENETUNREACH") && error.contains("the network is as it was"),
        "{error}"
    );
    eyes::assert_same(&before, &eyes::settled(), &error);
    assert_eq!(system.saved(), saved);
}

fn addr_gen_mode(name: &str) -> String {
    let mode = &eyes::link(name)["inet6_addr_gen_mode"];
    mode.as_str().expect("a mode").to_string()
}

/// The link-local addresses of a link, once the kernel has made some.
fn link_local(name: &str) -> Vec<Ipv6Addr> {
    let list = eyes::parsed(&ip(&["-j", "-6", "address", "show", "dev", name]));
    let list = list[0]["addr_info"].as_array().cloned().unwrap_or_default();
    let local = list.iter().filter(|address| address["scope"] == "link");
    local
        .filter_map(|address| address["local"].as_str()?.parse().ok())
        .collect()
}

fn token(name: &str) -> String {
    let text = ip(&["token", "get", "dev", name]);
    let mut words = text.split_whitespace();
    words.nth(1).expect("a token").to_string()
}

#[test]
fn forwarding() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        let both = || {
            (
                ipv4_switch("v1", "forwarding"),
                ipv6_switch("v1", "forwarding"),
            )
        };
        assert_eq!(both(), ("0".into(), "0".into()));
        let on = "ipv4: {forwarding: true}, ipv6: {forwarding: true}";
        fails_and_changes_nothing(&system, "v1", on);
        apply(&system, "v1", on);
        assert_eq!(both(), ("1".into(), "1".into()));
        assert_eq!(ipv4_switch("v2", "forwarding"), "0");
        // Router advertisements are listened to all the same.
        assert_eq!(ipv6_switch("v1", "accept_ra"), "2");
        let shown = system.ctl(&["show", "v1", "-o", "json"]).ok().json();
        let expected =
            json!({"ipv4": {"forwarding": true}, "ipv6": {"forwarding": true, "autoconf": true}});
        assert_includes("show", &shown["interfaces"][0], &expected);
        check::round_trip(&system);

        fails_and_changes_nothing(
            &system,
            "v1",
            "ipv4: {forwarding: false}, ipv6: {forwarding: false, autoconf: false}",
        );
        apply(&system, "v1", "ipv4: {forwarding: no}");
        assert_eq!(both(), ("0".into(), "1".into()));
        apply(&system, "v1", "ipv6: {forwarding: 0}");
        assert_eq!(both(), ("0".into(), "0".into()));
        assert_eq!(ipv6_switch("v1", "accept_ra"), "1");

        // A new link has it from its first moment on, and one that is created anew keeps it.
        check::apply(
            &system,
            "interfaces: [{name: mv1, type: mac-vlan, mac-vlan: {base-iface: v1, mode: bridge}, ipv4: {forwarding: true}, ipv6: {forwarding: true}}]",
        );
        apply(&system, "mv1", "mac-vlan: {base-iface: v2}");
        assert_eq!(ipv4_switch("mv1", "forwarding"), "1");
        assert_eq!(ipv6_switch("mv1", "forwarding"), "1");
    });
}

#[test]
fn a_revert_spells_out_defaults() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        apply(
            &system,
            "v1",
            "ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}",
        );
        let change = "interfaces: [{name: v1, ipv4: {prefix-route-metric: 300, forwarding: true}, ipv6: {token: '::7'}}]";
        let revert = system.ctl_with(&["gr", "-"], change).ok().out;
        let before = eyes::everything();
        check::apply(&system, change);
        assert_ne!(eyes::everything(), before);
        system.apply(&revert).ok();
        eyes::assert_same(&before, &eyes::everything(), &revert);
    });
}

#[test]
fn how_addresses_are_made() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        let from_mac: Ipv6Addr = "fe80::ff:fe00:1".parse().expect("an address");
        eventually("a link-local address", Duration::from_secs(5), || {
            link_local("v1").contains(&from_mac).then_some(())
        });
        assert_eq!(addr_gen_mode("v1"), "eui64");
        fails_and_changes_nothing(&system, "v1", "ipv6: {addr-gen-mode: none}");
        apply(&system, "v1", "ipv6: {addr-gen-mode: stable-privacy}");
        assert_eq!(addr_gen_mode("v1"), "stable_secret");
        // A link that is up has its new address at once.
        let stable = link_local("v1");
        assert_eq!(stable.len(), 2, "{stable:?}");
        let shown = system.ctl(&["show", "v1", "-o", "json"]).ok().json();
        assert_eq!(
            shown["interfaces"][0]["ipv6"]["addr-gen-mode"],
            "stable-privacy"
        );
        check::round_trip(&system);
        apply(&system, "v1", "ipv6: {addr-gen-mode: eui64}");
        assert_eq!(addr_gen_mode("v1"), "eui64");

        // A new link never has an address of the other kind, and the same one each time.
        let new = "interfaces:
- {name: mv1, type: mac-vlan, mac-address: '02:00:00:00:00:09', mac-vlan: {base-iface: v2, mode: bridge}, ipv6: {addr-gen-mode: stable-privacy}}
- {name: w1, type: veth, veth: {peer: w2}, ipv6: {addr-gen-mode: none}}
- {name: w2, type: veth, ipv6: {addr-gen-mode: random}}";
        let watch = Watch::start();
        check::apply(&system, new);
        let stable = link_local("mv1");
        assert_eq!(stable.len(), 1, "{stable:?}");
        let told = watch.marked();
        assert!(
            !told.iter().any(|line| line.contains("fe80::ff:fe00:9")),
            "{told:?}"
        );
        assert_eq!(link_local("w1"), Vec::<Ipv6Addr>::new());
        assert_eq!(
            (addr_gen_mode("w1"), addr_gen_mode("w2")),
            ("none".into(), "random".into())
        );
        system
            .apply("interfaces: [{name: mv1, state: absent}]")
            .ok();
        check::apply(&system, new);
        assert_eq!(link_local("mv1"), stable);
        check::round_trip(&system);
    });
}

#[test]
fn tokens() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        fails_and_changes_nothing(&system, "v1", "ipv6: {token: '::1:2:3'}");
        apply(&system, "v1", "ipv6: {token: '::1:2:3'}");
        assert_eq!(token("v1"), "::1:2:3");
        fails_and_changes_nothing(&system, "v1", "ipv6: {token: '::'}");
        fails_and_changes_nothing(&system, "v1", "ipv6: {autoconf: false}");
        // Packets are passed on, and the token stays.
        apply(&system, "v1", "ipv6: {forwarding: true}");
        assert_eq!(token("v1"), "::1:2:3");
        let shown = system.ctl(&["show", "v1", "-o", "json"]).ok().json();
        assert_eq!(shown["interfaces"][0]["ipv6"]["token"], "::1:2:3");
        check::round_trip(&system);
        // Without autoconfiguration there is none, and with it again there is none left.
        apply(&system, "v1", "ipv6: {autoconf: false}");
        apply(&system, "v1", "ipv6: {autoconf: true}");
        assert_eq!(token("v1"), "::");
        apply(&system, "v1", "ipv6: {autoconf: false}");
        apply(&system, "v1", "ipv6: {token: '::9'}");
        assert_eq!(token("v1"), "::9");
        assert_eq!(ipv6_switch("v1", "accept_ra"), "2");
        apply(&system, "v1", "ipv6: {token: '::'}");
        assert_eq!(token("v1"), "::");
    });
}

/// Metrics of the kernel's own routes.
fn metrics(family: &str) -> Vec<(String, u64)> {
    let routes = eyes::parsed(&ip(&[
        "-j", family, "route", "show", "proto", "kernel", "dev", "v1",
    ]));
    let routes = routes.as_array().cloned().unwrap_or_default();
    let found = routes.iter().filter_map(|route| {
        let destination = route["dst"].as_str().filter(|text| *text != "fe80::/64")?;
        let metric = route["metric"].as_u64().unwrap_or(0);
        Some((destination.to_string(), metric))
    });
    found.collect()
}

#[test]
fn metrics_of_connected_routes() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        let addresses = |ipv4: &str, ipv6: &str| {
            format!(
                "ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}, {{ip: 192.0.2.2, prefix-length: 24}}]{ipv4}}},
                 ipv6: {{address: [{{ip: '2001:db8::1', prefix-length: 64}}]{ipv6}}}"
            )
        };
        apply(&system, "v1", &addresses("", ""));
        let of = |ipv4: u64, ipv6: u64| {
            (
                vec![("192.0.2.0/24".to_string(), ipv4)],
                vec![("2001:db8::/64".to_string(), ipv6)],
            )
        };
        let seen = || (metrics("-4"), metrics("-6"));
        assert_eq!(seen(), of(0, 256));
        let both = ", prefix-route-metric: 300";
        fails_and_changes_nothing(&system, "v1", &addresses(both, both));
        apply(
            &system,
            "v1",
            &addresses(both, ", prefix-route-metric: '0x190'"),
        );
        assert_eq!(seen(), of(300, 400));
        let shown = system.ctl(&["show", "v1", "-o", "json"]).ok().json();
        let expected =
            json!({"ipv4": {"prefix-route-metric": 300}, "ipv6": {"prefix-route-metric": 400}});
        assert_includes("show", &shown["interfaces"][0], &expected);
        check::round_trip(&system);

        // A list without the key keeps it, for new addresses, too.
        apply(
            &system,
            "v1",
            "ipv4: {address: [{ip: 198.51.100.1, prefix-length: 24}]}, ipv6: {address: [{ip: '2001:db8:1::1', prefix-length: 64}]}",
        );
        assert_eq!(metrics("-4"), [("198.51.100.0/24".to_string(), 300)]);
        assert_eq!(metrics("-6"), [("2001:db8:1::/64".to_string(), 400)]);
        fails_and_changes_nothing(
            &system,
            "v1",
            &addresses(", prefix-route-metric: 0", ", prefix-route-metric: 0"),
        );
        // The key alone changes them where they are; 0 is the default.
        let defaults = "ipv4: {prefix-route-metric: 0}, ipv6: {prefix-route-metric: 0}";
        apply(&system, "v1", defaults);
        assert_eq!(metrics("-4"), [("198.51.100.0/24".to_string(), 0)]);
        assert_eq!(metrics("-6"), [("2001:db8:1::/64".to_string(), 256)]);
    });
}

#[test]
fn what_cannot_be_is_refused() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        for (sections, place, words) in [
            (
                "ipv6: {token: '2001:db8::1'}",
                "ipv6.token",
                "its first 64 bits must be zero",
            ),
            (
                "ipv6: {token: '::1', autoconf: false}",
                "ipv6.token",
                "contradicts autoconf: false",
            ),
            (
                "ipv6: {token: '::1', enabled: false}",
                "ipv6.token",
                "contradicts enabled: false",
            ),
            (
                "ipv6: {addr-gen-mode: eui-64}",
                "ipv6.addr-gen-mode",
                "stable-privacy (2)",
            ),
            (
                "ipv4: {prefix-route-metric: -1}",
                "ipv4.prefix-route-metric",
                "-1",
            ),
            ("ipv4: {forwarding: maybe}", "ipv4.forwarding", "maybe"),
        ] {
            let state = format!("interfaces:\n- name: v1\n  {sections}\n");
            let error = check::refused(&system, &state);
            let path = format!("interfaces[0].{place}");
            assert!(error.contains(&path) && error.contains(words), "{error}");
            assert!(error.contains(":3:"), "{error}");
        }
    });
}
