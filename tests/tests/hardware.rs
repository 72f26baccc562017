// SPDX-License-Identifier: Apache-2.0

//! Settings of the hardware, as far as virtual links have them: features of veth, link modes and coalescing of tap.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::process::Command;

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use serde_json::{Value, json};

/// What `ethtool` prints.
fn ethtool(arguments: &[&str]) -> String {
    let output = Command::new("ethtool").args(arguments).output();
    let output = output.expect("ethtool is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ethtool {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn features(name: &str) -> Value {
    let printed = ethtool(&["--json", "-k", name]);
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    printed[0].clone()
}

/// Whether the features are on; groups aren't among them.
fn are_on<const COUNT: usize>(name: &str, wanted: [&str; COUNT]) -> [bool; COUNT] {
    let features = features(name);
    // `ethtool` calls some by other names than the kernel.
    wanted.map(|feature| features[feature]["active"].as_bool().expect(feature))
}

/// Applying `state` fails at its end; all is as it was, `ethtool` says so, too.
fn taken_back(system: &System, state: &str, name: &str) -> String {
    let all = || {
        let modes = ethtool(&[name]);
        format!("{}{modes}{:#}", eyes::everything(), features(name))
    };
    let before = all();
    let answer = system.apply(state).refused();
    eyes::assert_same(&before, &all(), &answer);
    answer
}

const PAIR: &str = "
interfaces:
- name: v1
  type: veth
  veth: {peer: p1}
  ethtool: {feature: {gro: true, tx-tcp-segmentation: off, tx-udp_tnl-segmentation: false}}
- {name: p1, type: veth, veth: {peer: v1}}
";

const GRO: &str = "generic-receive-offload";
const TSO: &str = "tx-tcp-segmentation";
const TUNNEL: &str = "tx-udp_tnl-segmentation";
const CHECKSUM: &str = "tx-checksum-ip-generic";

#[test]
fn features_come_change_and_stay() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        assert_eq!(are_on("v1", [GRO, TSO, TUNNEL]), [true, false, false]);
        assert_eq!(are_on("p1", [GRO, TSO, TUNNEL]), [false, true, true]);

        let state = "interfaces: [{name: v1, ethtool: {feature: {rx-gro: false, tx-tcp-segmentation: true}}}]";
        let answer = taken_back(
            &system,
            &format!("{state}{}", check::fails_last("v1")),
            "v1",
        );
        assert!(answer.contains("add route"), "{answer}");
        check::apply(&system, state);
        assert_eq!(are_on("v1", [GRO, TSO, TUNNEL]), [false, true, false]);

        // What was set comes back with the link: in another pair, and after a removal that fails.
        check::apply(&system, "interfaces: [{name: v1, veth: {peer: q1}}]");
        assert_eq!(are_on("v1", [GRO, TSO, TUNNEL]), [false, true, false]);
        let removal = "interfaces: [{name: v1, state: absent}]";
        ip(&["link", "add", "other", "type", "bridge"]);
        ip(&["link", "set", "other", "up"]);
        let _ = taken_back(
            &system,
            &format!("{removal}{}", check::fails_last("other")),
            "v1",
        );
        assert_eq!(are_on("v1", [GRO, TSO, TUNNEL]), [false, true, false]);
    });
}

/// Only what was set is asked for and shown, unless the link is named.
#[test]
fn features_are_shown_where_they_matter() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        let all = system.ctl(&["show", "-o", "json"]).ok().json();
        let shown = |name: &str| {
            let list = all["interfaces"].as_array().expect("a list");
            let found = list.iter().find(|interface| interface["name"] == name);
            found.expect(name)["ethtool"]["feature"].clone()
        };
        assert_eq!(
            (&shown("v1")["rx-gro"], &shown("p1")),
            (&json!(true), &json!(null))
        );
        let named = system.ctl(&["show", "p1", "-o", "json"]).ok().json();
        let named = &named["interfaces"][0]["ethtool"]["feature"];
        let listed = named.as_object().expect("features");
        assert_eq!(named["rx-gro"], false);
        // Each that can be changed, by the kernel's names, and no other.
        let printed = ethtool(&["-k", "p1"]);
        let fixed = printed.lines().filter(|line| line.contains("[fixed]"));
        for line in fixed {
            let name = line.split(':').next().unwrap_or_default().trim();
            assert!(!listed.contains_key(name), "{name} is fixed");
        }
        assert!(listed.contains_key("tx-checksum-sctp"), "{listed:?}");
    });
}

#[test]
fn what_was_set_comes_back_at_start() {
    run(|| {
        let mut system = System::start();
        check::apply(&system, PAIR);
        system.stop_daemon();
        ethtool(&["-K", "v1", "gro", "off"]);
        assert_eq!(are_on("v1", [GRO]), [false]);
        system.start_daemon();
        check::changes_nothing(&system, PAIR);
        assert_eq!(are_on("v1", [GRO]), [true]);
    });
}

/// The kernel takes a feature that lacks another one for a wish: the outcome isn't as wanted, and all is taken back.
#[test]
fn a_feature_that_needs_another() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        let state = "interfaces: [{name: v1, ethtool: {feature: {tx-checksum-ip-generic: false, tx-checksum-sctp: false, tx-tcp-segmentation: true}}}]";
        let answer = taken_back(&system, state, "v1");
        assert!(
            answer.contains("v1.ethtool.feature.tx-tcp-segmentation"),
            "{answer}"
        );
        // Those that hang on it come and go with it, as their owner wants them.
        ethtool(&["-K", "p1", "tx-udp_tnl-segmentation", "on"]);
        let state = "interfaces: [{name: p1, ethtool: {feature: {tx-checksum-ip-generic: false}}}]";
        let _ = taken_back(
            &system,
            &format!("{state}{}", check::fails_last("v1")),
            "p1",
        );
        check::apply(&system, state);
        assert_eq!(are_on("p1", [CHECKSUM, TSO]), [false, false]);
        check::apply(&system, &state.replace("false", "true"));
        assert_eq!(are_on("p1", [CHECKSUM, TSO]), [true, true]);
    });
}

#[test]
fn link_modes_and_coalescing_of_a_tap() {
    run(|| {
        let system = System::start();
        ip(&["tuntap", "add", "t1", "mode", "tap"]);
        let state = "
interfaces:
- name: t1
  ethernet: {auto-negotiation: false, speed: 1000, duplex: half}
  ethtool: {coalesce: {rx-frames: 7}, feature: {gso: false}}
";
        check::apply(&system, state);
        let modes = ethtool(&["t1"]);
        assert!(
            modes.contains("Speed: 1000Mb/s") && modes.contains("Duplex: Half"),
            "{modes}"
        );
        assert!(ethtool(&["-c", "t1"]).contains("rx-frames: 7"));
        assert_eq!(are_on("t1", ["generic-segmentation-offload"]), [false]);

        let change = "interfaces: [{name: t1, ethernet: {speed: '2500', duplex: 1}, ethtool: {coalesce: {rx-frames: 0}}}]";
        let _ = taken_back(
            &system,
            &format!("{change}{}", check::fails_last("t1")),
            "t1",
        );
        assert!(ethtool(&["-c", "t1"]).contains("rx-frames: 7"));
        check::apply(&system, change);
        let modes = ethtool(&["t1"]);
        assert!(
            modes.contains("Speed: 2500Mb/s") && modes.contains("Duplex: Full"),
            "{modes}"
        );
        assert!(ethtool(&["-c", "t1"]).contains("rx-frames: 0"));

        check::apply(
            &system,
            "interfaces: [{name: t1, ethernet: {auto-negotiation: true}}]",
        );
        assert!(ethtool(&["t1"]).contains("Auto-negotiation: on"));
        let answer = check::refused(&system, "interfaces: [{name: t1, ethernet: {speed: 10}}]");
        assert!(answer.contains("t1 negotiates its speed"), "{answer}");
        check::apply(
            &system,
            "interfaces: [{name: t1, ethernet: {auto-negotiation: false, speed: 10}}]",
        );
        assert!(ethtool(&["t1"]).contains("Speed: 10Mb/s"));
    });
}

#[test]
fn what_a_driver_lacks_is_refused_by_name() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        ip(&["link", "add", "br0", "type", "bridge"]);
        for (interface, setting, expected) in [
            (
                "v1",
                "ethtool: {ring: {rx: 512}}",
                "v1 can't change ethtool.ring",
            ),
            (
                "v1",
                "ethtool: {coalesce: {rx-usecs: 5}}",
                "v1 can't change ethtool.coalesce",
            ),
            (
                "v1",
                "ethtool: {pause: {rx: true}}",
                "v1 can't change ethtool.pause",
            ),
            (
                "v1",
                "ethtool: {fec: {mode: rs}}",
                "v1 can't change ethtool.fec",
            ),
            (
                "v1",
                "ethtool: {feature: {rx-hashing: true}}",
                "ethtool.feature.rx-hashing",
            ),
            (
                "v1",
                "ethtool: {feature: {nonsense: true}}",
                "ethtool.feature.nonsense",
            ),
            (
                "br0",
                "ethernet: {speed: 10}",
                "br0 is of type linux-bridge",
            ),
            ("v1", "lldp: {enabled: true}", "LLDP is not supported yet"),
            (
                "v1",
                "802.1x: {\n password: geheim}",
                "802.1x is not supported yet",
            ),
            (
                "v1",
                "ethtool: {feature: {gro: true, rx-gro: true}}",
                "rx-gro is listed twice",
            ),
            ("v1", "ethernet: {duplex: both}", "half (0), full (1)"),
        ] {
            let state = format!("interfaces: [{{name: {interface}, {setting}}}]");
            let answer = taken_back(&system, &state, "v1");
            assert!(answer.contains(expected), "{setting}: {answer}");
            assert!(!answer.contains("geheim"), "{answer}");
            assert!(
                !answer.contains("taken back"),
                "before any change: {answer}"
            );
        }
        // In the kernel's words, where only it knows.
        let state = "interfaces: [{name: v1, ethernet: {auto-negotiation: false, speed: 10}}]";
        let answer = taken_back(&system, state, "v1");
        assert!(
            answer.contains("link modes: Operation not supported (EOPNOTSUPP)"),
            "{answer}"
        );
        // What is new is known only when it is there.
        let state = "interfaces: [{name: v7, type: veth, veth: {peer: p7}, ethtool: {feature: {rx-hashing: true}}}]";
        let answer = taken_back(&system, state, "v1");
        assert!(
            answer.contains("v7 can't change ethtool.feature.rx-hashing"),
            "{answer}"
        );
        check::changes_nothing(&system, "interfaces: [{name: v1, lldp: {enabled: false}}]");
    });
}

#[test]
fn accepts_all_mac_addresses() {
    run(|| {
        let system = System::start();
        let state = "
interfaces:
- {name: v1, type: veth, veth: {peer: p1}, accept-all-mac-addresses: true}
- {name: p1, type: veth, veth: {peer: v1}}
";
        let has_flag = |name: &str| {
            let link = eyes::link(name);
            link["flags"]
                .as_array()
                .is_some_and(|flags| flags.contains(&json!("PROMISC")))
        };
        check::apply(&system, state);
        assert_eq!((has_flag("v1"), has_flag("p1")), (true, false));
        let change = "interfaces: [{name: v1, accept-all-mac-addresses: no}, {name: p1, accept-all-mac-addresses: yes}]";
        let _ = taken_back(
            &system,
            &format!("{change}{}", check::fails_last("v1")),
            "v1",
        );
        assert_eq!((has_flag("v1"), has_flag("p1")), (true, false));
        check::apply(&system, change);
        assert_eq!((has_flag("v1"), has_flag("p1")), (false, true));
        // A link that is created anew keeps it.
        check::apply(&system, "interfaces: [{name: p1, veth: {peer: q1}}]");
        assert!(has_flag("p1"));
    });
}

/// Refused before anything is changed, for the settings are those of a network card.
#[test]
fn virtual_functions_of_a_virtual_link() {
    run(|| {
        let system = System::start();
        check::apply(&system, PAIR);
        let state = "interfaces: [{name: v1, mtu: 1400, ethernet: {sr-iov: {total-vfs: 2}}}]";
        let answer = taken_back(&system, state, "v1");
        for words in [
            "interfaces[0].ethernet.sr-iov",
            "v1 can't have virtual functions: it is no network card with SR-IOV",
        ] {
            assert!(answer.contains(words), "{answer}");
        }
        let shown = system.ctl(&["show", "v1"]).ok().out;
        assert!(!shown.contains("sr-iov"), "{shown}");
    });
}
