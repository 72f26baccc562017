// SPDX-License-Identifier: Apache-2.0

//! Name resolution: resolv.conf is written, follows from all that speaks of it, and comes back as it was.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

#[path = "dns/lease.rs"]
mod lease;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nipart_tests::check;
use nipart_tests::eyes::assert_includes;
use nipart_tests::namespace::{ip, run, veth_pairs};
use nipart_tests::system::System;
use serde_json::{Value, json};

const ORIGINAL: &str = "# made by hand\nnameserver 203.0.113.1\noptions edns0\n";
const PURGE: &str = "dns-resolver: {config: {}}";

fn resolv_conf(system: &System) -> PathBuf {
    system.path("etc/resolv.conf")
}

/// The lines of resolv.conf, without comments.
fn lines(system: &System) -> Vec<String> {
    let text = fs::read_to_string(resolv_conf(system)).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_string).collect()
}

/// A system that finds this file.
fn with_original(text: &str) -> System {
    let mut system = System::prepare();
    fs::write(resolv_conf(&system), text).expect("a file");
    system.start_daemon();
    system
}

/// Starts the daemon; whoever asks is answered when what is saved is back.
fn start(system: &mut System) {
    system.start_daemon();
    system.ctl(&["show"]).ok();
}

/// As in a container: the file is mounted, and can't be replaced.
fn mount_over_itself(file: &Path, text: &str) {
    fs::write(file, text).expect("a file");
    let status = Command::new("mount")
        .arg("--bind")
        .args([file, file])
        .status();
    assert!(status.expect("mount is installed").success());
}

fn shown(system: &System) -> Value {
    system.ctl(&["show", "-o", "json"]).ok().json()["dns-resolver"].clone()
}

/// Files in the same directory: nothing is left lying about.
fn neighbours(file: &Path) -> Vec<String> {
    let directory = fs::read_dir(file.parent().expect("a directory")).expect("a directory");
    let names = directory.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn each_list_by_itself_and_back() {
    run(|| {
        let system = with_original(ORIGINAL);
        fs::set_permissions(resolv_conf(&system), fs::Permissions::from_mode(0o640))
            .expect("a mode");
        assert_includes(
            "before",
            &shown(&system),
            &json!({"running": {"server": ["203.0.113.1"], "options": ["edns0"]}, "backend": "resolv-conf"}),
        );

        let state = "dns-resolver: {config: {server: [192.0.2.1, '2001:db8::1', 'fe80::1%eth0'], search: [a.org, b.org]}}";
        assert_eq!(
            check::operations_of_plan(&system, state),
            ["set DNS: server 192.0.2.1 2001:db8::1 fe80::1%eth0, search a.org b.org"]
        );
        check::apply(&system, state);
        // What nobody speaks of stays.
        assert_eq!(
            lines(&system),
            [
                "search a.org b.org",
                "nameserver 192.0.2.1",
                "nameserver 2001:db8::1",
                "nameserver fe80::1%eth0",
                "options edns0"
            ]
        );
        let text = fs::read_to_string(resolv_conf(&system)).expect("a file");
        assert!(text.starts_with("# Written by Nipart"), "{text}");
        let mode = fs::metadata(resolv_conf(&system))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o644);
        check::round_trip(&system);

        // A list replaces only that list.
        check::apply(
            &system,
            "dns-resolver: {config: {search: [c.org], options: ['ndots:2', rotate]}}",
        );
        let expected = json!({
            "running": {"server": ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"], "search": ["c.org"], "options": ["ndots:2", "rotate"]},
            "config": {"server": ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"], "search": ["c.org"], "options": ["ndots:2", "rotate"]}
        });
        assert_includes("shown", &shown(&system), &expected);
        assert!(system.saved().contains("- c.org"), "{}", system.saved());

        // The way back is told before it is gone.
        let back = system.ctl_with(&["gr", "-"], PURGE).ok().out;
        check::apply(&system, PURGE);
        assert_eq!(
            fs::read_to_string(resolv_conf(&system)).expect("a file"),
            ORIGINAL
        );
        let mode = fs::metadata(resolv_conf(&system))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(
            !system.saved().contains("dns-resolver"),
            "{}",
            system.saved()
        );
        assert_eq!(neighbours(&resolv_conf(&system)), ["resolv.conf"]);
        check::apply(&system, &back);
        assert_includes("again", &shown(&system), &expected);
    });
}

#[test]
fn a_link_and_nothing_come_back() {
    run(|| {
        let mut system = System::prepare();
        let other = system.path("etc/elsewhere");
        fs::write(&other, "nameserver 203.0.113.1\n").expect("a file");
        symlink("elsewhere", resolv_conf(&system)).expect("a link");
        system.start_daemon();
        let state = "dns-resolver: {config: {server: [192.0.2.1]}}";
        check::apply(&system, state);
        assert!(
            fs::symlink_metadata(resolv_conf(&system))
                .expect("a file")
                .is_file()
        );
        assert_eq!(lines(&system), ["nameserver 192.0.2.1"]);
        assert_eq!(
            fs::read_to_string(&other).expect("a file"),
            "nameserver 203.0.113.1\n"
        );
        check::apply(&system, PURGE);
        assert_eq!(
            fs::read_link(resolv_conf(&system)).expect("a link"),
            Path::new("elsewhere")
        );

        fs::remove_file(resolv_conf(&system)).expect("a link");
        check::apply(&system, state);
        assert_eq!(lines(&system), ["nameserver 192.0.2.1"]);
        check::apply(&system, PURGE);
        assert!(!resolv_conf(&system).exists());
    });
}

#[test]
fn interfaces_have_servers_of_their_own() {
    run(|| {
        veth_pairs(1);
        let system = with_original("");
        check::apply(
            &system,
            "interfaces: [{name: v0, dns: {server: [192.0.2.1], search: [a.org]}}, {name: w0, dns: {server: [192.0.2.2]}}]",
        );
        assert_eq!(
            lines(&system),
            [
                "search a.org",
                "nameserver 192.0.2.1",
                "nameserver 192.0.2.2"
            ]
        );
        // What belongs to the machine comes first.
        check::apply(&system, "dns-resolver: {config: {server: [192.0.2.9]}}");
        assert_eq!(
            lines(&system),
            [
                "search a.org",
                "nameserver 192.0.2.9",
                "nameserver 192.0.2.1",
                "nameserver 192.0.2.2"
            ]
        );
        check::apply(&system, "interfaces: [{name: v0, dns: {search: []}}]");
        assert_eq!(
            lines(&system),
            [
                "nameserver 192.0.2.9",
                "nameserver 192.0.2.1",
                "nameserver 192.0.2.2"
            ]
        );
        check::round_trip(&system);
        // Both ends of the pair go.
        check::apply(&system, "interfaces: [{name: v0, state: absent}]");
        assert_eq!(lines(&system), ["nameserver 192.0.2.9"]);
    });
}

#[test]
fn servers_come_with_a_link_that_comes_late() {
    run(|| {
        let mut system = System::prepare();
        let state = "interfaces: [{name: v0, dns: {server: [192.0.2.1]}}]";
        fs::write(system.path("states/late.yml"), state).expect("a state");
        start(&mut system);
        assert_eq!(lines(&system), Vec::<String>::new());
        veth_pairs(1);
        let limit = std::time::Duration::from_secs(10);
        nipart_tests::process::eventually("its server", limit, || {
            (lines(&system) == ["nameserver 192.0.2.1"]).then_some(())
        });
    });
}

#[test]
fn refused_with_its_place() {
    run(|| {
        let system = with_original(ORIGINAL);
        for (text, place, why) in [
            (
                "dns-resolver:\n  config:\n    server: [192.0.2.1, ns.org]\n",
                ":3:25",
                "is not the address of a DNS server",
            ),
            (
                "dns-resolver:\n  config:\n    server:\n    - fe80::1\n",
                ":4:7",
                "write the interface behind it",
            ),
            (
                "dns-resolver:\n  config:\n    search:\n    - a..b\n",
                ":4:7",
                "is not a domain",
            ),
            (
                "dns-resolver:\n  config:\n    options: [fast]\n",
                ":3:15",
                "is not known",
            ),
            (
                "dns-resolver:\n  config:\n    servers: []\n",
                ":3:5",
                "unknown key",
            ),
            (
                "dns-resolver:\n  config:\n    server: [192.0.2.1, 192.0.2.1]\n",
                ":3:25",
                "is listed twice",
            ),
            (
                "interfaces:\n- name: lo\n  dns: {options: [rotate]}\n",
                ":3:",
                "options are the whole machine's",
            ),
            (
                "hostname:\n  running: web_1\n",
                ":2:12",
                "can't be a host name",
            ),
        ] {
            let said = check::refused(&system, text);
            assert!(said.contains(place) && said.contains(why), "{text}\n{said}");
        }
        assert_eq!(
            fs::read_to_string(resolv_conf(&system)).expect("a file"),
            ORIGINAL
        );
    });
}

#[test]
fn failure_takes_everything_back() {
    run(|| {
        veth_pairs(1);
        let system = with_original(ORIGINAL);
        check::apply(&system, "dns-resolver: {config: {search: [a.org]}}");
        let before = fs::read_to_string(resolv_conf(&system)).expect("a file");
        mount_over_itself(&system.path("etc/hostname"), "");
        let said = system
            .apply("hostname: {config: web-1}\ndns-resolver: {config: {search: [b.org]}}\ninterfaces: [{name: v0, mtu: 1400, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}]")
            .refused();
        assert!(said.contains("set host name: config web-1"), "{said}");
        assert!(said.contains("the network is as it was"), "{said}");
        assert_eq!(
            fs::read_to_string(resolv_conf(&system)).expect("a file"),
            before
        );
        assert!(!ip(&["address", "show", "v0"]).contains("192.0.2.1"));
    });
}

#[test]
fn unconfirmed_goes_and_history_leads_back() {
    run(|| {
        let system = with_original(ORIGINAL);
        check::apply(&system, "dns-resolver: {config: {server: [192.0.2.1]}}");
        let answer = system
            .ctl_with(
                &["apply", "-", "--no-commit", "--timeout", "60"],
                "dns-resolver: {config: {server: [192.0.2.2]}}",
            )
            .ok();
        assert_eq!(
            lines(&system),
            ["nameserver 192.0.2.2", "options edns0"],
            "{}",
            answer.out
        );
        system.ctl(&["rollback"]).ok();
        assert_eq!(lines(&system), ["nameserver 192.0.2.1", "options edns0"]);
        check::apply(&system, "dns-resolver: {config: {server: [192.0.2.3]}}");
        system.ctl(&["history", "rollback", "1"]).ok();
        assert_eq!(lines(&system), ["nameserver 192.0.2.1", "options edns0"]);
    });
}

#[test]
fn a_start_brings_it_back_and_others_are_noticed() {
    run(|| {
        let mut system = with_original(ORIGINAL);
        check::apply(&system, "dns-resolver: {config: {server: [192.0.2.1]}}");
        system
            .apply("dns-resolver: {config: {server: [192.0.2.1], search: [lan]}}")
            .ok();
        // Somebody else writes the file.
        fs::write(resolv_conf(&system), "nameserver 198.51.100.1\n").expect("a file");
        let status = system.ctl(&["status", "-o", "json"]).json();
        assert_includes(
            "status",
            &status["interfaces"],
            &json!([{"interface": "dns-resolver", "state": "drifted", "operations": ["set DNS: server 192.0.2.1, search lan"]}]),
        );
        assert_eq!(shown(&system)["overwritten"], true);
        system.stop_daemon();
        start(&mut system);
        assert_eq!(lines(&system), ["search lan", "nameserver 192.0.2.1"]);
        // A reboot: what is remembered until then is gone, the file isn't.
        system.apply("{}").ok();
        system.stop_daemon();
        fs::remove_dir_all(system.path("run")).expect("a directory");
        start(&mut system);
        assert_eq!(lines(&system), ["search lan", "nameserver 192.0.2.1"]);
        check::apply(&system, PURGE);
        assert_eq!(lines(&system), ["nameserver 198.51.100.1"]);
    });
}

#[test]
fn what_lasted_until_the_reboot_is_gone_after_it() {
    run(|| {
        let mut system = with_original(ORIGINAL);
        system
            .ctl_with(
                &["apply", "-", "--memory-only"],
                "dns-resolver: {config: {server: [192.0.2.1]}}",
            )
            .ok();
        assert_eq!(lines(&system), ["nameserver 192.0.2.1", "options edns0"]);
        system.stop_daemon();
        fs::remove_dir_all(system.path("run")).expect("a directory");
        start(&mut system);
        assert_eq!(
            fs::read_to_string(resolv_conf(&system)).expect("a file"),
            ORIGINAL
        );
    });
}

#[test]
fn without_a_daemon() {
    run(|| {
        let system = System::prepare();
        fs::write(resolv_conf(&system), ORIGINAL).expect("a file");
        let apply = |state: &str| {
            let run = system.path("run");
            let saved = system.path("state");
            let states = system.path("states");
            let arguments = [
                "apply",
                "-",
                "--no-daemon",
                "--run-dir",
                run.to_str().expect("text"),
                "--state-dir",
                saved.to_str().expect("text"),
                "--states-dir",
                states.to_str().expect("text"),
            ];
            system.ctl_with(&arguments, state).ok()
        };
        apply(
            "dns-resolver: {config: {server: [192.0.2.1]}}\nhostname: {running: web-1, config: web-1}",
        );
        assert_eq!(lines(&system), ["nameserver 192.0.2.1", "options edns0"]);
        assert_eq!(
            fs::read_to_string(system.path("etc/hostname")).expect("a file"),
            "web-1\n"
        );
        apply(PURGE);
        assert_eq!(
            fs::read_to_string(resolv_conf(&system)).expect("a file"),
            ORIGINAL
        );
    });
}
