// SPDX-License-Identifier: Apache-2.0

//! What routers advertise: name servers, default routes and other routes, and whose these are.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::{Peer, Server};
use nipart_tests::process::{Process, eventually};
use nipart_tests::system::System;

/// For what takes little more than the two seconds in which the kernel finds out that an address is nobody else's.
const SOON: Duration = Duration::from_secs(20);

const ON: &str =
    "interfaces: [{name: eth1, type: ethernet, ipv6: {enabled: true, autoconf: true}}]";
const ROUTER: &str = "fe80::1";
const OTHER_ROUTER: &str = "fe80::2";
const DNS: &str = "nameserver 2001:db8::53";

/// The same with these keys besides.
fn with(keys: &str) -> String {
    ON.replace("autoconf: true", &format!("autoconf: true, {keys}"))
}

/// A wire to a namespace whose end there speaks from two link-local addresses.
fn wired() -> Peer {
    let peer = Peer::new();
    peer.wire("eth1", "srv1", "192.0.2.1/24");
    // Else addresses go when the wire is cut.
    let keep = "echo 1 > /proc/sys/net/ipv6/conf/srv1/keep_addr_on_down";
    peer.run(&["sh", "-c", keep]);
    for router in [ROUTER, OTHER_ROUTER] {
        let address = format!("{router}/64");
        peer.run(&["ip", "address", "add", &address, "dev", "srv1", "nodad"]);
    }
    peer
}

/// The first router, with these options.
fn router(peer: &Peer, options: &[&str]) -> Server {
    peer.router("srv1", &[&["--source", ROUTER], options].concat())
}

/// All routes of router advertisements, as iproute2 tells of them: `DESTINATION via GATEWAY metric NUMBER table NAME`,
/// and `expires` where they are the kernel's. Sorted.
fn advertised() -> Vec<String> {
    let all = eyes::parsed(&ip(&["-6", "-j", "route", "show", "table", "all"]));
    let all = all.as_array().expect("a list").iter();
    let mut routes: Vec<String> = all
        .filter(|route| route["protocol"] == "ra")
        .map(|route| {
            let text = |key: &str| route[key].as_str().unwrap_or("-").to_string();
            let table = route["table"].as_str().unwrap_or("main");
            let end = if route["expires"].is_null() {
                ""
            } else {
                " expires"
            };
            assert_eq!(route["dev"], "eth1", "{route}");
            format!(
                "{} via {} metric {} table {table}{end}",
                text("dst"),
                text("gateway"),
                route["metric"]
            )
        })
        .collect();
    routes.sort();
    routes
}

fn becomes_advertised(expected: &[&str]) {
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let found = advertised();
        if found == expected {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{found:?} instead of {expected:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

const KERNELS: &str = "default via fe80::1 metric 1024 table main expires";

fn resolv_conf(system: &System) -> Vec<String> {
    let text = std::fs::read_to_string(system.path("etc/resolv.conf")).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_string).collect()
}

fn becomes_resolv_conf(system: &System, expected: &[&str]) {
    eventually(&format!("resolv.conf is {expected:?}"), SOON, || {
        (resolv_conf(system) == expected).then_some(())
    });
}

fn defrtr() -> String {
    eyes::ipv6_switch("eth1", "accept_ra_defrtr")
}

/// What most networks have, from a router of everyday.
#[test]
fn name_servers_of_dnsmasq() {
    run(|| {
        let peer = wired();
        let address = ["2001:db8::1/64", "dev", "srv1", "nodad"];
        peer.run(&[&["ip", "address", "add"][..], &address].concat());
        let forward = "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
        peer.run(&["sh", "-c", forward]);
        let _server = peer.dnsmasq_for(
            "srv1",
            "2001:db8::,ra-only,64",
            &[
                "--enable-ra",
                "--dhcp-option=option6:dns-server,[2001:db8::53]",
                "--dhcp-option=option6:domain-search,a.org",
            ],
        );
        let system = System::start();
        system.apply(ON).ok();
        becomes_resolv_conf(&system, &["search a.org", DNS]);
        let shown = system.ctl(&["show", "-o", "json"]).ok().json();
        let source = &shown["dns-resolver"]["sources"][0];
        assert_eq!(source["origin"], "router-advertisement", "{shown}");
        assert_eq!(source["interface"], "eth1", "{shown}");
        eventually("the kernel's default route", SOON, || {
            let found = advertised();
            (found.len() == 1 && found[0].ends_with("expires")).then_some(())
        });
        check::changes_nothing(&system, ON);
        check::round_trip(&system);
        check::no_errors(&system);
    });
}

#[test]
fn name_servers_come_change_and_go() {
    run(|| {
        let peer = wired();
        let system = System::start();
        system.apply(ON).ok();
        let known = ["--dns", "2001:db8::53,600", "--search", "a.org,600"];
        let first = router(&peer, &known);
        becomes_resolv_conf(&system, &["search a.org", DNS]);
        drop(first);
        let second = router(
            &peer,
            &["--dns", "2001:db8::53,0", "--dns", "2001:db8::54,600"],
        );
        becomes_resolv_conf(&system, &["search a.org", "nameserver 2001:db8::54"]);
        system
            .apply("interfaces: [{name: eth1, ipv6: {auto-dns: false}}]")
            .ok();
        assert_eq!(resolv_conf(&system), Vec::<String>::new());
        system
            .apply("interfaces: [{name: eth1, ipv6: {auto-dns: true}}]")
            .ok();
        becomes_resolv_conf(&system, &["search a.org", "nameserver 2001:db8::54"]);
        drop(second);
        // It ends by itself, where nobody says anything more.
        let _third = router(&peer, &["--dns", "2001:db8::54,2", "--search", "a.org,0"]);
        becomes_resolv_conf(&system, &["nameserver 2001:db8::54"]);
        becomes_resolv_conf(&system, &[]);
        system
            .apply("interfaces: [{name: eth1, ipv6: {autoconf: false}}]")
            .ok();
        check::no_errors(&system);
    });
}

#[test]
fn whose_the_default_route_is() {
    run(|| {
        let peer = wired();
        let _router = router(&peer, &["--dns", "2001:db8::53,600"]);
        let system = System::start();
        system.apply(ON).ok();
        becomes_resolv_conf(&system, &[DNS]);
        becomes_advertised(&[KERNELS]);
        assert_eq!(defrtr(), "1");

        // Each word by itself, from one to the next.
        for (keys, expected) in [
            ("auto-gateway: false", vec![]),
            (
                "auto-gateway: true, auto-route-metric: 50",
                vec!["default via fe80::1 metric 50 table main"],
            ),
            (
                "auto-route-metric: 0, auto-route-table-id: 77",
                vec!["default via fe80::1 metric 1024 table 77"],
            ),
        ] {
            let state = with(keys);
            system.apply(&state).ok();
            becomes_advertised(&expected);
            assert_eq!(defrtr(), "0", "{keys}");
            check::changes_nothing(&system, &state);
            check::round_trip(&system);
            assert_eq!(resolv_conf(&system), [DNS]);
        }
        system
            .apply("interfaces: [{name: eth1, ipv6: {auto-route-table-id: 254}}]")
            .ok();
        becomes_advertised(&[KERNELS]);
        assert_eq!(defrtr(), "1");
        check::no_errors(&system);

        // Alone, and when the link doesn't listen to routers any more.
        system.apply(&with("auto-gateway: false")).ok();
        becomes_advertised(&[]);
        system
            .apply("interfaces: [{name: eth1, ipv6: {autoconf: false}}]")
            .ok();
        assert_eq!(defrtr(), "1");
        assert_eq!(resolv_conf(&system), Vec::<String>::new());
    });
}

#[test]
fn other_routes() {
    run(|| {
        let peer = wired();
        let first = router(&peer, &["--route", "2001:db8:7::/48,600,medium"]);
        let system = System::start();
        system.apply(ON).ok();
        let through_first = "2001:db8:7::/48 via fe80::1 metric 1024 table main";
        becomes_advertised(&[through_first, KERNELS]);
        check::changes_nothing(&system, ON);

        // Another router that is preferred, until it says that it isn't one any more.
        let other = [
            "--source",
            OTHER_ROUTER,
            "--lifetime",
            "0",
            "--route",
            "2001:db8:7::/48,600,high",
        ];
        let second = peer.router("srv1", &other);
        becomes_advertised(&[
            "2001:db8:7::/48 via fe80::2 metric 1024 table main",
            KERNELS,
        ]);
        drop(second);
        let other = [
            "--source",
            OTHER_ROUTER,
            "--lifetime",
            "0",
            "--route",
            "2001:db8:7::/48,0,high",
        ];
        let second = peer.router("srv1", &other);
        becomes_advertised(&[through_first, KERNELS]);
        drop(second);

        system
            .apply("interfaces: [{name: eth1, ipv6: {auto-routes: false}}]")
            .ok();
        assert_eq!(advertised(), [KERNELS]);
        let state = "interfaces: [{name: eth1, ipv6: {auto-routes: true, auto-route-metric: 70}}]";
        system.apply(state).ok();
        let ours = [
            "2001:db8:7::/48 via fe80::1 metric 70 table main",
            "default via fe80::1 metric 70 table main",
        ];
        becomes_advertised(&ours);
        drop(first);
        let _first = router(
            &peer,
            &["--lifetime", "0", "--route", "2001:db8:7::/48,0,medium"],
        );
        becomes_advertised(&[]);
        check::no_errors(&system);
    });
}

#[test]
fn the_best_router() {
    run(|| {
        let peer = wired();
        let system = System::start();
        system.apply(&with("auto-route-metric: 50")).ok();
        let first = router(&peer, &[]);
        becomes_advertised(&["default via fe80::1 metric 50 table main"]);
        let other = ["--source", OTHER_ROUTER, "--preference", "high"];
        let second = peer.router("srv1", &other);
        becomes_advertised(&["default via fe80::2 metric 50 table main"]);
        drop((first, second));
        let _second = peer.router("srv1", &["--source", OTHER_ROUTER, "--lifetime", "0"]);
        becomes_advertised(&["default via fe80::1 metric 50 table main"]);
        check::no_errors(&system);
    });
}

#[test]
fn not_of_neighbours() {
    run(|| {
        let peer = wired();
        let system = System::start();
        system.apply(ON).ok();
        // From further away than the link: whoever asks again has not believed the first answer.
        let far = ["--hop-limit", "254", "--dns", "2001:db8::bad,600"];
        let mut forged = router(&peer, &far);
        forged.await_line("solicited", SOON);
        forged.await_line("solicited", SOON);
        drop(forged);
        let _router = router(&peer, &["--dns", "2001:db8::53,600"]);
        becomes_resolv_conf(&system, &[DNS]);
    });
}

/// A router that listens to others doesn't follow what it says itself.
#[test]
fn not_of_this_host() {
    run(|| {
        let peer = wired();
        let system = System::start();
        system.apply(ON).ok();
        ip(&["address", "add", "fe80::9/64", "dev", "eth1", "nodad"]);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/support/router.py");
        let own = ["--interface", "eth1", "--source", "fe80::9"];
        let bad = ["--dns", "2001:db8::bad,600"];
        let arguments = [&["python3", script], &own[..], &bad[..]].concat();
        let mut own = Process::start(&arguments, Stdio::piped());
        let mut line = String::new();
        let output = own.0.stdout.take().expect("a pipe");
        let read = BufReader::new(output).read_line(&mut line);
        assert!(read.is_ok() && line.contains("ready"), "{line:?}");
        let _router = router(&peer, &["--dns", "2001:db8::53,600"]);
        becomes_resolv_conf(&system, &[DNS]);
    });
}

/// A port of a bridge has no routes and no name servers of its own, and the kernel's switch is as it was.
#[test]
fn a_port_keeps_nothing_of_routers() {
    run(|| {
        let peer = wired();
        let options = [
            "--dns",
            "2001:db8::53,600",
            "--route",
            "2001:db8:7::/48,600,medium",
        ];
        let _router = router(&peer, &options);
        let system = System::start();
        let bridge = "{name: br0, type: linux-bridge, bridge: {port: [{name: eth1}]}}";
        for listed in ["", ", {name: eth1, controller: br0}"] {
            system.apply(&with("auto-route-metric: 50")).ok();
            becomes_resolv_conf(&system, &[DNS]);
            becomes_advertised(&[
                "2001:db8:7::/48 via fe80::1 metric 50 table main",
                "default via fe80::1 metric 50 table main",
            ]);
            system
                .apply(&format!("interfaces: [{bridge}{listed}]"))
                .ok();
            becomes_advertised(&[]);
            becomes_resolv_conf(&system, &[]);
            assert_eq!(defrtr(), "1");
            system
                .apply("interfaces: [{name: br0, state: absent}]")
                .ok();
        }
        check::no_errors(&system);
    });
}

/// Who forgets the link leaves the default route to the kernel again.
#[test]
fn a_forgotten_link_is_the_kernels_again() {
    run(|| {
        let peer = wired();
        let _router = router(&peer, &["--dns", "2001:db8::53,600"]);
        let system = System::start();
        system.apply(&with("auto-route-metric: 50")).ok();
        becomes_resolv_conf(&system, &[DNS]);
        becomes_advertised(&["default via fe80::1 metric 50 table main"]);
        system
            .apply("interfaces: [{name: eth1, state: absent}]")
            .ok();
        eventually("our route goes", SOON, || {
            let ours = |route: &String| !route.ends_with("expires");
            (!advertised().iter().any(ours)).then_some(())
        });
        becomes_resolv_conf(&system, &[]);
        assert_eq!(defrtr(), "1");
        system.apply(ON).ok();
        becomes_advertised(&[KERNELS]);
        check::no_errors(&system);
    });
}

#[test]
fn link_down_and_up() {
    run(|| {
        let peer = wired();
        let options = [
            "--dns",
            "2001:db8::53,600",
            "--route",
            "2001:db8:7::/48,600,medium",
        ];
        let mut first = router(&peer, &options);
        let system = System::start();
        system.apply(&with("auto-route-metric: 50")).ok();
        let ours = [
            "2001:db8:7::/48 via fe80::1 metric 50 table main",
            "default via fe80::1 metric 50 table main",
        ];
        becomes_advertised(&ours);
        becomes_resolv_conf(&system, &[DNS]);
        peer.run(&["ip", "link", "set", "srv1", "down"]);
        becomes_resolv_conf(&system, &[]);
        becomes_advertised(&[]);
        peer.run(&["ip", "link", "set", "srv1", "up"]);
        first.await_line("solicited", SOON);
        becomes_advertised(&ours);
        becomes_resolv_conf(&system, &[DNS]);
        check::no_errors(&system);
    });
}

#[test]
fn a_restart_keeps_the_routes() {
    run(|| {
        let peer = wired();
        let options = [
            "--dns",
            "2001:db8::53,600",
            "--route",
            "2001:db8:7::/48,600,medium",
        ];
        let mut first = router(&peer, &options);
        let mut system = System::start();
        system.apply(&with("auto-route-metric: 50")).ok();
        let ours = [
            "2001:db8:7::/48 via fe80::1 metric 50 table main",
            "default via fe80::1 metric 50 table main",
        ];
        becomes_advertised(&ours);
        becomes_resolv_conf(&system, &[DNS]);
        eventually("the change is over", SOON, || {
            system.journals().is_empty().then_some(())
        });
        let watch = eyes::Watch::start();
        system.kill_daemon();
        first.await_line("solicited", SOON);
        system.start_daemon();
        first.await_line("solicited", SOON);
        eventually("nothing is left to do", SOON, || {
            (system.ctl(&["status"]).code == 0).then_some(())
        });
        system.kill_plugin("dhcp");
        first.await_line("solicited", SOON);
        let told = watch.marked();
        let is_loss = |line: &&String| line.starts_with("Deleted") && line.contains("proto ra");
        assert_eq!(told.iter().find(is_loss), None);
        assert_eq!(advertised(), ours);
        assert_eq!(resolv_conf(&system), [DNS]);

        // Routers that are gone meanwhile leave nothing behind.
        system.kill_daemon();
        drop(first);
        system.start_daemon();
        becomes_advertised(&[]);
        becomes_resolv_conf(&system, &[]);
    });
}

#[test]
fn what_fails_leaves_the_kernels_route() {
    run(|| {
        let peer = wired();
        let _router = router(&peer, &["--dns", "2001:db8::53,600"]);
        let system = System::start();
        system.apply(ON).ok();
        becomes_resolv_conf(&system, &[DNS]);
        becomes_advertised(&[KERNELS]);
        let before = eyes::settled();
        let fails = check::fails_last("eth1");
        let state = format!(
            "{}\n{fails}",
            "interfaces: [{name: eth1, ipv6: {auto-route-metric: 50}}]"
        );
        let _ = system.apply(&state).refused();
        assert_eq!(advertised(), [KERNELS]);
        assert_eq!(defrtr(), "1");
        eyes::assert_same(&before, &eyes::settled(), "taken back");
    });
}

#[test]
fn what_is_taken_back_brings_the_kernels_route() {
    run(|| {
        let peer = wired();
        let _router = router(&peer, &["--dns", "2001:db8::53,600"]);
        let system = System::start();
        system.apply(ON).ok();
        becomes_resolv_conf(&system, &[DNS]);
        becomes_advertised(&[KERNELS]);

        // Of the same metric as the kernel's: it is in its place.
        for (keys, expected) in [
            ("auto-gateway: false", vec![]),
            (
                "auto-route-table-id: 77",
                vec!["default via fe80::1 metric 1024 table 77"],
            ),
            (
                "auto-route-metric: 50",
                vec!["default via fe80::1 metric 50 table main"],
            ),
        ] {
            let state = format!("interfaces: [{{name: eth1, ipv6: {{{keys}}}}}]");
            system.ctl_with(&["apply", "-", "--no-commit"], &state).ok();
            becomes_advertised(&expected);
            system.ctl(&["rollback"]).ok();
            becomes_advertised(&[KERNELS]);
            assert_eq!(defrtr(), "1");

            let back = system.ctl_with(&["gr", "-"], &state).ok().out;
            system.apply(&state).ok();
            becomes_advertised(&expected);
            system.apply(&back).ok();
            becomes_advertised(&[KERNELS]);
            assert_eq!(defrtr(), "1", "{back}");
        }
        check::no_errors(&system);
    });
}
