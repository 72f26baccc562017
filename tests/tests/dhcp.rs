// SPDX-License-Identifier: Apache-2.0

//! DHCPv4 from end to end: a lease comes, stays, is exchanged, and goes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes::{self, Watch, assert_includes};
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::{Peer, Server};
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::{Value, json};

/// For what takes milliseconds on an idle machine.
const SOON: Duration = Duration::from_secs(10);

const ON: &str = "interfaces: [{name: eth1, type: ethernet, ipv4: {enabled: true, dhcp: true}}]";
const OFF: &str = "interfaces: [{name: eth1, ipv4: {enabled: true, dhcp: false, address: []}}]";

/// A wire to a server's namespace, whose end there has 192.0.2.1.
fn wired() -> Peer {
    let peer = Peer::new();
    peer.wire("eth1", "srv1", "192.0.2.1/24");
    peer
}

fn leased() -> String {
    eventually("a lease", SOON, || {
        eyes::addresses("eth1").into_iter().next()
    })
}

fn without_address() {
    eventually("the address goes", SOON, || {
        eyes::addresses("eth1").is_empty().then_some(())
    });
}

#[test]
fn lease_of_dnsmasq() {
    run(|| {
        let peer = wired();
        let mut server = peer.dnsmasq(
            "srv1",
            "192.0.2.50,192.0.2.50",
            &[
                "--dhcp-option=3,192.0.2.254",
                "--dhcp-option=26,1400",
                "--dhcp-option=6,192.0.2.53",
            ],
        );
        let system = System::start();
        system.apply(ON).ok();
        server.await_line("DHCPACK", SOON);
        assert_eq!(leased(), "192.0.2.50/24");
        let route = "default via 192.0.2.254 dev eth1".to_string();
        eventually("the default route", SOON, || {
            eyes::routes().contains(&route).then_some(())
        });
        eventually("the MTU", SOON, || {
            (eyes::link("eth1")["mtu"] == 1400).then_some(())
        });
        let address = eyes::address_details("eth1")[0].clone();
        let left = address["valid_life_time"].as_u64().expect("seconds");
        assert!((3500..=3600).contains(&left), "{address}");
        let default = json!([{"dst": "default", "gateway": "192.0.2.254", "dev": "eth1", "protocol": "dhcp", "metric": 100}]);
        assert_includes("routes", &eyes::route_details("-4", "main"), &default);

        let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
        let expected = json!({"name": "eth1", "state": "up", "mtu": 1400, "ipv4": {"enabled": true, "dhcp": true, "address": [{"ip": "192.0.2.50", "prefix-length": 24}]}});
        assert_includes("show", &shown["interfaces"][0], &expected);
        let lives = &shown["interfaces"][0]["ipv4"]["address"][0]["valid-life-time"];
        assert!(
            lives.as_str().is_some_and(|text| text.ends_with("sec")),
            "{lives}"
        );
        check::changes_nothing(&system, ON);
        check::round_trip(&system);

        system.apply(OFF).ok();
        server.await_line("DHCPRELEASE", SOON);
        without_address();
        assert_eq!(eyes::routes(), Vec::<String>::new());
        let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
        assert_ne!(shown["interfaces"][0]["ipv4"]["dhcp"], true);
    });
}

#[test]
fn a_lease_that_was_made_static_stays_after_a_restart() {
    run(|| {
        let peer = wired();
        let mut server = peer.dnsmasq("srv1", "192.0.2.50,192.0.2.50", &[]);
        let mut system = System::start();
        system.apply(ON).ok();
        server.await_line("DHCPACK", SOON);
        assert_eq!(leased(), "192.0.2.50/24");
        let off = "interfaces: [{name: eth1, ipv4: {dhcp: false}}]";
        system.apply(off).ok();
        let saved = system.ctl(&["show", "--saved", "eth1"]).ok().out;
        assert!(saved.contains("192.0.2.50"), "{saved}");
        let is_static = || {
            let address = &eyes::address_details("eth1")[0];
            address["local"] == "192.0.2.50" && address["valid_life_time"] == 4_294_967_295_u32
        };
        assert!(is_static());
        system.stop_daemon();
        ip(&["address", "flush", "dev", "eth1"]);
        system.start_daemon();
        eventually("the address is back", SOON, || is_static().then_some(()));
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
        check::changes_nothing(&system, off);
    });
}

#[test]
fn renewed_at_t1_without_a_gap() {
    run(|| {
        let peer = wired();
        let options = ["--lease", "12", "--t1", "2", "--t2", "9"];
        let mut server = peer.short_leases("srv1", "192.0.2.1", "192.0.2.50-192.0.2.59", &options);
        let system = System::start();
        system.apply(ON).ok();
        assert_eq!(leased(), "192.0.2.50/24");
        server.await_line("\"ack\"", SOON);
        let watch = Watch::start();
        for _ in 0..3 {
            let request = server.await_line("\"request\"", Duration::from_secs(6));
            // Of a lease that is held, and to the server alone.
            assert!(
                request.contains("\"ciaddr\": \"192.0.2.50\"")
                    && request.contains("\"to\": \"192.0.2.1\""),
                "{request}"
            );
            server.await_line("\"ack\"", SOON);
            let extended = watch.await_line("inet 192.0.2.50/24", SOON);
            assert!(!extended.starts_with("Deleted"), "{extended}");
        }
        let told = watch.marked();
        assert!(
            !told.iter().any(|line| line.starts_with("Deleted")),
            "{told:?}"
        );
        assert_eq!(leased(), "192.0.2.50/24");
    });
}

#[test]
fn refused_lease_is_exchanged() {
    run(|| {
        let peer = wired();
        let options = [
            "--lease",
            "12",
            "--t1",
            "2",
            "--t2",
            "9",
            "--nak-after",
            "1",
        ];
        let mut server = peer.short_leases("srv1", "192.0.2.1", "192.0.2.50-192.0.2.59", &options);
        let system = System::start();
        system.apply(ON).ok();
        assert_eq!(leased(), "192.0.2.50/24");
        server.await_line("\"nak\"", SOON);
        eventually("another lease", SOON, || {
            (eyes::addresses("eth1") == ["192.0.2.51/24"]).then_some(())
        });
    });
}

/// A machine that was carried to another network while the daemon was away: its old address goes before there is another.
#[test]
fn an_address_that_is_refused_after_a_restart_goes_at_once() {
    run(|| {
        let peer = wired();
        let at_home = peer.short_leases(
            "srv1",
            "192.0.2.1",
            "192.0.2.50-192.0.2.59",
            &["--lease", "600"],
        );
        let mut system = System::start();
        system.apply(ON).ok();
        assert_eq!(leased(), "192.0.2.50/24");
        // What was not finished would be taken back.
        eventually("the change is over", SOON, || {
            system.journals().is_empty().then_some(())
        });
        system.stop_daemon();
        drop(at_home);
        peer.run(&["ip", "address", "flush", "dev", "srv1"]);
        let there = ["198.51.100.1/24", "dev", "srv1"];
        peer.run(&[&["ip", "address", "add"][..], &there].concat());
        // It lends nothing for now, so that the old address has no successor.
        let refusing = ["--lease", "600", "--nak-after", "0"];
        let mut elsewhere = peer.short_leases(
            "srv1",
            "198.51.100.1",
            "198.51.100.50-198.51.100.99",
            &refusing,
        );
        system.start_daemon();
        let request = elsewhere.await_line("\"request\"", SOON);
        assert!(
            request.contains("\"requested\": \"192.0.2.50\""),
            "{request}"
        );
        without_address();
        drop(elsewhere);
        let _elsewhere = peer.short_leases(
            "srv1",
            "198.51.100.1",
            "198.51.100.50-198.51.100.99",
            &["--lease", "600"],
        );
        eventually("a lease of that network", Duration::from_secs(60), || {
            (eyes::addresses("eth1") == ["198.51.100.50/24"]).then_some(())
        });
        check::no_errors(&system);
    });
}

/// How often a client was stopped: what is shorter than the monitor's patience is no news.
fn stops(system: &System) -> usize {
    let traces = system
        .ctl(&["trace", "list", "-n", "1000", "-o", "json"])
        .ok()
        .json();
    traces
        .as_array()
        .expect("a list")
        .iter()
        .filter(|trace| trace["kind"] == "stop-dhcp")
        .count()
}

#[test]
fn link_down_and_up() {
    run(|| {
        let peer = wired();
        let options = ["--lease", "20"];
        let mut server = peer.short_leases("srv1", "192.0.2.1", "192.0.2.50-192.0.2.59", &options);
        let system = System::start();
        system.apply(ON).ok();
        assert_eq!(leased(), "192.0.2.50/24");
        server.await_line("\"ack\"", SOON);
        for _ in 0..3 {
            let seen = stops(&system);
            peer.run(&["ip", "link", "set", "srv1", "down"]);
            eventually("the client stops", SOON, || {
                (stops(&system) > seen).then_some(())
            });
            peer.run(&["ip", "link", "set", "srv1", "up"]);
            // The address of before is asked for at once.
            let request = server.await_line("\"request\"", SOON);
            assert!(
                request.contains("\"requested\": \"192.0.2.50\""),
                "{request}"
            );
            server.await_line("\"ack\"", SOON);
        }
        assert_eq!(leased(), "192.0.2.50/24");
    });
}

#[test]
fn server_gone() {
    run(|| {
        let peer = wired();
        let options = ["--lease", "6", "--ignore-renewals"];
        let mut server = peer.short_leases("srv1", "192.0.2.1", "192.0.2.50-192.0.2.59", &options);
        let system = System::start();
        let watch = Watch::start();
        system.apply(ON).ok();
        watch.await_line("inet 192.0.2.50/24", SOON);
        let begun = std::time::Instant::now();
        server.await_line("\"ack\"", SOON);
        drop(server);
        let told = watch.await_line("inet 192.0.2.50/24", Duration::from_secs(15));
        assert!(told.starts_with("Deleted"), "{told}");
        let lived = begun.elapsed();
        assert!(
            lived > Duration::from_secs(4) && lived < Duration::from_secs(9),
            "{lived:?}"
        );
        assert_eq!(eyes::routes(), Vec::<String>::new());
        // It goes on asking.
        let _server = peer.short_leases(
            "srv1",
            "192.0.2.1",
            "192.0.2.60-192.0.2.69",
            &["--lease", "60"],
        );
        eventually(
            "a lease of the next server",
            Duration::from_secs(90),
            // Which one depends on whether the client still asks for its old address, and is refused, or not.
            || {
                eyes::addresses("eth1")
                    .first()?
                    .starts_with("192.0.2.6")
                    .then_some(())
            },
        );
    });
}

#[test]
fn two_interfaces_and_late_links() {
    run(|| {
        let system = System::start();
        let peer = wired();
        let both = "interfaces: [{name: eth1, ipv4: {enabled: true, dhcp: true}}, {name: eth2, ipv4: {enabled: true, dhcp: true, auto-gateway: false}}]";
        peer.wire("eth2", "srv2", "198.51.100.1/24");
        let _first = peer.dnsmasq(
            "srv1",
            "192.0.2.50,192.0.2.50",
            &["--dhcp-option=3,192.0.2.254"],
        );
        let second = peer.dnsmasq(
            "srv2",
            "198.51.100.50,198.51.100.50",
            &["--dhcp-option=3,198.51.100.254"],
        );
        system.apply(both).ok();
        let has = |name: &str, address: &str| (eyes::addresses(name) == [address]).then_some(());
        eventually("the first lease", SOON, || has("eth1", "192.0.2.50/24"));
        eventually("the second lease", SOON, || has("eth2", "198.51.100.50/24"));
        assert_eq!(eyes::routes(), ["default via 192.0.2.254 dev eth1"]);

        // One goes and comes back under its name; the other doesn't notice.
        // Its server too: two of them on one wire would refuse each other's leases.
        drop(second);
        ip(&["link", "delete", "eth2"]);
        peer.wire("eth2", "srv2", "198.51.100.1/24");
        let _third = peer.dnsmasq(
            "srv2",
            "198.51.100.60,198.51.100.60",
            &["--dhcp-option=3,198.51.100.254"],
        );
        eventually("a lease on the new link", Duration::from_secs(30), || {
            has("eth2", "198.51.100.60/24")
        });
        assert_eq!(eyes::addresses("eth1"), ["192.0.2.50/24"]);
        assert_eq!(eyes::routes(), ["default via 192.0.2.254 dev eth1"]);

        system
            .apply("interfaces: [{name: eth1, ipv4: {enabled: false}}]")
            .ok();
        without_address();
        assert_eq!(eyes::routes(), Vec::<String>::new());
        assert_eq!(eyes::addresses("eth2"), ["198.51.100.60/24"]);
    });
}

/// The next request of the client, after `keys` were written of it.
fn requested(system: &System, server: &mut Server, keys: &str) -> Value {
    system
        .apply(&format!(
            "interfaces: [{{name: eth1, ipv4: {{dhcp: true, {keys}}}}}]"
        ))
        .ok();
    let line = server.await_line("\"request\"", SOON);
    server.await_line("\"ack\"", SOON);
    serde_json::from_str(&line).expect("a line of JSON")
}

#[test]
fn what_the_client_calls_itself() {
    run(|| {
        let peer = wired();
        let options = ["--lease", "600"];
        let mut server = peer.short_leases("srv1", "192.0.2.1", "192.0.2.50-192.0.2.59", &options);
        ip(&["link", "set", "eth1", "address", "02:00:00:00:00:01"]);
        let system = System::start();
        let mut named = |keys: &str| {
            let request = requested(&system, &mut server, keys);
            let of = |key: &str| request[key].as_str().unwrap_or_default().to_string();
            (of("client_id"), of("hostname"))
        };
        let (by_default, host) = named("enabled: true");
        assert_eq!(by_default, "01:02:00:00:00:00:01");
        assert!(!host.is_empty());
        let (written, host) =
            named("dhcp-client-id: '00:aa:bb', dhcp-custom-hostname: web-1.example.org");
        assert_eq!(
            (written.as_str(), host.as_str()),
            ("00:aa:bb", "web-1.example.org")
        );
        // What isn't written stays.
        let (text, host) = named("dhcp-client-id: web");
        assert_eq!(
            (text.as_str(), host.as_str()),
            ("00:77:65:62", "web-1.example.org")
        );
        let (of_machine, host) = named("dhcp-client-id: iaid+duid, dhcp-send-hostname: false");
        // Type, IAID, DUID-UUID.
        let parts: Vec<&str> = of_machine.split(':').collect();
        assert_eq!(
            (parts.len(), parts[0], &parts[5..7]),
            (23, "ff", &["00", "04"][..])
        );
        let machine = std::fs::read_to_string("/etc/machine-id").expect("a file");
        assert!(!of_machine.replace(':', "").contains(machine.trim()));
        assert_eq!(host, "");
        let (again, host) = named("dhcp-client-id: ll, dhcp-send-hostname: true");
        assert_eq!(
            (again.as_str(), host.as_str()),
            ("01:02:00:00:00:00:01", "web-1.example.org")
        );
    });
}

#[test]
fn what_is_said_of_routes_stays_when_dhcp_is_written_again() {
    run(|| {
        let peer = wired();
        let option = "--dhcp-option=3,192.0.2.254";
        let mut server = peer.dnsmasq("srv1", "192.0.2.50,192.0.2.50", &[option]);
        let system = System::start();
        let on = |keys: &str| format!("interfaces: [{{name: eth1, ipv4: {{dhcp: true{keys}}}}}]");
        system
            .apply(&on(", auto-route-metric: 7, auto-route-table-id: 300"))
            .ok();
        server.await_line("DHCPACK", SOON);
        let of_table_300 = || {
            let routes = eyes::route_details("-4", "300");
            routes.as_array().cloned().unwrap_or_default()
        };
        let route = eventually("the route", SOON, || of_table_300().first().cloned());
        let expected =
            json!({"dst": "default", "gateway": "192.0.2.254", "protocol": "dhcp", "metric": 7});
        assert_includes("table 300", &route, &expected);
        check::changes_nothing(&system, &on(""));
        assert_eq!(of_table_300().len(), 1);
        assert_eq!(eyes::routes(), Vec::<String>::new());

        // A key alone is about the lease that is there.
        let without = "interfaces: [{name: eth1, ipv4: {auto-gateway: false}}]";
        system.apply(without).ok();
        assert_eq!(of_table_300().len(), 0);
        check::changes_nothing(&system, &on(""));
        check::changes_nothing(&system, without);
        assert_eq!(leased(), "192.0.2.50/24");
        let again =
            "interfaces: [{name: eth1, ipv4: {auto-gateway: true, auto-route-table-id: 254}}]";
        system.apply(again).ok();
        assert_eq!(eyes::routes(), ["default via 192.0.2.254 dev eth1"]);
    });
}

/// The default route and the others of classless routes (option 121), each by itself.
#[test]
fn routes_of_a_lease_are_taken_or_left() {
    run(|| {
        let peer = wired();
        let classless = "--dhcp-option=121,0.0.0.0/0,192.0.2.254,198.51.100.0/24,192.0.2.253";
        let _server = peer.dnsmasq("srv1", "192.0.2.50,192.0.2.50", &[classless]);
        let system = System::start();
        let default = "default via 192.0.2.254 dev eth1";
        let other = "198.51.100.0/24 via 192.0.2.253 dev eth1";
        let become_of = |keys: &str, expected: &[&str]| {
            let state = format!(
                "interfaces: [{{name: eth1, ipv4: {{enabled: true, dhcp: true, {keys}}}}}]"
            );
            system.apply(&state).ok();
            eventually(&format!("routes with {keys}"), SOON, || {
                let mut routes = eyes::routes();
                routes.sort();
                (routes == expected).then_some(())
            });
        };
        become_of("auto-routes: true", &[other, default]);
        become_of("auto-routes: false", &[default]);
        become_of("auto-gateway: false", &[]);
        become_of("auto-routes: true", &[other]);
        become_of("auto-gateway: true", &[other, default]);
    });
}
