// SPDX-License-Identifier: Apache-2.0

//! systemd-resolved answers programs: it is told through its tools, and resolv.conf is left alone.
//!
//! The tools are stood in for by a script; the last test is of the real ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes::assert_includes;
use nipart_tests::namespace::{ip, run, veth_pairs};
use nipart_tests::process::{Process, eventually};
use nipart_tests::system::System;
use serde_json::json;

/// The tools' folder, what they were told, and what keeps the socket open.
struct Double {
    folder: PathBuf,
    _socket: UnixListener,
}

impl Double {
    /// A system whose resolv.conf leads to systemd-resolved.
    fn install(system: &System) -> Self {
        let folder = system.path("tools");
        fs::create_dir(&folder).expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("support/fake_resolvectl");
        for name in ["resolvectl", "systemctl"] {
            fs::copy(&script, folder.join(name)).expect("the script");
        }
        let directory = system.path("etc/resolved");
        fs::create_dir(&directory).expect("a folder");
        fs::write(
            directory.join("stub-resolv.conf"),
            "nameserver 127.0.0.53\n",
        )
        .expect("a file");
        symlink("resolved/stub-resolv.conf", system.path("etc/resolv.conf")).expect("a link");
        use_tools(system, &folder);
        Self {
            folder,
            _socket: UnixListener::bind(directory.join("io.systemd.Resolve")).expect("a socket"),
        }
    }

    /// What was changed since the last time.
    fn calls(&self) -> Vec<String> {
        let file = self.folder.join("calls");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        text.lines().map(str::to_string).collect()
    }
}

fn use_tools(system: &System, folder: &Path) {
    let path = std::env::var("PATH").expect("a path");
    let settings = format!(
        "plugins: [{{name: dns, environment: {{PATH: '{}:{path}'}}}}]\n",
        folder.display()
    );
    fs::write(system.path("nipart.yml"), settings).expect("settings");
}

fn drop_in(system: &System) -> Option<String> {
    fs::read_to_string(system.path("etc/resolved.conf.d/90-nipart.conf")).ok()
}

#[test]
fn links_and_the_machine() {
    run(|| {
        veth_pairs(1);
        let mut system = System::prepare();
        let double = Double::install(&system);
        system.start_daemon();
        check::apply(
            &system,
            "interfaces: [{name: v0, dns: {server: [192.0.2.1, 'fe80::1%v0'], search: [a.org]}}, {name: w0, dns: {server: [192.0.2.2]}}]",
        );
        assert_eq!(
            double.calls(),
            [
                "dns v0 192.0.2.1 fe80::1",
                "domain v0 a.org",
                "dns w0 192.0.2.2",
                "domain w0 "
            ]
        );
        assert_eq!(drop_in(&system), None);
        let shown = system.ctl(&["show", "-o", "json"]).ok().json();
        assert_includes(
            "shown",
            &shown["dns-resolver"],
            &json!({"backend": "resolved"}),
        );

        check::apply(
            &system,
            "dns-resolver: {config: {server: [192.0.2.9], search: [b.org]}}",
        );
        assert_eq!(
            double.calls(),
            ["systemctl try-reload-or-restart systemd-resolved.service"]
        );
        let text = drop_in(&system).expect("a drop-in");
        assert!(
            text.ends_with("[Resolve]\nDNS=192.0.2.9\nDomains=b.org\n"),
            "{text}"
        );

        // Only what changes is told.
        check::apply(&system, "interfaces: [{name: w0, dns: {server: []}}]");
        assert_eq!(double.calls(), ["dns w0 ", "domain w0 "]);
        // It forgets a link with the link.
        check::apply(&system, "interfaces: [{name: v0, state: absent}]");
        assert_eq!(double.calls(), Vec::<String>::new());
        check::apply(&system, "dns-resolver: {config: {}}");
        assert_eq!(drop_in(&system), None);
        assert_eq!(
            double.calls(),
            ["systemctl try-reload-or-restart systemd-resolved.service"]
        );
        let link = fs::read_link(system.path("etc/resolv.conf")).expect("a link");
        assert_eq!(link, Path::new("resolved/stub-resolv.conf"));
    });
}

#[test]
fn refusal_and_strangers() {
    run(|| {
        veth_pairs(1);
        let mut system = System::prepare();
        let double = Double::install(&system);
        system.start_daemon();
        let said = check::refused(&system, "dns-resolver: {config: {options: [rotate]}}");
        assert!(said.contains("takes no options"), "{said}");

        let state = "interfaces: [{name: v0, mtu: 1400, dns: {server: [192.0.2.1]}}]";
        fs::write(double.folder.join("refuse"), "").expect("a file");
        let said = system.apply(state).refused();
        assert!(
            said.contains("resolvectl dns v0 192.0.2.1") && said.contains("Access denied"),
            "{said}"
        );
        assert!(said.contains("the network is as it was"), "{said}");
        assert!(ip(&["link", "show", "v0"]).contains("mtu 1500"));
        fs::remove_file(double.folder.join("refuse")).expect("a file");
        check::apply(&system, state);

        // Somebody else gives the link another server.
        fs::write(double.folder.join("links/v0.dns"), "198.51.100.1").expect("a file");
        let status = system.ctl(&["status", "-o", "json"]).json();
        assert_includes(
            "status",
            &status["interfaces"][0],
            &json!({"interface": "v0", "state": "drifted"}),
        );
        double.calls();
        system.apply(state).ok();
        assert_eq!(double.calls(), ["dns v0 192.0.2.1", "domain v0 "]);
    });
}

/// A real systemd-resolved, with a message bus of its own.
fn start_real(root: &Path) -> Vec<Process> {
    let script = "
        set -e
        mount -t tmpfs tmpfs /run
        mkdir -p /run/systemd/resolve /run/dbus
        cp /etc/passwd /etc/group /run
        grep -q ^systemd-resolve: /run/passwd || {
            echo 'systemd-resolve:x:997:997::/:/usr/sbin/nologin' >>/run/passwd
            echo 'systemd-resolve:x:997:' >>/run/group
        }
        mount --bind /run/passwd /etc/passwd
        mount --bind /run/group /etc/group
        chown systemd-resolve: /run/systemd/resolve
        cat >/run/dbus/system.conf <<'END'
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context='default'><allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/><allow user='*'/></policy>
</busconfig>
END";
    let status = Command::new("sh").args(["-c", script]).status();
    assert!(status.expect("sh").success());
    let wait_for = |path: &str| {
        eventually(path, Duration::from_secs(10), || {
            Path::new(path).exists().then_some(())
        });
    };
    let bus = [
        "dbus-daemon",
        "--config-file=/run/dbus/system.conf",
        "--nofork",
        "--nopidfile",
    ];
    let bus = Process::start(&bus, Stdio::null());
    wait_for("/run/dbus/system_bus_socket");
    let daemon = root.join("lib/systemd/systemd-resolved");
    let daemon = Process::start(&[daemon.to_str().expect("text")], Stdio::null());
    wait_for("/run/systemd/resolve/io.systemd.Resolve");
    vec![daemon, bus]
}

#[test]
#[ignore = "needs NIPART_TESTS_RESOLVED: a folder with Debian's systemd-resolved unpacked"]
fn the_real_one() {
    run(|| {
        let root = PathBuf::from(std::env::var("NIPART_TESTS_RESOLVED").expect("a folder"));
        veth_pairs(1);
        ip(&["link", "set", "v0", "up"]);
        let _processes = start_real(&root);
        let mut system = System::prepare();
        use_tools(&system, &root.join("usr/bin"));
        symlink("/run/systemd/resolve", system.path("etc/resolved")).expect("a link");
        symlink(
            "/run/systemd/resolve/stub-resolv.conf",
            system.path("etc/resolv.conf"),
        )
        .expect("a link");
        system.start_daemon();
        let links = |what: &str| {
            let tool = Command::new(root.join("usr/bin/resolvectl"))
                .arg(what)
                .output();
            String::from_utf8_lossy(&tool.expect("resolvectl").stdout).into_owned()
        };
        check::apply(
            &system,
            "interfaces: [{name: v0, dns: {server: [192.0.2.1, 'fe80::1%v0'], search: [a.org]}}]",
        );
        assert!(
            links("dns").contains("(v0): 192.0.2.1 fe80::1\n"),
            "{}",
            links("dns")
        );
        assert!(
            links("domain").contains("(v0): a.org\n"),
            "{}",
            links("domain")
        );
        let shown = system.ctl(&["show", "-o", "json"]).ok().json();
        let running = shown["dns-resolver"]["running"]["server"].to_string();
        assert!(running.contains("192.0.2.1"), "{running}");
        check::apply(&system, "interfaces: [{name: v0, dns: {}}]");
        assert!(links("dns").contains("(v0):\n"), "{}", links("dns"));
    });
}
