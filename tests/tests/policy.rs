// SPDX-License-Identifier: Apache-2.0

//! Policies: what is wanted, told by means of what is there.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

use std::fs;
use std::process::Command;

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::{Answer, System, executable};
use serde_json::{Value, json};

/// A card that leads out: the other end of the wire is the gateway.
const UPLINK: &str = "
interfaces:
- name: eth1
  type: veth
  veth: {peer: wire}
  mac-address: 02:00:00:00:01:01
  ipv4:
    enabled: true
    address: [{ip: 192.0.2.11, prefix-length: 24}, {ip: 198.51.100.11, prefix-length: 25}]
- {name: wire, type: veth}
routes:
  config:
  - {destination: 0.0.0.0/0, next-hop-interface: eth1, next-hop-address: 192.0.2.1}
  - {destination: 203.0.113.0/24, next-hop-interface: eth1, next-hop-address: 192.0.2.3, metric: 50}
";

const BRIDGE_OVER_GATEWAY: &str = r#"
capture:
  gateway: routes.running.destination == "0.0.0.0/0"
  bridge-routes: capture.base-routes | routes.running.next-hop-interface := "br1"
  base-routes: routes.running.next-hop-interface == capture.base.interfaces.0.name
  base: interfaces.name == capture.gateway.routes.running.0.next-hop-interface
desiredState:
  interfaces:
  - name: br1
    type: linux-bridge
    state: up
    mac-address: "{{ capture.base.interfaces.0.mac-address }}"
    ipv4: "{{ capture.base.interfaces.0.ipv4 }}"
    bridge:
      options: {stp: {enabled: false}}
      port:
      - name: "{{ capture.base.interfaces.0.name }}"
  routes:
    config: "{{ capture.bridge-routes.routes.running }}"
"#;

fn assert_bridge_has_taken_over() {
    assert_link(
        "br1",
        &json!({"address": "02:00:00:00:01:01", "linkinfo": {"info_kind": "bridge"}}),
    );
    assert_link("eth1", &json!({"master": "br1", "operstate": "UP"}));
    assert_eq!(eyes::addresses("eth1"), Vec::<String>::new());
    assert_eq!(
        eyes::addresses("br1"),
        ["192.0.2.11/24", "198.51.100.11/25"]
    );
    assert_eq!(
        eyes::routes(),
        [
            "default via 192.0.2.1 dev br1",
            "203.0.113.0/24 via 192.0.2.3 dev br1"
        ]
    );
}

#[test]
fn a_bridge_takes_over_what_the_card_of_the_gateway_has() {
    run(|| {
        let system = System::start();
        check::apply(&system, UPLINK);
        let meant = system
            .ctl_with(&["policy", "-"], BRIDGE_OVER_GATEWAY)
            .ok()
            .out;
        let before = eyes::everything();
        // A policy stands for the state that it means, whatever is done with it.
        for arguments in [&["plan", "-v", "-"][..], &["diff", "-"], &["gr", "-"]] {
            let of_policy = system.ctl_with(arguments, BRIDGE_OVER_GATEWAY);
            let of_state = system.ctl_with(arguments, &meant);
            assert_eq!(
                (&of_policy.out, of_policy.code),
                (&of_state.out, of_state.code)
            );
            assert!(
                of_policy.out.contains("br1"),
                "{arguments:?}: {}",
                of_policy.err
            );
        }
        eyes::assert_same(&before, &eyes::everything(), "after looking");

        system.apply(BRIDGE_OVER_GATEWAY).ok();
        assert_bridge_has_taken_over();
        check::changes_nothing(&system, &meant);
        check::round_trip(&system);
    });
}

/// Before the first apply, all that a machine has was added by others. What the bridge is to have moves all the same, and
/// comes back when the change is taken back.
#[test]
fn it_takes_over_what_others_have_added() {
    run(|| {
        ip(&[
            "link", "add", "eth1", "type", "veth", "peer", "name", "wire",
        ]);
        ip(&["link", "set", "eth1", "address", "02:00:00:00:01:01", "up"]);
        ip(&["link", "set", "wire", "up"]);
        ip(&["address", "add", "192.0.2.11/24", "dev", "eth1"]);
        ip(&["address", "add", "198.51.100.11/25", "dev", "eth1"]);
        ip(&["route", "add", "default", "via", "192.0.2.1"]);
        ip(&[
            "route",
            "add",
            "203.0.113.0/24",
            "via",
            "192.0.2.3",
            "metric",
            "50",
        ]);
        let system = System::start();
        let had = || (eyes::addresses("eth1"), eyes::routes(), eyes::link("br1"));
        let before = had();
        system
            .ctl_with(&["apply", "--no-commit", "-"], BRIDGE_OVER_GATEWAY)
            .ok();
        assert_bridge_has_taken_over();
        system.ctl(&["rollback"]).ok();
        assert_eq!(had(), before);

        system.apply(BRIDGE_OVER_GATEWAY).ok();
        assert_bridge_has_taken_over();
        check::round_trip(&system);
    });
}

#[test]
fn without_a_daemon_it_is_the_same() {
    run(|| {
        let directory = tempfile::tempdir().unwrap();
        let apply = |text: &str| -> Answer {
            let file = directory.path().join("wanted.yml");
            fs::write(&file, text).unwrap();
            let mut command = Command::new(executable("nipartctl"));
            command.args(["apply", "--no-daemon"]).arg(file);
            for name in ["state", "run", "states"] {
                command
                    .arg(format!("--{name}-dir"))
                    .arg(directory.path().join(name));
            }
            command.output().unwrap().into()
        };
        apply(UPLINK).ok();
        apply(BRIDGE_OVER_GATEWAY).ok();
        assert_bridge_has_taken_over();

        let with_dhcp = r#"
capture: {card: interfaces.name == "eth1"}
desired:
  interfaces:
  - name: "{{ capture.card.interfaces.0.name }}"
    controller: ''
    ipv4:
      dhcp: true
"#;
        let refused = apply(with_dhcp);
        assert_eq!(refused.code, 4);
        assert!(refused.err.contains("wanted.yml:8:13"), "{}", refused.err);
    });
}

#[test]
fn what_was_captured_is_written_and_read_again() {
    run(|| {
        let system = System::start();
        check::apply(&system, UPLINK);
        let policy = r#"
capture:
  uplink: interfaces.mac-address == "02:00:00:00:01:01"
  larger: capture.uplink | interfaces.mtu := 1400
desired:
  interfaces: "{{ capture.larger.interfaces }}"
"#;
        let captured = system.path("captured.yml");
        let captured = captured.to_str().unwrap();
        let meant = system
            .ctl_with(&["policy", "-", "-o", captured], policy)
            .ok()
            .out;
        assert_eq!(
            meant,
            "---\ninterfaces:\n- name: eth1\n  type: veth\n  state: up\n  mtu: 1400\n"
        );
        let written = fs::read_to_string(captured).unwrap();
        assert!(
            written.contains("uplink:\n  metaInfo:\n    time: "),
            "{written}"
        );

        // Another network, and what was captured of the first one.
        let other = system.path("other.yml");
        fs::write(
            &other,
            "interfaces: [{name: eth1, mtu: 1400, state: up}, {name: eth2}]",
        )
        .unwrap();
        let arguments = [
            "policy",
            "-",
            "--json",
            "-s",
            captured,
            "-c",
            other.to_str().unwrap(),
        ];
        let meant = system.ctl_with(&arguments, policy).ok().json();
        let eth1 = &meant["interfaces"][0];
        assert_eq!(
            (&eth1["name"], &eth1["mtu"]),
            (&json!("eth1"), &Value::Null)
        );
        assert_eq!(eth1["mac-address"], "02:00:00:00:01:01");
    });
}

#[test]
fn mistakes_are_shown_in_the_file_and_change_nothing() {
    run(|| {
        let system = System::start();
        check::apply(&system, UPLINK);
        for (policy, code, said) in [
            (
                "capture:\n  card: interfaces.nam = eth1\ndesired: {}\n",
                3,
                &["<standard input>:2:24", "`=` is no operator"][..],
            ),
            (
                "capture:\n  card: interfaces.name == eth9\ndesired: {}\n",
                3,
                &[
                    "capture.card: there is no interface with name == \"eth9\"",
                    "<standard input>:2:9",
                ],
            ),
            (
                "capture:\n  card: interfaces.name == eth1\ndesired:\n  interfaces:\n  - name: br1\n    mac-address: '{{ capture.card.interfaces.0.mac-adress }}'\n",
                3,
                &["<standard input>:6:48", "did you mean `mac-address`?"],
            ),
            // What only the daemon can tell.
            (
                "capture:\n  card: interfaces.name == eth1\ndesired:\n  interfaces:\n  - name: '{{ capture.card.interfaces.0.name }}'\n    mtu: 70000\n",
                3,
                &["<standard input>:6:10", "interfaces[0].mtu"],
            ),
        ] {
            for command in ["plan", "diff", "gr", "apply"] {
                if command == "gr" && said[1] == "interfaces[0].mtu" {
                    // It doesn't look at limits of links.
                    continue;
                }
                let answer = system.ctl_with(&[command, "-"], policy);
                assert_eq!(answer.code, code, "{command}: {}", answer.err);
                assert_eq!(answer.out, "");
                for part in said {
                    assert!(answer.err.contains(part), "{part}: {}", answer.err);
                }
            }
            assert!(!check::refused(&system, policy).is_empty());
        }
    });
}
