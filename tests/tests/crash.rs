// SPDX-License-Identifier: Apache-2.0

//! A plugin that is killed: it is back at once, nobody else notices, who waited is told, and nothing is half done.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nipart_tests::check;
use nipart_tests::eyes::{self, Watch, assert_same};
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::Peer;
use nipart_tests::process::{eventually, kill_9, signal};
use nipart_tests::system::{Answer, System};

const PLUGINS: [&str; 6] = ["config", "state", "kernel", "monitor", "dhcp", "commander"];

const SOON: Duration = Duration::from_secs(15);

/// A change that each call makes anew.
fn change(system: &System, number: usize) {
    let state = format!(
        "interfaces: [{{name: v1, type: veth, mtu: {}, veth: {{peer: v2}}}}]",
        1400 + number
    );
    check::apply(system, &state);
    assert_eq!(eyes::link("v1")["mtu"], 1400 + number);
}

#[test]
fn each_plugin_is_restarted_alone() {
    run(|| {
        let system = System::start();
        change(&system, 0);
        let mut times = Vec::new();
        for (number, name) in PLUGINS.iter().enumerate() {
            let before = system.plugin_pids();
            let begun = Instant::now();
            system.kill_plugin(name);
            times.push(begun.elapsed());
            let after = system.plugin_pids();
            for (other, pid) in before {
                assert_eq!(
                    after[&other] == pid,
                    other != *name,
                    "{other} after {name} was killed"
                );
            }
            change(&system, number + 1);
        }
        times.sort();
        // On a busy machine one of them may have to wait for its turn.
        assert!(
            times[PLUGINS.len() / 2] < Duration::from_secs(1),
            "{times:?}"
        );
    });
}

/// A state that needs every plugin that an apply can ask.
const NEEDS_ALL: &str = "interfaces: [{name: v1, mtu: 1300, ipv4: {enabled: true, dhcp: true}}]";

/// Whether `name` has been asked something in the newest request and has not answered.
fn is_waited_for(system: &System, name: &str) -> Option<()> {
    let shown = system.ctl(&["trace", "show", "last", "-o", "json"]);
    let shown = (shown.code == 0).then(|| shown.json())?;
    let events = shown.as_array()?;
    let question = events
        .iter()
        .find(|event| event["receiver"] == name && event["state"] == "todo")?;
    events
        .iter()
        .all(|event| event["ref_uuid"] != question["uuid"] || event["sender"] != name)
        .then_some(())
}

#[test]
fn who_waits_is_told() {
    run(|| {
        let system = System::start();
        change(&system, 0);
        for name in ["config", "state", "kernel", "dhcp", "commander"] {
            let before = eyes::everything();
            let pid = system.plugin_pids()[name];
            signal("STOP", pid);
            let file = system.path("all.yml");
            std::fs::write(&file, NEEDS_ALL).expect("a file");
            let client = system
                .command(&["apply", file.to_str().expect("UTF-8")])
                .spawn()
                .expect("nipartctl");
            eventually(&format!("{name} is asked"), SOON, || {
                is_waited_for(&system, name)
            });
            kill_9(pid);
            let begun = Instant::now();
            let answer: Answer = client.wait_with_output().expect("it ends").into();
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{name}: {:?}",
                begun.elapsed()
            );
            assert_eq!(answer.code, 10, "{name}: {}{}", answer.out, answer.err);
            assert!(
                answer.err.contains("plugin failure") && answer.err.contains(name),
                "{}",
                answer.err
            );
            assert_same(&before, &eyes::everything(), name);
            eventually(&format!("{name} runs again"), SOON, || {
                (system.plugin(name)["state"] == "running").then_some(())
            });
        }
        change(&system, 1);
    });
}

#[test]
fn a_plugin_that_hangs_is_replaced() {
    run(|| {
        let system = System::start();
        change(&system, 0);
        for (number, name) in ["kernel", "commander"].iter().enumerate() {
            let pid = system.plugin_pids()[*name];
            signal("STOP", pid);
            eventually(
                &format!("{name} is replaced"),
                Duration::from_secs(40),
                || {
                    let now = system.plugin(name);
                    (now["state"] == "running" && now["pid"].as_u64() != Some(pid)).then_some(())
                },
            );
            change(&system, number + 1);
        }
    });
}

fn many_pairs(count: usize) -> String {
    let mut state = "interfaces:\n".to_string();
    for number in 0..count {
        let address = format!(
            "{{ip: 10.{}.{}.1, prefix-length: 24}}",
            number / 200,
            number % 200
        );
        writeln!(state, "- {{name: a{number}, type: veth, veth: {{peer: b{number}}}, ipv4: {{address: [{address}]}}}}").expect("text");
    }
    state
}

#[test]
fn nothing_stays_half_done() {
    run(|| {
        let system = System::start();
        change(&system, 0);
        ip(&["address", "add", "192.0.2.1/24", "dev", "v1"]);
        Watch::start().settle();
        let before = eyes::everything();
        let saved = system.saved();
        let file = system.path("many.yml");
        std::fs::write(&file, many_pairs(300)).expect("a file");
        for name in ["kernel", "commander", "config", "state"] {
            let pid = system.plugin_pids()[name];
            let client = system
                .command(&["apply", file.to_str().expect("UTF-8")])
                .spawn()
                .expect("nipartctl");
            eventually("links appear", Duration::from_secs(30), || {
                PathBuf::from("/sys/class/net/a0").exists().then_some(())
            });
            kill_9(pid);
            let answer: Answer = client.wait_with_output().expect("it ends").into();
            // Those that the change needed no more may be killed without harm.
            if answer.code == 0 {
                assert!(
                    name == "state" || name == "config",
                    "{name}: {}",
                    answer.out
                );
                let absent = (0..300).map(|number| format!("{{name: a{number}, state: absent}}"));
                let absent: Vec<String> = absent.collect();
                system
                    .apply(&format!("interfaces: [{}]", absent.join(", ")))
                    .ok();
            } else {
                assert!(
                    answer.err.contains("plugin failure"),
                    "{name}: {}",
                    answer.err
                );
                eventually(
                    &format!("{name}: it is taken back"),
                    Duration::from_secs(60),
                    || system.journals().is_empty().then_some(()),
                );
            }
            Watch::start().settle();
            assert_same(
                &before,
                &eyes::everything(),
                &format!("{name}: {}", answer.err),
            );
            assert_eq!(system.saved(), saved, "{name}");
            eventually(&format!("{name} runs again"), SOON, || {
                (system.plugin(name)["state"] == "running").then_some(())
            });
        }
        change(&system, 1);
    });
}

#[test]
fn leases_outlive_their_plugin() {
    run(|| {
        let peer = Peer::new();
        peer.wire("eth1", "srv1", "192.0.2.1/24");
        let options = ["--lease", "12", "--t1", "3", "--t2", "9"];
        let mut server = peer.short_leases("srv1", "192.0.2.1", "192.0.2.50-192.0.2.59", &options);
        let system = System::start();
        system
            .apply("interfaces: [{name: eth1, ipv4: {enabled: true, dhcp: true}}]")
            .ok();
        eventually("a lease", SOON, || {
            (eyes::addresses("eth1") == ["192.0.2.50/24"]).then_some(())
        });
        let watch = Watch::start();
        for name in ["dhcp", "commander", "monitor", "kernel"] {
            system.kill_plugin(name);
            // The next extension of the lease comes in spite of it.
            let extended = watch.await_line("inet 192.0.2.50/24", SOON);
            assert!(!extended.starts_with("Deleted"), "{name}: {extended}");
        }
        assert!(
            watch
                .marked()
                .iter()
                .all(|line| !line.starts_with("Deleted"))
        );
        let shown = system.ctl(&["show", "eth1", "-o", "json"]).ok().json();
        assert_eq!(shown["interfaces"][0]["ipv4"]["dhcp"], true);
        // And it can be given back.
        system
            .apply("interfaces: [{name: eth1, ipv4: {enabled: true, dhcp: false, address: []}}]")
            .ok();
        server.await_line("\"release\"", SOON);
        eventually("the address goes", SOON, || {
            eyes::addresses("eth1").is_empty().then_some(())
        });
    });
}

#[test]
fn a_new_commander_and_a_new_monitor_know_whom_to_watch() {
    run(|| {
        ip(&[
            "link", "add", "eth1", "type", "veth", "peer", "name", "far1",
        ]);
        let system = System::start();
        let state = "interfaces: [{name: eth1, mtu: 1400, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}]";
        system.apply(state).ok();
        for name in ["commander", "monitor"] {
            // While it is away, and afterwards.
            for is_first in [true, false] {
                if is_first {
                    kill_9(system.plugin_pids()[name]);
                }
                ip(&["link", "delete", "eth1"]);
                ip(&[
                    "link", "add", "eth1", "type", "veth", "peer", "name", "far1",
                ]);
                let is_back = || {
                    (eyes::addresses("eth1") == ["192.0.2.1/24"]
                        && eyes::link("eth1")["mtu"] == 1400)
                        .then_some(())
                };
                eventually(&format!("{name}: the link gets its state"), SOON, is_back);
                // Behind what is still under way for the link, which would create it anew if it went in the middle of that.
                system.apply(state).ok();
            }
        }
    });
}
