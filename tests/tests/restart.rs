// SPDX-License-Identifier: Apache-2.0

//! A daemon that starts again brings back what is saved, on links that are there and on those that come later.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::time::{Duration, Instant};

use nipart_tests::check;
use nipart_tests::eyes::{self, Watch, assert_link, assert_same};
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::Peer;
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(10);
/// What saved state may take, on a machine that has nothing else to do.
const PROMISED: Duration = Duration::from_secs(2);

const STATE: &str = "
interfaces:
- name: br0
  type: linux-bridge
  mtu: 1400
  mac-address: 02:00:00:00:00:10
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
  bridge:
    options: {mac-ageing-time: 60}
    port: [{name: eth1, stp-path-cost: 17}, {name: p1}]
- {name: p1, type: veth, mtu: 1400, mac-address: '02:00:00:00:00:11', veth: {peer: q1}}
- {name: q1, type: veth, mac-address: '02:00:00:00:00:12', ipv4: {address: [{ip: 198.51.100.1, prefix-length: 24}]}}
- {name: eth1, type: ethernet, mtu: 1400}
routes:
  config:
  - {destination: 10.0.0.0/8, next-hop-interface: br0, next-hop-address: 192.0.2.254}
  - {destination: 10.7.0.0/16, next-hop-interface: q1, next-hop-address: 198.51.100.254, table-id: 90}
";

fn with_hardware() -> Peer {
    let peer = Peer::new();
    plug(&peer);
    peer
}

fn plug(peer: &Peer) {
    let wire = "link add eth1 address 02:00:00:00:00:21 type veth peer name far1 netns";
    let mut wire: Vec<&str> = wire.split(' ').collect();
    let pid = peer.pid();
    wire.push(&pid);
    ip(&wire);
    peer.run(&["ip", "link", "set", "far1", "up"]);
    ip(&["link", "set", "eth1", "up"]);
}

/// Restarts the daemon, `meanwhile` in between; everything must be as before. Returns how long that took.
fn restart(
    system: &mut System,
    is_crash: bool,
    before: &str,
    meanwhile: impl FnOnce(),
) -> Duration {
    if is_crash {
        system.kill_daemon();
    } else {
        system.stop_daemon();
    }
    meanwhile();
    let begun = Instant::now();
    system.start_daemon();
    eventually("the saved state is back", LIMIT, || {
        let routes = eyes::route_details("-4", "90");
        (routes.as_array().is_some_and(|routes| routes.len() == 1)
            && eyes::link("eth1")["master"] == "br0")
            .then_some(())
    });
    let took = begun.elapsed();
    assert_same(before, &eyes::settled(), &format!("crash: {is_crash}"));
    took
}

#[test]
fn saved_state_comes_back() {
    run(|| {
        let _peer = with_hardware();
        let mut system = System::start();
        check::apply(&system, STATE);
        let before = eyes::settled();
        let mut times = Vec::new();
        for is_crash in [false, true] {
            times.push(restart(&mut system, is_crash, &before, || {}));
            times.push(restart(&mut system, is_crash, &before, || {
                ip(&["link", "delete", "br0"]);
                ip(&["address", "flush", "dev", "q1", "scope", "global"]);
                ip(&["link", "set", "eth1", "mtu", "1500", "down"]);
            }));
            times.push(restart(&mut system, is_crash, &before, || {
                ip(&["link", "delete", "p1"]);
                ip(&["route", "flush", "table", "main", "proto", "110"]);
            }));
            check::changes_nothing(&system, STATE);
        }
        // A busy machine may take its time, but not always.
        assert!(times.iter().min() < Some(&PROMISED), "{times:?}");
        // What was removed stays away, and what is in memory only goes.
        system
            .apply("interfaces: [{name: q1, state: absent}, {name: p1, state: absent}]")
            .ok();
        system
            .ctl_with(
                &["apply", "--memory-only", "-"],
                "interfaces: [{name: br0, mtu: 1300}, {name: eth1, mtu: 1300}]",
            )
            .ok();
        system.stop_daemon();
        system.start_daemon();
        assert_eq!(eyes::link("p1"), json!(null));
        assert!(!system.saved().contains("1300"), "{}", system.saved());
    });
}

#[test]
fn links_that_appear_later() {
    run(|| {
        let peer = with_hardware();
        let mut system = System::start();
        check::apply(&system, STATE);
        let before = eyes::settled();
        system.stop_daemon();
        ip(&["link", "delete", "eth1"]);
        system.start_daemon();
        assert_link("br0", &json!({"mtu": 1400}));
        assert_eq!(eyes::link("eth1"), json!(null));
        let mut times = Vec::new();
        for _ in 0..3 {
            plug(&peer);
            let begun = Instant::now();
            eventually("the late link gets its state", LIMIT, || {
                let link = eyes::link("eth1");
                let port = &link["linkinfo"]["info_slave_data"];
                (link["mtu"] == 1400 && link["master"] == "br0" && port["cost"] == 17).then_some(())
            });
            times.push(begun.elapsed());
            assert_same(&before, &eyes::settled(), "after the link appeared");
            // Also when it goes and comes while the daemon runs.
            ip(&["link", "delete", "eth1"]);
        }
        assert!(times.iter().min() < Some(&PROMISED), "{times:?}");
        // Another name, and it is another link.
        ip(&[
            "link", "add", "other", "type", "veth", "peer", "name", "far2",
        ]);
        Watch::start().settle();
        ip(&["link", "set", "other", "name", "eth1"]);
        eventually("the renamed link gets its state", LIMIT, || {
            (eyes::link("eth1")["master"] == "br0").then_some(())
        });
    });
}

#[test]
fn a_stack_upon_a_link_that_comes_late() {
    run(|| {
        let peer = with_hardware();
        let mut system = System::start();
        // Each but the first is known by the one below alone, the bridge by its list.
        check::apply(
            &system,
            "
interfaces:
- {name: eth1, mtu: 1400}
- {name: vx1, type: vxlan, vxlan: {id: 7, base-iface: eth1, remote: 192.0.2.2}}
- {name: mv1, type: mac-vlan, mac-vlan: {base-iface: eth1, mode: bridge}}
- {name: mv2, type: mac-vtap, mac-vtap: {base-iface: vx1, mode: bridge}}
- name: br1
  type: linux-bridge
  bridge: {options: {stp: {enabled: false}}, port: [{name: mv1}]}
",
        );
        system.stop_daemon();
        for link in ["eth1", "br1"] {
            ip(&["link", "delete", link]);
        }
        system.start_daemon();
        plug(&peer);
        eventually("all of the stack is there", LIMIT, || {
            let is_there =
                eyes::link("mv2")["link"] == "vx1" && eyes::link("mv1")["master"] == "br1";
            is_there.then_some(())
        });
        eventually("and as it is saved", LIMIT, || {
            (system.ctl(&["status"]).code == 0).then_some(())
        });
    });
}

#[test]
fn files_of_the_administrator() {
    run(|| {
        let mut system = System::start();
        system.stop_daemon();
        let write = |name: &str, text: &str| {
            std::fs::write(system.path("states").join(name), text).expect("a file")
        };
        write(
            "10-pair.yml",
            "interfaces: [{name: v1, type: veth, mtu: 1400, veth: {peer: v2}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}]",
        );
        write("20-syntax.yml", "interfaces: [{name: v1, mtv: 1}]");
        write("30-no-yaml.yml", "interfaces: [");
        write(
            "40-impossible.yml",
            "interfaces: [{name: bad0, type: mac-vlan, mac-vlan: {base-iface: v1, mode: bridge}, mtu: 9000}]",
        );
        write(
            "50-later.yml",
            "interfaces: [{name: v1, mtu: 1300}, {name: later0, ipv4: {address: [{ip: 198.51.100.9, prefix-length: 24}]}}]",
        );
        write(
            "55-absent.yml",
            "interfaces: [{name: gone0, state: absent}]",
        );
        ip(&["link", "add", "gone0", "type", "bridge"]);
        write(
            "60-ignored.txt",
            "interfaces: [{name: no0, type: linux-bridge}]",
        );
        system.start_daemon();
        eventually("the files are applied", LIMIT, || {
            (eyes::addresses("v1") == ["192.0.2.1/24"] && eyes::link("v1")["mtu"] == 1300)
                .then_some(())
        });
        eventually("what is wanted absent goes", LIMIT, || {
            eyes::link("gone0").is_null().then_some(())
        });
        for name in ["bad0", "no0"] {
            assert_eq!(eyes::link(name), json!(null), "{name}");
        }
        let log = system.log();
        for words in ["20-syntax.yml", "mtv", "30-no-yaml.yml", "bad0"] {
            assert!(log.contains(words), "{words} in {log}");
        }
        ip(&[
            "link", "add", "later0", "type", "veth", "peer", "name", "later1",
        ]);
        eventually("the late link gets its address", LIMIT, || {
            (eyes::addresses("later0") == ["198.51.100.9/24"]).then_some(())
        });

        // What was applied lies above the files.
        system.apply("interfaces: [{name: v1, mtu: 1200}]").ok();
        system.stop_daemon();
        ip(&["link", "delete", "v1"]);
        system.start_daemon();
        eventually("both are back", LIMIT, || {
            (eyes::addresses("v1") == ["192.0.2.1/24"] && eyes::link("v1")["mtu"] == 1200)
                .then_some(())
        });
    });
}

#[test]
fn a_crash_in_the_middle_of_a_change() {
    run(|| {
        let _peer = with_hardware();
        let mut system = System::start();
        check::apply(&system, STATE);
        let before = eyes::settled();
        let saved = system.saved();
        let pairs = (0..300)
            .map(|number| format!("{{name: a{number}, type: veth, veth: {{peer: b{number}}}}}"));
        let pairs: Vec<String> = pairs.collect();
        let file = system.path("many.yml");
        std::fs::write(
            &file,
            format!(
                "interfaces: [{}, {{name: br0, mtu: 1300}}]",
                pairs.join(", ")
            ),
        )
        .expect("a file");
        let mut client = system
            .command(&["apply", file.to_str().expect("UTF-8")])
            .spawn()
            .expect("nipartctl");
        eventually("links appear", Duration::from_secs(30), || {
            std::path::Path::new("/sys/class/net/a0")
                .exists()
                .then_some(())
        });
        system.kill_daemon();
        let status = client.wait().expect("it ends");
        assert!(!status.success());
        system.start_daemon();
        eventually("the change is taken back", Duration::from_secs(60), || {
            system.journals().is_empty().then_some(())
        });
        assert_same(&before, &eyes::settled(), "after the crash");
        assert_eq!(system.saved(), saved);
    });
}

fn is_in_sync(system: &System) {
    let status = system.ctl(&["status"]);
    assert_eq!(status.code, 0, "{}{}", status.out, status.err);
}

#[test]
fn the_other_end_of_a_pair_that_is_down_stays_away() {
    run(|| {
        let mut system = System::start();
        let pair = "
interfaces:
- {name: v0, type: veth, mtu: 1400, veth: {peer: v1}}
- {name: v1, type: veth, veth: {peer: v0}, ipv4: {dhcp: true, address: [{ip: 192.0.2.1, prefix-length: 24}]}}
routes:
  config: [{destination: 198.51.100.0/24, next-hop-interface: v1, next-hop-address: 192.0.2.254}]
";
        check::apply(&system, pair);
        for end in ["v0", "v1"] {
            let down = format!("interfaces: [{{name: {end}, state: down}}]");
            system.apply(&down).ok();
            let is_gone = |system: &System| {
                assert_eq!(
                    (eyes::link("v0"), eyes::link("v1")),
                    (json!(null), json!(null))
                );
                is_in_sync(system);
            };
            is_gone(&system);
            system.stop_daemon();
            system.start_daemon();
            is_gone(&system);
            check::no_errors(&system);
            system.apply("interfaces: [{name: v0}]").ok();
            assert_link("v1", &json!({"operstate": "DOWN"}));
            is_in_sync(&system);
            system.apply("interfaces: [{name: v1}]").ok();
            assert_link("v0", &json!({"mtu": 1400, "link": "v1"}));
            assert_eq!(eyes::addresses("v1"), ["192.0.2.1/24"]);
            is_in_sync(&system);
        }
    });
}
