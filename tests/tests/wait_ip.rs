// SPDX-License-Identifier: Apache-2.0

//! `wait-ip`: an apply ends when the addresses are there, and takes everything back when they don't come.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

#[path = "wait_ip/dying.rs"]
mod dying;
#[path = "wait_ip/ipv6.rs"]
mod ipv6;

use std::process::Child;
use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::{Peer, Server};
use nipart_tests::process::eventually;
use nipart_tests::system::{Answer, System};
use serde_json::json;

/// For what takes milliseconds on an idle machine, or a few seconds until a client asks again.
const SOON: Duration = Duration::from_secs(60);
/// Seconds within which everything but the address has long been done.
const TIMEOUT: &str = "10";
const LEASED: &str = "192.0.2.50/24";

const WAITS: &str =
    "interfaces: [{name: eth1, wait-ip: ipv4, mtu: 1400, ipv4: {enabled: true, dhcp: true}}]";
const TAKEN_BACK: &str = "everything was taken back: the network is as it was";

/// A wire to a server's namespace, whose end there has 192.0.2.1.
fn wired() -> Peer {
    let peer = Peer::new();
    peer.wire("eth1", "srv1", "192.0.2.1/24");
    peer
}

fn serve(peer: &Peer) -> Server {
    peer.dnsmasq("srv1", "192.0.2.50,192.0.2.50", &[])
}

/// An apply of `state` that is under way, with these options.
fn begin(system: &System, state: &str, options: &[&str]) -> Child {
    let file = system.path("wanted.yml");
    std::fs::write(&file, state).expect("a file");
    let file = file.to_str().expect("a name");
    let mut command = system.command(&[&["apply", file, "-o", "json"], options].concat());
    command.spawn().expect("nipartctl is built")
}

fn answer(child: Child) -> Answer {
    child.wait_with_output().expect("it ends").into()
}

/// Ids of the changes that wait.
fn waiting(system: &System) -> Vec<String> {
    let list = system.ctl(&["checkpoint", "list", "-o", "json"]).json();
    let list = list.as_array().cloned().unwrap_or_default();
    let ids = list.iter().filter_map(|each| each["id"].as_str());
    ids.map(str::to_string).collect()
}

/// The id of the one change that waits, once it does.
fn is_waiting(system: &System) -> String {
    eventually("the change waits", SOON, || {
        waiting(system).into_iter().next()
    })
}

fn nothing_is_open(system: &System) {
    assert_eq!(waiting(system), Vec::<String>::new());
    assert!(system.journals().is_empty(), "{:?}", system.journals());
}

#[test]
fn it_ends_with_the_lease() {
    run(|| {
        let peer = wired();
        let system = System::start();
        let mut apply = begin(&system, WAITS, &[]);
        is_waiting(&system);
        assert_eq!(eyes::link("eth1")["mtu"], 1400);
        assert!(!system.saved().contains("eth1"));
        assert!(apply.try_wait().expect("a child").is_none());

        let _server = serve(&peer);
        let report = answer(apply).ok().json();
        assert_eq!(eyes::addresses("eth1"), [LEASED]);
        let kept = (&report["verified"], &report["saved"], &report["checkpoint"]);
        assert_eq!(kept, (&json!(true), &json!(true), &json!(null)));
        nothing_is_open(&system);
        assert!(
            system.saved().contains("wait-ip: ipv4"),
            "{}",
            system.saved()
        );
        check::changes_nothing(&system, WAITS);
        let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
        assert_eq!(shown["interfaces"][0]["wait-ip"], "ipv4");
        check::round_trip(&system);
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}

#[test]
fn without_a_server_everything_is_taken_back() {
    run(|| {
        let _peer = wired();
        let system = System::start();
        system.apply("interfaces: [{name: eth1, mtu: 1450}]").ok();
        let (before, saved) = (eyes::settled(), system.saved());
        let answer = answer(begin(&system, WAITS, &["--timeout", TIMEOUT]));
        assert_eq!(answer.code, 8, "{}", answer.err);
        for part in [
            "wait-ip: eth1 has no IPv4 address after 10 s",
            "no DHCP server has lent eth1 an address",
            TAKEN_BACK,
        ] {
            assert!(answer.err.contains(part), "{part}: {}", answer.err);
        }
        eyes::assert_same(&before, &eyes::settled(), "after");
        assert_eq!(system.saved(), saved);
        nothing_is_open(&system);
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
        // Neither did it stay in the way of others, nor is the word remembered.
        check::apply(&system, "interfaces: [{name: eth1, mtu: 1440}]");
    });
}

#[test]
fn what_is_saved_counts_too_but_not_at_start() {
    run(|| {
        let peer = wired();
        let server = serve(&peer);
        let mut system = System::start();
        system.apply(WAITS).ok();
        assert_eq!(eyes::addresses("eth1"), [LEASED]);
        // Of another interface, nothing is waited for.
        drop(server);
        system.stop_daemon();
        ip(&["address", "flush", "dev", "eth1"]);
        system.start_daemon();
        check::apply(&system, "interfaces: [{name: br0, type: linux-bridge}]");
        assert_eq!(eyes::addresses("eth1"), Vec::<String>::new());
        assert_eq!(waiting(&system), Vec::<String>::new());

        let change = "interfaces: [{name: eth1, mtu: 1300}]";
        let late = answer(begin(&system, change, &["--timeout", TIMEOUT]));
        assert_eq!(late.code, 8, "{}", late.err);
        assert_eq!(eyes::link("eth1")["mtu"], 1400);
        let no_more = "interfaces: [{name: eth1, wait-ip: none, mtu: 1300}]";
        let back = system.ctl_with(&["gr", "-"], no_more).ok().out;
        assert!(back.contains("wait-ip: ipv4"), "{back}");
        check::apply(&system, no_more);
        let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
        assert_eq!(shown["interfaces"][0]["wait-ip"], json!(null));
        // The way back has the word again.
        let history = system
            .ctl(&["history", "-n", "1", "-o", "json"])
            .ok()
            .json();
        let id = history[0]["id"].to_string();
        let _server = serve(&peer);
        system.ctl(&["history", "revert", &id]).ok();
        assert_eq!(eyes::addresses("eth1"), [LEASED]);
        assert!(
            system.saved().contains("wait-ip: ipv4"),
            "{}",
            system.saved()
        );
    });
}

#[test]
fn static_addresses_are_there_at_once() {
    run(|| {
        let _peer = wired();
        let system = System::start();
        let with = |wait: &str| {
            format!(
                "interfaces: [{{name: eth1, wait-ip: {wait}, ipv4: {{address: [{{ip: 192.0.2.9, prefix-length: 24}}]}}}}]"
            )
        };
        for wait in ["ipv4", "any"] {
            check::apply(&system, &with(wait));
            let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
            assert_eq!(shown["interfaces"][0]["wait-ip"], wait);
        }
        nothing_is_open(&system);
        // With IPv4, what waits for it goes.
        check::apply(&system, &with("ipv4"));
        check::apply(
            &system,
            "interfaces: [{name: eth1, ipv4: {enabled: false}}]",
        );
        assert!(!system.saved().contains("wait-ip"), "{}", system.saved());
        // A port has no addresses.
        check::apply(&system, &with("ipv4"));
        check::apply(
            &system,
            "interfaces: [{name: br0, type: linux-bridge, bridge: {port: [{name: eth1}]}}]",
        );
        assert!(!system.saved().contains("wait-ip"), "{}", system.saved());
        let said = check::refused(&system, "interfaces: [{name: eth1, wait-ip: any}]");
        assert!(said.contains("while it is a port of br0"), "{said}");
    });
}

#[test]
fn the_confirmation_comes_after_the_addresses() {
    run(|| {
        let peer = wired();
        let system = System::start();
        let before = eyes::settled();
        let held = ["--no-commit", "--timeout", "600"];
        let apply = begin(&system, WAITS, &held);
        is_waiting(&system);
        let server = serve(&peer);
        let report = answer(apply).ok().json();
        assert_eq!(eyes::addresses("eth1"), [LEASED]);
        assert_eq!(report["saved"], json!(false));
        let id = report["checkpoint"]["id"].as_str().expect("an id");
        // More than all that the wait could have had: its own time begins now.
        let remaining = report["checkpoint"]["remaining"].as_u64();
        assert!(remaining > Some(500), "{report}");
        assert_eq!(waiting(&system), [id.to_string()]);
        system.ctl(&["rollback", id]).ok();
        eyes::assert_same(&before, &eyes::settled(), "after");
        drop(server);

        let apply = begin(&system, WAITS, &held);
        is_waiting(&system);
        let _server = serve(&peer);
        let report = answer(apply).ok().json();
        let id = report["checkpoint"]["id"].as_str().expect("an id");
        system.ctl(&["commit", id]).ok();
        assert_eq!(eyes::addresses("eth1"), [LEASED]);
        nothing_is_open(&system);
        assert!(
            system.saved().contains("wait-ip: ipv4"),
            "{}",
            system.saved()
        );
    });
}

#[test]
fn others_may_end_the_wait() {
    run(|| {
        let _peer = wired();
        let system = System::start();
        let before = eyes::settled();
        let apply = begin(&system, WAITS, &[]);
        let id = is_waiting(&system);
        // Others don't come in between.
        let change = "interfaces: [{name: eth1, mtu: 1300}]";
        let other = system.ctl_with(&["apply", "-", "--no-wait"], change);
        assert_eq!(other.code, 7, "{}", other.err);
        let patient = system.ctl_with(&["apply", "-", "--timeout", "1"], change);
        assert_eq!(patient.code, 7, "{}", patient.err);
        assert!(patient.err.contains(&id), "{}", patient.err);
        system.ctl(&["rollback", &id]).ok();
        let cancelled = answer(apply);
        assert_eq!(cancelled.code, 9, "{}", cancelled.err);
        assert!(
            cancelled.err.contains("by somebody else"),
            "{}",
            cancelled.err
        );
        eyes::assert_same(&before, &eyes::settled(), "after");

        let apply = begin(&system, WAITS, &[]);
        let id = is_waiting(&system);
        system.ctl(&["commit", &id]).ok();
        let report = answer(apply).ok().json();
        assert_eq!(report["saved"], json!(true));
        nothing_is_open(&system);
    });
}
