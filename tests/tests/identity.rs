// SPDX-License-Identifier: Apache-2.0

//! Interfaces that a file doesn't call by the kernel's names.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(30);

const STATE: &str = "
interfaces:
- name: wan
  type: ethernet
  identifier: mac-address
  mac-address: 02:00:00:00:00:07
  mtu: 1400
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-interface: wan}
";

/// Waits until the daemon has brought back what is saved, for so many times since the test began.
fn started(system: &System, times: usize) {
    eventually("the saved state is back", LIMIT, || {
        let log = system.log();
        (log.matches("saved state is back").count() == times).then_some(())
    });
}

fn pair() {
    ip(&["link", "add", "v1", "type", "veth", "peer", "name", "p1"]);
    ip(&["link", "set", "v1", "address", "02:00:00:00:00:07"]);
    ip(&["link", "set", "p1", "up"]);
}

#[test]
fn by_mac_address() {
    run(|| {
        pair();
        let system = System::start();
        check::apply(&system, STATE);
        assert_eq!(eyes::addresses("v1"), ["192.0.2.1/24"]);
        assert_eq!(eyes::link("v1")["mtu"], 1400);
        assert_eq!(eyes::routes(), ["198.51.100.0/24 dev v1"]);

        // The profile's name and alternative ones are names for references.
        ip(&[
            "link",
            "property",
            "add",
            "dev",
            "v1",
            "altname",
            "the-long-name-of-v1",
        ]);
        for (name, destination) in [
            ("wan", "203.0.113.0/25"),
            ("the-long-name-of-v1", "203.0.113.128/25"),
        ] {
            let route = format!(
                "routes: {{config: [{{destination: {destination}, next-hop-interface: {name}}}]}}"
            );
            check::apply(&system, &route);
            assert!(
                eyes::routes().contains(&format!("{destination} dev v1")),
                "{:?}",
                eyes::routes()
            );
        }
        check::apply(
            &system,
            "interfaces: [{name: br0, type: linux-bridge, bridge: {port: [{name: p1}]}}, {name: mv1, type: mac-vlan, mac-vlan: {base-iface: wan, mode: bridge}}]",
        );
        assert_eq!(eyes::link("mv1")["link"], "v1");

        let nobody = STATE.replace("00:07", "00:77");
        let answer = check::refused(&system, &nobody);
        assert!(
            answer.contains("wan: no interface has this mac-address"),
            "{answer}"
        );
        let answer = check::refused(
            &system,
            &STATE.replace("identifier: mac-address", "identifier: pci-address"),
        );
        assert!(answer.contains("which isn't written"), "{answer}");
    });
}

/// Saved state belongs to the card, whatever the kernel calls it at the next start; another card under the old name is left
/// alone.
#[test]
fn under_another_name_at_start() {
    run(|| {
        pair();
        let mut system = System::start();
        check::apply(&system, STATE);
        system.stop_daemon();
        for command in [
            "link set v1 down",
            "address flush dev v1",
            "link set v1 name w1",
            "link set w1 mtu 1500",
            "link add v1 type veth peer name q1",
        ] {
            ip(&command.split(' ').collect::<Vec<_>>());
        }
        system.start_daemon();
        started(&system, 2);
        assert_eq!(eyes::routes(), ["198.51.100.0/24 dev w1"]);
        assert_eq!(eyes::addresses("w1"), ["192.0.2.1/24"]);
        assert_eq!(eyes::link("w1")["mtu"], 1400);
        assert_eq!(
            (
                eyes::addresses("v1").len(),
                eyes::link("v1")["operstate"].as_str()
            ),
            (0, Some("DOWN"))
        );
        assert!(system.saved().contains("name: w1"), "{}", system.saved());
        assert!(!system.saved().contains("name: v1"), "{}", system.saved());
        check::changes_nothing(&system, STATE);
    });
}

/// Without the card nothing of it is done, also not to another one that has its name.
#[test]
fn another_card_under_the_name() {
    run(|| {
        pair();
        let mut system = System::start();
        check::apply(&system, STATE);
        system.stop_daemon();
        ip(&["link", "del", "v1"]);
        ip(&["link", "add", "v1", "type", "veth", "peer", "name", "p1"]);
        system.start_daemon();
        started(&system, 2);
        assert_eq!(eyes::addresses("v1"), Vec::<String>::new());
        assert_eq!(eyes::link("v1")["mtu"], 1500);
        ip(&["link", "set", "v1", "address", "02:00:00:00:00:07"]);
        system.apply(STATE).ok();
        assert_eq!(eyes::addresses("v1"), ["192.0.2.1/24"]);
    });
}

/// What the administrator's files know by an address is found as well.
#[test]
fn in_the_administrators_files() {
    run(|| {
        pair();
        let mut system = System::prepare();
        std::fs::write(system.path("states").join("wan.yml"), STATE).expect("a file");
        system.start_daemon();
        started(&system, 1);
        assert_eq!(eyes::routes(), ["198.51.100.0/24 dev v1"]);
        assert_eq!(eyes::addresses("v1"), ["192.0.2.1/24"]);
    });
}

/// Another name for references: of links, and kept while others change.
#[test]
fn by_a_profile_name() {
    run(|| {
        let system = System::start();
        check::apply(
            &system,
            "
interfaces:
- {name: v1, type: veth, profile-name: uplink, veth: {peer: v2}}
- {name: v2, type: veth}
",
        );
        check::apply(
            &system,
            "
interfaces:
- name: br0
  type: linux-bridge
  bridge: {port: [{name: uplink}]}
",
        );
        assert_link("v1", &json!({"master": "br0"}));
        let names = |system: &System| {
            let shown = system
                .ctl(&["show", "--saved", "v1", "-o", "json"])
                .ok()
                .json();
            shown["interfaces"][0]["profile-name"].clone()
        };
        assert_eq!(names(&system), "uplink");
        check::apply(&system, "interfaces: [{name: v1, mtu: 1400}]");
        assert_eq!(names(&system), "uplink");
        check::apply(&system, "interfaces: [{name: v1, profile-name: other}]");
        let unknown = check::refused(
            &system,
            "interfaces: [{name: mv1, type: mac-vlan, mac-vlan: {base-iface: uplink, mode: bridge}}]",
        );
        assert!(unknown.contains("uplink"), "{unknown}");
    });
}
