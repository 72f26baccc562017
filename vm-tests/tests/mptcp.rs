// SPDX-License-Identifier: Apache-2.0

//! Endpoints of multipath TCP: they follow addresses and links, which the kernel doesn't make them do.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::path::Path;
use std::time::Duration;

use nipart_tests::check;
use nipart_tests::examples;
use nipart_tests::eyes::{self, assert_includes};
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::Peer;
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use nipart_vm_tests::needs;
use serde_json::json;

/// For what takes milliseconds on an idle machine.
const SOON: Duration = Duration::from_secs(10);

const PAIR: &str = "
interfaces:
- name: v1
  type: veth
  veth: {peer: p1}
  mptcp: {address-flags: [signal]}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}, {ip: 169.254.7.7, prefix-length: 16}]}
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
- {name: p1, type: veth, ipv4: {address: [{ip: 192.0.2.9, prefix-length: 24}]}}
";

const BOTH: [&str; 2] = ["192.0.2.1 signal dev v1", "2001:db8::1 signal dev v1"];

/// Endpoints that aren't ours, for all that an apply may look at.
const OF_OTHERS: [&str; 4] = [
    "192.0.2.1 signal port 8080 dev v1",
    "192.0.2.9 subflow dev p1",
    "192.0.2.77 signal dev lo",
    "198.51.100.1 subflow",
];

fn has_mptcp() -> bool {
    needs(
        "a kernel with MPTCP",
        Path::new("/proc/sys/net/mptcp").exists(),
    )
}

fn add_those_of_others() {
    for command in [
        "192.0.2.1 port 8080 dev v1 signal",
        "192.0.2.9 dev p1 subflow",
        "192.0.2.77 dev lo signal",
        "198.51.100.1 subflow",
    ] {
        let words = command.split(' ').collect::<Vec<_>>();
        ip(&[&["mptcp", "endpoint", "add"], &words[..]].concat());
    }
}

/// It would stay when its link goes: a program listens at it.
fn remove_the_one_with_a_port() {
    let all = eyes::parsed(&ip(&["-j", "mptcp", "endpoint", "show"]));
    let list = all.as_array().expect("a list").iter();
    let mut with_port = list.filter(|endpoint| endpoint.get("port").is_some());
    let id = with_port.next().expect("one with a port")["id"].to_string();
    ip(&["mptcp", "endpoint", "delete", "id", &id]);
}

/// Ours and those of others.
fn assert_endpoints(ours: &[&str], others: &[&str]) {
    let mut expected = [ours, others].concat();
    expected.sort_unstable();
    assert_eq!(eyes::endpoints(), expected);
}

fn await_endpoints(expected: &[&str]) {
    eventually(&format!("endpoints {expected:?}"), SOON, || {
        (eyes::endpoints() == expected).then_some(())
    });
}

#[test]
fn addresses_become_endpoints() {
    run(|| {
        if !has_mptcp() {
            return;
        }
        let system = System::start();
        ip(&["link", "set", "lo", "up"]);
        check::apply(&system, PAIR);
        assert_endpoints(&BOTH, &[]);
        add_those_of_others();
        check::changes_nothing(&system, PAIR);
        let shown = system.ctl(&["show", "v1", "-o", "json"]).ok().json();
        let expected = json!({
            "mptcp": {"address-flags": ["signal"]},
            "ipv4": {"address": [{"ip": "192.0.2.1", "mptcp-flags": ["signal"]}, {"ip": "169.254.7.7"}]},
            "ipv6": {"address": [{"ip": "2001:db8::1", "mptcp-flags": ["signal"]}, {}]},
        });
        assert_includes("v1", &shown["interfaces"][0], &expected);
        assert_eq!(
            shown["interfaces"][0]["mptcp"]
                .as_object()
                .map(|keys| keys.len()),
            Some(1)
        );

        // What is announced becomes something else, and then changes in place.
        for (flags, words) in [
            ("subflow", "subflow"),
            ("subflow, backup, fullmesh", "subflow backup fullmesh"),
            ("signal, backup", "signal backup"),
        ] {
            check::apply(
                &system,
                &format!("interfaces: [{{name: v1, mptcp: {{address-flags: [{flags}]}}}}]"),
            );
            let first = format!("192.0.2.1 {words} dev v1");
            let second = format!("2001:db8::1 {words} dev v1");
            assert_endpoints(&[&first, &second], &OF_OTHERS);
        }

        // Endpoints follow the addresses, also when only these are written.
        check::apply(
            &system,
            "interfaces: [{name: v1, ipv4: {address: [{ip: 192.0.2.2, prefix-length: 24}]}}]",
        );
        let moved = [
            "192.0.2.2 signal backup dev v1",
            "2001:db8::1 signal backup dev v1",
        ];
        assert_endpoints(&moved, &OF_OTHERS);
        let answer = check::refused(
            &system,
            "interfaces: [{name: v1, mptcp: {address-flags: [signal, fullmesh]}}]",
        );
        assert!(
            answer.contains("signal and fullmesh exclude each other"),
            "{answer}"
        );

        // None, and again; then without the link.
        let none = "interfaces: [{name: v1, mptcp: {address-flags: []}}]";
        let back = system.ctl_with(&["gr", "-"], none).ok().out;
        check::apply(&system, none);
        assert_endpoints(&[], &OF_OTHERS);
        check::apply(&system, &back);
        assert_endpoints(&moved, &OF_OTHERS);

        remove_the_one_with_a_port();
        // What nobody has asked for goes with its link, too.
        check::apply(&system, "interfaces: [{name: v1, state: absent}]");
        assert_endpoints(&[], &["192.0.2.77 signal dev lo", "198.51.100.1 subflow"]);
    });
}

#[test]
fn a_failed_apply_leaves_endpoints_as_they_were() {
    run(|| {
        if !has_mptcp() {
            return;
        }
        let system = System::start();
        ip(&["link", "set", "lo", "up"]);
        check::apply(&system, PAIR);
        add_those_of_others();
        let before = eyes::everything();
        for change in [
            "{name: v1, mptcp: {address-flags: [subflow, backup]}}",
            "{name: v1, mptcp: {address-flags: []}}",
            "{name: v1, ipv4: {address: [{ip: 192.0.2.3, prefix-length: 24}]}}",
            "{name: p1, mptcp: {address-flags: [signal, backup]}}",
        ] {
            let state = format!("interfaces: [{change}]{}", check::fails_last("p1"));
            let answer = system.apply(&state).refused();
            eyes::assert_same(&before, &eyes::everything(), &format!("{change}: {answer}"));
        }

        // The kernel takes an address once.
        let taken = "interfaces: [{name: p1, mptcp: {address-flags: [signal]}, ipv4: {address: [{ip: 198.51.100.1, prefix-length: 24}]}}]";
        let answer = system.apply(taken).refused();
        for words in [
            "set MPTCP endpoints of p1: 198.51.100.1 signal: add 198.51.100.1: ",
            "too many addresses or duplicate one",
            "`ip mptcp endpoint` lists them all",
        ] {
            assert!(answer.contains(words), "{answer}");
        }
        eyes::assert_same(&before, &eyes::everything(), &answer);

        // An unconfirmed change is taken back in the same way.
        let change = "interfaces: [{name: v1, mptcp: {address-flags: [subflow]}}]";
        system
            .ctl_with(&["apply", "--no-commit", "--timeout", "60", "-"], change)
            .ok();
        assert_eq!(eyes::endpoints()[0], "192.0.2.1 signal port 8080 dev v1");
        assert_eq!(eyes::endpoints()[1], "192.0.2.1 subflow dev v1");
        system.ctl(&["rollback"]).ok();
        eyes::assert_same(&before, &eyes::everything(), "rollback");

        // Links that went come back with them, and so do addresses; the kernel looks for duplicates of these again.
        remove_the_one_with_a_port();
        let before = eyes::endpoints();
        for change in [
            "{name: v1, ipv6: {enabled: false}}",
            "{name: v1, state: absent}, {name: w1, type: veth, veth: {peer: w2}}",
            "{name: v1, veth: {peer: w2}}, {name: p1, ipv4: {enabled: false}, state: absent}",
        ] {
            let through_another = check::fails_last("lo");
            let state = format!("interfaces: [{change}]{through_another}");
            let answer = system.apply(&state).refused();
            assert_eq!(eyes::endpoints(), before, "{change}: {answer}");
        }
    });
}

#[test]
fn endpoints_of_a_lost_link_go_and_come_back_with_it() {
    run(|| {
        if !has_mptcp() {
            return;
        }
        let mut system = System::start();
        check::apply(&system, PAIR);
        let lose = || ip(&["link", "delete", "v1"]);
        let find = || ip(&["link", "add", "v1", "type", "veth", "peer", "name", "p1"]);
        lose();
        await_endpoints(&[]);
        find();
        await_endpoints(&BOTH);

        // The same while nobody looks: the kernel has kept what would be in the way.
        system.stop_daemon();
        lose();
        assert_eq!(eyes::endpoints().len(), 2);
        find();
        system.start_daemon();
        await_endpoints(&BOTH);
    });
}

#[test]
fn leased_addresses_become_endpoints() {
    run(|| {
        if !has_mptcp() {
            return;
        }
        let peer = Peer::new();
        peer.wire("eth1", "srv1", "192.0.2.1/24");
        let _server = peer.dnsmasq("srv1", "192.0.2.50,192.0.2.50", &[]);
        let system = System::start();
        let leased = "interfaces: [{name: eth1, ipv4: {dhcp: true}, mptcp: {address-flags: [subflow, backup]}}]";
        system.apply(leased).ok();
        await_endpoints(&["192.0.2.50 subflow backup dev eth1"]);
        check::changes_nothing(&system, leased);
        system
            .apply("interfaces: [{name: eth1, ipv4: {dhcp: false, address: []}}]")
            .ok();
        await_endpoints(&[]);

        // The lease of a change that isn't kept goes with all that it brought.
        let before = eyes::everything();
        let command = ["apply", "--no-commit", "--timeout", "60", "-"];
        system.ctl_with(&command, leased).ok();
        await_endpoints(&["192.0.2.50 subflow backup dev eth1"]);
        system.ctl(&["rollback"]).ok();
        eyes::assert_same(&before, &eyes::everything(), "rollback");
    });
}

#[test]
fn example_of_nmstate() {
    run(|| {
        if !has_mptcp() {
            return;
        }
        let system = examples::machine_with_cards();
        examples::apply_then(&system, &["multipath-tcp"], || {
            assert_eq!(eyes::endpoints(), ["192.0.2.17 signal subflow dev eth1"]);
        });
        assert_eq!(eyes::endpoints(), Vec::<String>::new());
    });
}
