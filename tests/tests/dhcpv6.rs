// SPDX-License-Identifier: Apache-2.0

//! DHCPv6 from end to end: a lease comes, stays, and goes; settings without an address; beside DHCPv4 and router
//! advertisements.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::time::{Duration, Instant};

use nipart_tests::check;
use nipart_tests::eyes::{self, Watch, assert_includes};
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::{Peer, Server};
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::{Value, json};

/// For what takes little more than the two seconds in which the kernel finds out that an address is nobody else's.
const SOON: Duration = Duration::from_secs(20);

const ON: &str = "interfaces: [{name: eth1, type: ethernet, ipv6: {enabled: true, dhcp: true, autoconf: false}}]";
const OFF: &str = "interfaces: [{name: eth1, ipv6: {dhcp: false, address: []}}]";
const LEASED: &str = "2001:db8::50";
const RANGE: &str = "2001:db8::50,2001:db8::50,64,3600";

/// A wire to a server's namespace, whose end there has 192.0.2.1 and 2001:db8::1.
fn wired() -> Peer {
    let peer = Peer::new();
    peer.wire("eth1", "srv1", "192.0.2.1/24");
    let address = ["2001:db8::1/64", "dev", "srv1", "nodad"];
    peer.run(&[&["ip", "address", "add"][..], &address].concat());
    for (switch, value) in [
        // Else its address goes when the wire is cut.
        ("conf/srv1/keep_addr_on_down", 1),
        // Else no router is advertised.
        ("conf/all/forwarding", 1),
    ] {
        let command = format!("echo {value} > /proc/sys/net/ipv6/{switch}");
        peer.run(&["sh", "-c", &command]);
    }
    peer
}

/// As iproute2 tells of the leased address.
fn leased() -> Option<Value> {
    let addresses = eyes::address_details("eth1");
    let mut addresses = addresses.as_array().expect("a list").iter();
    addresses
        .find(|address| address["local"] == LEASED)
        .cloned()
}

fn becomes_leased() -> Value {
    eventually("a lease", SOON, leased)
}

fn without_address() {
    eventually("the address goes", SOON, || {
        leased().is_none().then_some(())
    });
}

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

/// The router's advertisements name the same server as the lease, and may come before or after it.
fn both_have_told(system: &System) {
    eventually("the router's and the server's settings", SOON, || {
        let shown = system.ctl(&["show", "-o", "json"]).ok().json();
        let sources = shown["dns-resolver"]["sources"].to_string();
        let has = |origin: &str| sources.contains(&format!("\"{origin}\""));
        (has("dhcpv6") && has("router-advertisement")).then_some(())
    });
}

#[test]
fn lease_of_dnsmasq() {
    run(|| {
        let peer = wired();
        let mut server = peer.dnsmasq_for(
            "srv1",
            RANGE,
            &[
                "--dhcp-option=option6:dns-server,[2001:db8::53]",
                "--dhcp-option=option6:domain-search,a.org",
            ],
        );
        let system = System::start();
        system.apply(ON).ok();
        let address = becomes_leased();
        assert_eq!(address["prefixlen"], 128, "{address}");
        for time in ["valid_life_time", "preferred_life_time"] {
            let left = address[time].as_u64().expect("seconds");
            assert!((3500..=3600).contains(&left), "{address}");
        }
        becomes_resolv_conf(&system, &["search a.org", "nameserver 2001:db8::53"]);
        let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
        let expected = json!({"name": "eth1", "state": "up", "ipv6": {"enabled": true, "dhcp": true, "autoconf": false}});
        assert_includes("show", &shown["interfaces"][0], &expected);
        let list = shown["interfaces"][0]["ipv6"]["address"].to_string();
        assert!(list.contains(LEASED) && list.contains("sec"), "{list}");
        check::changes_nothing(&system, ON);
        check::round_trip(&system);
        check::no_errors(&system);

        system.apply(OFF).ok();
        server.await_line("DHCPRELEASE", SOON);
        without_address();
        becomes_resolv_conf(&system, &[]);
        let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
        assert_ne!(shown["interfaces"][0]["ipv6"]["dhcp"], true);
    });
}

/// What most networks have: the address from the server, the network and the router from advertisements; and an IPv4
/// lease beside it.
#[test]
fn beside_router_advertisements_and_dhcpv4() {
    run(|| {
        let peer = wired();
        let mut server = peer.dnsmasq_for(
            "srv1",
            RANGE,
            &[
                "--enable-ra",
                "--dhcp-range=192.0.2.50,192.0.2.50,255.255.255.0,3600",
                "--dhcp-option=option6:dns-server,[2001:db8::53]",
                "--dhcp-option=6,192.0.2.53",
            ],
        );
        let system = System::start();
        let both = "interfaces: [{name: eth1, type: ethernet, ipv4: {enabled: true, dhcp: true}, ipv6: {enabled: true, dhcp: true, autoconf: true}}]";
        system.apply(both).ok();
        becomes_leased();
        eventually("an IPv4 lease", SOON, || {
            let addresses = eyes::addresses("eth1");
            addresses
                .contains(&"192.0.2.50/24".to_string())
                .then_some(())
        });
        eventually("the advertised router", SOON, || {
            let routes = eyes::route_details("-6", "main").to_string();
            routes.contains("\"default\"").then_some(())
        });
        becomes_resolv_conf(
            &system,
            &["nameserver 192.0.2.53", "nameserver 2001:db8::53"],
        );
        both_have_told(&system);
        check::changes_nothing(&system, both);

        // Each goes by itself, and is given back although its address has gone.
        system
            .apply("interfaces: [{name: eth1, ipv4: {enabled: false}}]")
            .ok();
        server.await_line("DHCPRELEASE(srv1) 192.0.2.50", SOON);
        becomes_resolv_conf(&system, &["nameserver 2001:db8::53"]);
        assert!(leased().is_some());
        system
            .apply("interfaces: [{name: eth1, ipv6: {auto-dns: false}}]")
            .ok();
        becomes_resolv_conf(&system, &[]);
        assert!(leased().is_some());
        system
            .apply("interfaces: [{name: eth1, ipv6: {enabled: false}}]")
            .ok();
        assert_eq!(leased(), None);
        server.await_line("DHCPRELEASE", SOON);
        server.await_line("release received", SOON);
        check::no_errors(&system);
    });
}

#[test]
fn settings_without_an_address() {
    run(|| {
        let peer = wired();
        let _server = peer.dnsmasq_for(
            "srv1",
            "2001:db8::,ra-stateless,64",
            &["--dhcp-option=option6:dns-server,[2001:db8::53]"],
        );
        let system = System::start();
        let state = "interfaces: [{name: eth1, type: ethernet, ipv6: {enabled: true, dhcp: true, autoconf: true}}]";
        system.apply(state).ok();
        becomes_resolv_conf(&system, &["nameserver 2001:db8::53"]);
        both_have_told(&system);
        check::changes_nothing(&system, state);
        assert!(leased().is_none());
    });
}

#[test]
fn link_down_and_up() {
    run(|| {
        let peer = wired();
        let mut server = serving(&peer);
        let system = System::start();
        system.apply(ON).ok();
        becomes_leased();
        becomes_resolv_conf(&system, &["nameserver 2001:db8::53"]);
        server.await_line("DHCPREPLY", SOON);
        peer.run(&["ip", "link", "set", "srv1", "down"]);
        becomes_resolv_conf(&system, &[]);
        peer.run(&["ip", "link", "set", "srv1", "up"]);
        server.await_line("DHCPREPLY", SOON);
        becomes_leased();
        becomes_resolv_conf(&system, &["nameserver 2001:db8::53"]);
    });
}

fn serving(peer: &Peer) -> Server {
    let option = "--dhcp-option=option6:dns-server,[2001:db8::53]";
    peer.dnsmasq_for("srv1", RANGE, &[option])
}

#[test]
fn a_restart_keeps_the_address() {
    run(|| {
        let peer = wired();
        let mut server = serving(&peer);
        let mut system = System::start();
        system.apply(ON).ok();
        becomes_leased();
        server.await_line("DHCPREPLY", SOON);
        // What was not finished would be taken back.
        eventually("the change is over", SOON, || {
            system.journals().is_empty().then_some(())
        });
        becomes_resolv_conf(&system, &["nameserver 2001:db8::53"]);
        let watch = Watch::start();
        system.kill_daemon();
        system.start_daemon();
        server.await_line("DHCPREPLY", SOON);
        eventually("nothing is left to do", SOON, || {
            (system.ctl(&["status"]).code == 0).then_some(())
        });
        system.kill_plugin("dhcp");
        server.await_line("DHCPREPLY", SOON);
        assert!(leased().is_some());
        let told = watch.marked();
        let is_loss = |line: &&String| line.starts_with("Deleted") && line.contains(LEASED);
        assert_eq!(told.iter().find(is_loss), None);
    });
}

/// The server hears of it, and the next address is another one. Nobody puts the old one back, although the interface is kept
/// as saved.
#[test]
fn an_address_that_another_host_has_is_declined() {
    run(|| {
        let peer = wired();
        let mut server = peer.dnsmasq_for("srv1", "2001:db8::50,2001:db8::5f,64,3600", &[]);
        let system = System::start();
        let state = ON.replace("type: ethernet,", "type: ethernet, drift: restore,");
        system.apply(&state).ok();
        let lent = || {
            let addresses = eyes::address_details("eth1");
            let mut addresses = addresses.as_array().expect("a list").iter();
            addresses.find_map(|address| {
                let local = address["local"].as_str()?;
                local.starts_with("2001:db8::5").then(|| local.to_string())
            })
        };
        // The server chooses by the name of the client: the same again when it is free.
        let taken = eventually("a lease", SOON, lent);
        system.apply(OFF).ok();
        server.await_line("DHCPRELEASE", SOON);
        eventually("the address goes", SOON, || lent().is_none().then_some(()));
        let theirs = format!("{taken}/128");
        peer.run(&["ip", "address", "add", &theirs, "dev", "srv1", "nodad"]);

        let watch = Watch::start();
        system.apply(&state).ok();
        let is_about = format!("inet6 {taken}/");
        let added = watch.await_line(&is_about, SOON);
        assert!(!added.starts_with("Deleted"), "{added}");
        let gone = watch.await_line(&is_about, SOON);
        assert!(gone.starts_with("Deleted"), "{gone}");
        let begun = Instant::now();
        let declined = server.await_line("DHCPDECLINE", SOON);
        assert!(declined.contains("srv1"), "{declined}");
        let another = eventually("another lease", SOON, lent);
        assert_ne!(another, taken);
        let waited = begun.elapsed();
        assert!(waited > Duration::from_secs(9), "{waited:?}");
        let told = watch.marked();
        let put_back = told.iter().find(|line| line.contains(&is_about));
        assert_eq!(put_back, None);
        check::changes_nothing(&system, &state);
        check::no_errors(&system);
    });
}

#[test]
fn turned_off_without_addresses_it_becomes_static() {
    run(|| {
        let peer = wired();
        let _server = serving(&peer);
        let system = System::start();
        system.apply(ON).ok();
        becomes_leased();
        let off = "interfaces: [{name: eth1, ipv6: {dhcp: false}}]";
        system.apply(off).ok();
        let address = leased().expect("the address");
        assert_eq!(address["valid_life_time"], 4_294_967_295_u32, "{address}");
        let saved = system.ctl(&["show", "--saved", "eth1"]).ok().out;
        assert!(saved.contains(LEASED), "{saved}");
        check::changes_nothing(&system, off);
    });
}

#[test]
fn what_is_taken_back_leaves_no_lease() {
    run(|| {
        let peer = wired();
        let mut server = serving(&peer);
        let system = System::start();
        let before = eyes::settled();
        system.ctl_with(&["apply", "-", "--no-commit"], ON).ok();
        becomes_leased();
        becomes_resolv_conf(&system, &["nameserver 2001:db8::53"]);
        system.ctl(&["rollback"]).ok();
        server.await_line("DHCPRELEASE", SOON);
        without_address();
        becomes_resolv_conf(&system, &[]);
        eyes::assert_same(&before, &eyes::settled(), "taken back");
    });
}

#[test]
fn awaited_by_an_apply() {
    run(|| {
        let peer = wired();
        let system = System::start();
        let state = ON.replace("type: ethernet,", "type: ethernet, wait-ip: ipv6,");
        let arguments = ["apply", "-", "--timeout", "6"];
        let refused = system.ctl_with(&arguments, &state).refused();
        let reason = "no DHCPv6 server has lent eth1 an address";
        assert!(refused.contains(reason), "{refused}");
        let _server = serving(&peer);
        system.apply(&state).ok();
        assert!(leased().is_some());
    });
}

#[test]
fn what_the_client_calls_itself() {
    run(|| {
        let peer = wired();
        // Each name is another client's.
        let range = "2001:db8::50,2001:db8::5f,64,3600";
        let mut server = peer.dnsmasq_for("srv1", range, &[]);
        let system = System::start();
        ip(&["link", "set", "eth1", "address", "02:00:00:00:00:07"]);
        for (keys, duid) in [
            ("dhcp-duid: ll", "00:03:00:01:02:00:00:00:00:07"),
            (
                "dhcp-duid: '00:02:00:00:ab:11:01:02'",
                "00:02:00:00:ab:11:01:02",
            ),
            ("dhcp-duid: uuid", "00:04:"),
        ] {
            let state = format!(
                "interfaces: [{{name: eth1, type: ethernet, ipv6: {{enabled: true, dhcp: true, autoconf: false, {keys}}}}}]"
            );
            system.apply(&state).ok();
            server.await_line(&format!("DHCPSOLICIT(srv1) {duid}"), SOON);
            let lent = loop {
                let line = server.await_line("DHCPREPLY(srv1) 2001:db8::", SOON);
                // Not the answer to the Release of the name before.
                if let Some((lent, _)) = line.split_once(&format!(" {duid}")) {
                    break lent.rsplit(' ').next().expect("a word").to_string();
                }
            };
            eventually("the leased address", SOON, || {
                let arguments = ["-6", "address", "show", "dev", "eth1", "-tentative"];
                ip(&arguments)
                    .contains(&format!("{lent}/128"))
                    .then_some(())
            });
            check::changes_nothing(&system, &state);
        }
        let named = "interfaces: [{name: eth1, ipv6: {dhcp-custom-hostname: named}}]";
        system.apply(named).ok();
        server.await_line("client provides name: named", SOON);
    });
}
