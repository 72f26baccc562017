// SPDX-License-Identifier: Apache-2.0

//! A card that can have seven virtual functions. Its driver judges rates by the speed that the link has.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::Process;
use nipart_tests::system::System;
use serde_json::{Value, json};

use crate::support::{Wire, fails_at_the_end, near, shown, taken_back};

/// Virtual functions of `near` as `ip` shows them: of each id, address, VLAN, priority, most to send, spoof check, trust.
fn functions() -> Value {
    let link: Value = serde_json::from_str(&ip(&["-j", "-d", "link", "show", "near"])).unwrap();
    let of = |function: &Value| {
        let vlan = &function["vlan_list"][0];
        json!([
            function["vf"],
            function["address"],
            vlan["vlan"],
            vlan["qos"],
            function["rate"]["max_tx"],
            function["spoofchk"],
            function["trust"],
        ])
    };
    let list = link[0]["vfinfo_list"].as_array().unwrap().iter();
    list.map(of).collect()
}

/// A function of which nothing was said.
fn untouched(id: u32) -> Value {
    json!([id, "00:00:00:00:00:00", null, null, 0, true, false])
}

/// A file of the card's device.
fn device_file(wire: &Wire, name: &str) -> String {
    let text = fs::read_to_string(wire.device.join(name)).unwrap();
    text.trim().to_string()
}

fn sr_iov(what: &str) -> String {
    near(&format!("ethernet: {{sr-iov: {{{what}}}}}"))
}

#[test]
fn number_and_what_each_may_do() {
    run(|| {
        let Some(wire) = Wire::take("igb") else {
            return;
        };
        let system = System::start();
        let state = "
interfaces:
- name: near
  ethernet:
    sr-iov:
      total-vfs: 2
      vfs:
      - {id: 0, mac-address: '02:00:00:00:00:09', vlan-id: 7, qos: 3, spoof-check: false, trust: true}
      - {id: 1, max-tx-rate: 100}
- {name: far, state: up}
";
        fails_at_the_end(&system, state, "near");
        assert_eq!(device_file(&wire, "sriov_numvfs"), "0");
        check::apply(&system, state);
        let first = json!([0, "02:00:00:00:00:09", 7, 3, 0, false, true]);
        assert_eq!(
            functions(),
            json!([
                first,
                [1, "00:00:00:00:00:00", null, null, 100, true, false]
            ])
        );
        let section = &shown(&system)["ethernet"]["sr-iov"];
        assert_eq!(
            (&section["max-vfs"], &section["vfs"][0]["vlan-proto"]),
            (&json!(7), &json!("802.1q")),
            "{section}"
        );

        check::apply(
            &system,
            &sr_iov("vfs: [{id: 1, trust: true}, {id: 0, qos: 1}]"),
        );
        let first = json!([0, "02:00:00:00:00:09", 7, 1, 0, false, true]);
        let second = json!([1, "00:00:00:00:00:00", null, null, 100, true, true]);
        assert_eq!(functions(), json!([first, second]));
        let change = "vfs: [{id: 0, mac-address: '02:00:00:00:00:0a', vlan-id: 0, qos: 0}, {id: 1, max-tx-rate: 0}]";
        fails_at_the_end(&system, &sr_iov(change), "near");
        assert_eq!(functions(), json!([first, second]));

        // An empty list: as if nothing had been said, but for the spoof check.
        fails_at_the_end(&system, &sr_iov("vfs: []"), "near");
        assert_eq!(functions(), json!([first, second]));
        check::apply(&system, &sr_iov("vfs: []"));
        let first = json!([0, "00:00:00:00:00:00", null, null, 0, false, false]);
        assert_eq!(functions(), json!([first, untouched(1)]));
        check::apply(&system, &sr_iov("total-vfs: 3, vfs: []"));
        assert_eq!(
            functions(),
            json!([untouched(0), untouched(1), untouched(2)])
        );
    });
}

#[test]
fn another_number() {
    run(|| {
        let Some(_wire) = Wire::take("igb") else {
            return;
        };
        let system = System::start();
        let state = "
interfaces:
- name: near
  ethernet: {sr-iov: {total-vfs: 2, vfs: [{id: 0, mac-address: '02:00:00:00:00:09', vlan-id: 7, trust: true}, {id: 1, max-tx-rate: 100}]}}
- {name: far, state: up}
";
        system.apply(state).ok();
        let first = json!([0, "02:00:00:00:00:09", 7, null, 0, true, true]);
        let second = json!([1, "00:00:00:00:00:00", null, null, 100, true, false]);
        assert_eq!(functions(), json!([first, second]));
        // All functions are made anew then, and what they had is given to them again.
        let change = "total-vfs: 3, vfs: [{id: 2, spoof-check: false}]";
        fails_at_the_end(&system, &sr_iov(change), "near");
        assert_eq!(functions(), json!([first, second]));
        system.apply(&sr_iov(change)).ok();
        let third = json!([2, "00:00:00:00:00:00", null, null, 0, false, false]);
        assert_eq!(functions(), json!([first, second, third]));
        check::apply(&system, &sr_iov("total-vfs: 1"));
        assert_eq!(functions(), json!([first]));
        // What was said of those that went is forgotten.
        system.apply(&sr_iov("total-vfs: 2")).ok();
        assert_eq!(functions(), json!([first, untouched(1)]));
        check::apply(&system, &sr_iov("total-vfs: 0"));
        assert_eq!(functions(), json!([]));
        check::no_errors(&system);
    });
}

#[test]
fn refused() {
    run(|| {
        let Some(wire) = Wire::take("igb") else {
            return;
        };
        let system = System::start();
        check::apply(&system, &sr_iov("total-vfs: 1"));
        for (change, expected) in [
            ("total-vfs: 8", "its card can have up to 7"),
            ("vfs: [{id: 1}]", "total-vfs is 1, so that ids go up to 0"),
            // The kernel's words: the driver takes no promises, and no service tags.
            (
                "vfs: [{id: 0, min-tx-rate: 10}]",
                "function 0: Invalid argument (EINVAL)",
            ),
            (
                "total-vfs: 2, vfs: [{id: 1, vlan-id: 5, vlan-proto: 802.1ad}]",
                "function 1: Protocol not supported (EPROTONOSUPPORT)",
            ),
        ] {
            let answer = taken_back(&system, &sr_iov(change));
            assert!(answer.contains(expected), "{change}: {answer}");
        }
        // A folder that can't be written, as in containers.
        ip(&["link", "set", "near", "up"]);
        let remount = |how: &str| {
            crate::support::printed("mount", &["-o", &format!("remount,bind,{how}"), "/sys"])
        };
        remount("ro");
        let answer = taken_back(&system, &sr_iov("total-vfs: 2"));
        remount("rw");
        assert!(
            answer.contains("/sys is mounted read-only here"),
            "{answer}"
        );
        assert_eq!(device_file(&wire, "sriov_numvfs"), "1");
    });
}

#[test]
fn back_after_a_restart() {
    run(|| {
        let Some(wire) = Wire::take("igb") else {
            return;
        };
        let mut system = System::start();
        assert_eq!(device_file(&wire, "sriov_drivers_autoprobe"), "1");
        let state = sr_iov("drivers-autoprobe: false, total-vfs: 2, vfs: [{id: 1, trust: true}]");
        fails_at_the_end(&system, &state, "near");
        assert_eq!(device_file(&wire, "sriov_drivers_autoprobe"), "1");
        check::apply(&system, &state);
        assert_eq!(device_file(&wire, "sriov_drivers_autoprobe"), "0");
        system.stop_daemon();
        for (file, number) in [("sriov_numvfs", "0"), ("sriov_drivers_autoprobe", "1")] {
            fs::write(wire.device.join(file), number).unwrap();
        }
        system.start_daemon();
        check::changes_nothing(&system, &state);
        let second = json!([1, "00:00:00:00:00:00", null, null, 0, true, true]);
        assert_eq!(functions(), json!([untouched(0), second]));
        assert_eq!(device_file(&wire, "sriov_drivers_autoprobe"), "0");
        check::apply(&system, &sr_iov("drivers-autoprobe: true, total-vfs: 0"));
    });
}

/// What udev does on other machines: gives interfaces of functions a name, after they have appeared, and here also another
/// namespace. They are the only links that appear in that of the machine.
fn name_functions(name: &'static str) -> Process {
    let outside = ["--target", "1", "--net", "--"];
    let mut monitor = Command::new("nsenter");
    monitor.args(outside).args(["ip", "-o", "monitor", "link"]);
    let mut monitor = Process::spawn(monitor.stdout(Stdio::piped()));
    let lines = BufReader::new(monitor.0.stdout.take().unwrap()).lines();
    let process = std::process::id().to_string();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let link = line.split(": ").nth(1).unwrap_or_default();
            // It is told of more than once.
            let _ = Command::new("nsenter")
                .args(outside)
                .args(["ip", "link", "set", link, "netns", &process, "name", name])
                .output();
        }
    });
    monitor
}

#[test]
fn interface_in_the_same_file() {
    run(|| {
        let Some(_wire) = Wire::take("igb") else {
            return;
        };
        crate::support::printed("modprobe", &["igbvf"]);
        let _udev = name_functions("part");
        let system = System::start();
        let state = "
interfaces:
- name: near
  ethernet: {sr-iov: {total-vfs: 1, vfs: [{id: 0, mac-address: '02:00:00:00:00:09'}]}}
- name: part
  type: ethernet
  mtu: 1400
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
- {name: part.7, type: vlan, vlan: {base-iface: part, id: 7}}
- {name: far, state: up}
";
        fails_at_the_end(&system, state, "part");
        check::apply(&system, state);
        assert_eq!(eyes::addresses("part"), ["192.0.2.1/24"]);
        assert_eq!(eyes::link("part")["mtu"], 1400);
        assert_eq!(eyes::link("part.7")["link"], "part");
        let answer = system
            .apply("interfaces: [{name: near, ethernet: {sr-iov: {total-vfs: 2}}}, {name: part, mtu: 1300}]")
            .refused();
        assert!(
            answer.contains("part is an interface of a virtual function"),
            "{answer}"
        );
        // nmstate's name of the same.
        let by_number = "
interfaces:
- {name: 'sriov:near:0', type: ethernet, mtu: 1300}
- {name: part.8, type: vlan, vlan: {base-iface: 'sriov:near:0', id: 8}}
";
        check::apply(&system, by_number);
        assert_eq!(eyes::link("part")["mtu"], 1300);
        assert_eq!(eyes::link("part.8")["link"], "part");
        let answer = system
            .apply("interfaces: [{name: 'sriov:near:1', mtu: 1400}]")
            .refused();
        assert!(
            answer.contains("sriov:near:1 can't be found: near has 1 virtual functions"),
            "{answer}"
        );
        // A machine with functions in use can't be switched off.
        system.apply(&sr_iov("total-vfs: 0")).ok();
        assert!(!eyes::everything().contains("part"));
    });
}
