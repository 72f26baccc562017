// SPDX-License-Identifier: Apache-2.0

//! The machine's name: the kernel's and the one of the next boot.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::fs;
use std::process::Command;

use nipart_tests::check;
use nipart_tests::eyes::assert_includes;
use nipart_tests::namespace::{enter, run};
use nipart_tests::system::System;
use serde_json::json;

fn running() -> String {
    let output = Command::new("uname").arg("-n").output().expect("uname");
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

fn config(system: &System) -> Option<String> {
    fs::read_to_string(system.path("etc/hostname")).ok()
}

#[test]
fn both_names_by_themselves() {
    run(|| {
        let mut system = System::start();
        check::apply(&system, "hostname: {running: web-1}");
        assert_eq!((running().as_str(), config(&system)), ("web-1", None));
        check::apply(&system, "hostname: {config: web-2.example.org}");
        assert_eq!(running(), "web-1");
        assert_eq!(config(&system).as_deref(), Some("web-2.example.org\n"));
        let shown = system.ctl(&["show", "-o", "json"]).ok().json();
        let expected = json!({"hostname": {"running": "web-1", "config": "web-2.example.org"}});
        assert_includes("shown", &shown, &expected);
        check::round_trip(&system);

        let state = "hostname: {running: web-3, config: web-3}";
        assert_eq!(
            check::operations_of_plan(&system, state),
            ["set host name: running web-3, config web-3"]
        );
        let back = system.ctl_with(&["gr", "-"], state).ok().out;
        check::apply(&system, state);
        check::apply(&system, &back);
        assert_eq!(running(), "web-1");
        assert_eq!(config(&system).as_deref(), Some("web-2.example.org\n"));

        // Somebody else changes it; the next start brings it back.
        assert!(
            Command::new("hostname")
                .arg("other")
                .status()
                .expect("hostname")
                .success()
        );
        let status = system.ctl(&["status", "-o", "json"]).json();
        assert_includes(
            "status",
            &status["interfaces"],
            &json!([{"interface": "hostname", "state": "drifted"}, {"interface": "lo"}]),
        );
        system.stop_daemon();
        system.start_daemon();
        // Whoever asks is answered when what is saved is back.
        system.ctl(&["show"]).ok();
        assert_eq!(running(), "web-1");
    });
}

#[test]
fn the_machine_that_runs_the_tests_keeps_its_name() {
    let before = running();
    if enter("the_machine_that_runs_the_tests_keeps_its_name") {
        check::apply(&System::start(), "hostname: {running: other-1}");
        assert_eq!(running(), "other-1");
        return;
    }
    assert_ne!(before, "other-1");
    assert_eq!(running(), before);
}
