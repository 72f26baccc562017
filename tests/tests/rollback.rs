// SPDX-License-Identifier: Apache-2.0

//! An operation that fails in the middle leaves the network, and what is saved, as they were.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::fmt::Write;
use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::eventually;
use nipart_tests::system::System;

const BEFORE: &str = "
interfaces:
- name: br0
  type: linux-bridge
  mtu: 1400
  mac-address: 02:00:00:00:00:10
  description: before
  alt-names: [{name: the-bridge}]
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}, {ip: 192.0.2.2, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
  bridge:
    options: {mac-ageing-time: 60}
    port: [{name: p1, stp-path-cost: 17}]
- {name: p1, type: veth, mtu: 1400, mac-address: '02:00:00:00:00:11', veth: {peer: q1}}
- {name: q1, type: veth, mac-address: '02:00:00:00:00:12'}
- {name: mv1, type: mac-vlan, mac-vlan: {base-iface: q1, mode: passthru}}
- {name: vx1, type: vxlan, mac-address: '02:00:00:00:00:14', vxlan: {id: 7, base-iface: q1, remote: 192.0.2.9}}
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-interface: br0, next-hop-address: 192.0.2.254}
  - {destination: '2001:db8:9::/48', next-hop-interface: br0, next-hop-address: '2001:db8::ff', table-id: 90}
";

/// What others have added.
fn others_join_in() {
    ip(&["link", "add", "p9", "type", "veth", "peer", "name", "q9"]);
    ip(&["link", "set", "p9", "mtu", "1400", "master", "br0", "up"]);
    ip(&["address", "add", "203.0.113.9/24", "dev", "br0"]);
    for command in [
        "link add link q9 name mv9 address 02:00:00:00:00:99 type macvlan mode bridge",
        "link set q9 address 02:00:00:00:00:98 up",
        "link set mv9 up",
        "address add 198.18.9.1/24 dev mv9",
        "route add 10.10.0.0/16 via 198.18.9.2",
    ] {
        ip(&command.split(' ').collect::<Vec<_>>());
    }
    ip(&[
        "route",
        "add",
        "10.9.0.0/16",
        "via",
        "203.0.113.1",
        "metric",
        "3",
    ]);
}

/// A change that goes well for some operations and then fails, with words that the error must have.
const FAILING: &[(&str, &[&str])] = &[
    // The gateway is on no network of the link.
    (
        "
interfaces:
- {name: br0, mtu: 1300, description: after, ipv4: {address: [{ip: 192.0.2.77, prefix-length: 24}]}, bridge: {options: {mac-ageing-time: 99}, port: []}}
- {name: v8, type: veth, veth: {peer: v9}}
- {name: p1, mtu: 1300, alt-names: [{name: new-name}]}
routes:
  config:
  - {destination: 10.1.0.0/16, next-hop-interface: br0, next-hop-address: 192.0.2.254}
  - {destination: 10.2.0.0/16, next-hop-interface: br0, next-hop-address: 10.77.0.1}
",
        &["kernel refused", "add route 10.2.0.0/16 via 10.77.0.1 dev br0", "invalid gateway", "ENETUNREACH"],
    ),
    // Larger than the MTU of the interface below, which only its driver knows.
    (
        "interfaces: [{name: mv2, type: mac-vlan, mtu: 9000, mac-vlan: {base-iface: q9, mode: bridge}}, {name: br0, description: after}]",
        &["kernel refused", "create mac-vlan mv2", "EINVAL"],
    ),
    // Passthru is for one link alone.
    (
        "interfaces: [{name: q1, mtu: 1450}, {name: mv3, type: mac-vlan, mac-vlan: {base-iface: q1, mode: bridge}}, {name: br0, alt-names: [{name: the-bridge, state: absent}]}]",
        &["kernel refused", "create mac-vlan mv3"],
    ),
    // Two tunnels with one identifier; the whole stack is deleted before.
    (
        "
interfaces:
- {name: br0, state: absent}
- {name: mv1, state: absent}
- {name: vx2, type: vxlan, vxlan: {id: 7, base-iface: q1, remote: 192.0.2.8}}
- {name: p1, ipv4: {address: [{ip: 10.5.0.1, prefix-length: 16}]}}
",
        &["kernel refused", "create vxlan vx2", "EEXIST"],
    ),
    // A pair takes along what is stacked upon it, though nobody has named it.
    (
        "
interfaces: [{name: q9, state: absent}, {name: br0, description: after}]
routes: {config: [{destination: 10.2.0.0/16, next-hop-interface: br0, next-hop-address: 10.77.0.1}]}
",
        &["kernel refused", "add route 10.2.0.0/16", "ENETUNREACH"],
    ),
    // A link that has to be created anew takes everything with it.
    (
        "
interfaces:
- {name: vx1, type: vxlan, vxlan: {id: 8}}
- {name: q1, ipv6: {enabled: false}}
routes:
  config:
  - {state: absent, next-hop-interface: br0}
  - {destination: 10.2.0.0/16, next-hop-interface: br0, next-hop-address: 10.77.0.1}
",
        &["kernel refused", "add route 10.2.0.0/16", "ENETUNREACH"],
    ),
];

#[test]
fn nothing_of_a_failed_apply_is_left() {
    run(|| {
        let system = System::start();
        check::apply(&system, BEFORE);
        others_join_in();
        let before = eyes::settled();
        let saved = system.saved();
        assert!(saved.contains("the-bridge"), "{saved}");
        for (state, expected) in FAILING {
            let error = system.apply(state).refused();
            for words in *expected {
                assert!(error.contains(words), "{state}\nno {words:?} in {error}");
            }
            assert!(error.contains("the network is as it was"), "{error}");
            eyes::assert_same(&before, &eyes::settled(), &format!("{state}\n{error}"));
            assert_eq!(system.saved(), saved, "{state}");
            assert_eq!(system.journals(), Vec::<std::path::PathBuf>::new());
        }
        // It stays able to act.
        check::apply(&system, "interfaces: [{name: br0, description: after}]");
    });
}

#[test]
fn what_is_not_as_wanted_is_taken_back() {
    run(|| {
        let system = System::start();
        check::apply(&system, BEFORE);
        let before = eyes::settled();
        let saved = system.saved();
        // Somebody takes away again and again what is to be there.
        let thief =
            "while :; do ip address delete 192.0.2.66/24 dev br0 && echo taken; done 2>/dev/null";
        let thief = nipart_tests::process::Process::start(
            &["sh", "-c", thief],
            std::process::Stdio::null(),
        );
        let state = "interfaces: [{name: br0, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}, {ip: 192.0.2.66, prefix-length: 24}]}}]";
        let wins = |answer: nipart_tests::system::Answer| (answer.code != 0).then_some(answer.err);
        let error = eventually("the thief is seen", Duration::from_secs(60), || {
            wins(system.apply(state))
        });
        drop(thief);
        assert!(
            error.contains("verification failed")
                && error.contains("still to do: add address 192.0.2.66/24 to br0"),
            "{error}"
        );
        system.apply(BEFORE).ok();
        eyes::assert_same(&before, &eyes::settled(), "after");
        assert_eq!(system.saved(), saved);
    });
}

/// Many pairs of links: enough for something else to happen meanwhile.
fn many_pairs(count: usize) -> String {
    let mut state = "interfaces:\n".to_string();
    for number in 0..count {
        let addresses = format!(
            "address: [{{ip: 10.{}.{}.1, prefix-length: 24}}]",
            number / 200,
            number % 200
        );
        writeln!(
            state,
            "- {{name: a{number}, type: veth, veth: {{peer: b{number}}}, ipv4: {{{addresses}}}}}"
        )
        .expect("text");
    }
    state
}

#[test]
fn a_client_that_goes_takes_its_change_along() {
    run(|| {
        let system = System::start();
        check::apply(&system, BEFORE);
        let before = eyes::settled();
        let saved = system.saved();
        let file = system.path("many.yml");
        std::fs::write(&file, many_pairs(400)).expect("a file");
        let mut client = system
            .command(&["apply", file.to_str().expect("UTF-8")])
            .spawn()
            .expect("nipartctl");
        eventually("the change is under way", Duration::from_secs(30), || {
            (!system.journals().is_empty()).then_some(())
        });
        client.kill().expect("it runs");
        client.wait().expect("it ends");
        eventually("the change is taken back", Duration::from_secs(60), || {
            system.journals().is_empty().then_some(())
        });
        eyes::assert_same(&before, &eyes::settled(), "after");
        assert_eq!(system.saved(), saved);
    });
}

#[test]
fn a_bridge_has_its_address_back() {
    run(|| {
        let system = System::start();
        // One of others, one of ours, and one with a port.
        ip(&["link", "add", "br0", "up", "type", "bridge"]);
        for line in [
            "link add p0 address 02:00:00:00:00:40 type veth peer name q0",
            "link add br2 up type bridge",
            "link set p0 master br2 up",
        ] {
            ip(&line.split(' ').collect::<Vec<_>>());
        }
        check::apply(
            &system,
            "interfaces: [{name: br1, type: linux-bridge, mac-address: '02:00:00:00:00:50'}]",
        );
        let address = |name: &str| eyes::link(name)["address"].clone();
        let low = "interfaces:\n- {name: a0, type: veth, mac-address: '02:00:00:00:00:01', veth: {peer: b0}";
        for bridge in ["br0", "br1", "br2"] {
            let before = address(bridge);
            for attached in [
                format!("{low}, controller: {bridge}}}"),
                format!(
                    "{low}}}\n- {{name: {bridge}, description: x, bridge: {{port: [{{name: a0}}]}}}}"
                ),
            ] {
                let state = attached + &check::fails_last("b0");
                let error = system.apply(&state).refused();
                assert!(error.contains("the network is as it was"), "{error}");
                assert_eq!(address(bridge), before, "{state}");
            }
        }
        // Where the ports gave it back, it goes on following them.
        for line in [
            "link add p1 address 02:00:00:00:00:30 type veth peer name q1",
            "link set p1 master br2 up",
        ] {
            ip(&line.split(' ').collect::<Vec<_>>());
        }
        assert_eq!(address("br2"), "02:00:00:00:00:30");
    });
}
