// SPDX-License-Identifier: Apache-2.0

//! A checkpoint outlives each process that knows of it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::run;
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::{Value, json};

use crate::{AFTER, PATIENCE, checkpoints, hold, id_of, is_taken_back, nothing_waits, prepared};

/// The journals on disk.
fn journals(system: &System) -> Vec<PathBuf> {
    let files = fs::read_dir(system.path("state").join("journal")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect()
}

#[test]
fn plugins_that_die_change_nothing() {
    run(|| {
        let (system, before) = prepared();
        let begun = Instant::now();
        let id = id_of(&hold(&system, AFTER, 20));
        for plugin in ["commander", "config", "kernel", "state", "monitor", "dhcp"] {
            system.kill_plugin(plugin);
            eventually(&format!("{plugin} knows of it"), PATIENCE, || {
                (checkpoints(&system) == [id.clone()]).then_some(())
            });
            assert_link("v1", &json!({"mtu": 1300}));
            assert_link("v2", &json!({"master": "br0"}));
            assert_eq!(eyes::addresses("v1"), ["203.0.113.1/24"], "after {plugin}");
        }
        is_taken_back(&before, begun + Duration::from_secs(20));
        nothing_waits(&system);
        assert!(journals(&system).is_empty());
        system.apply(AFTER).ok();
    });
}

#[test]
fn a_daemon_that_dies_leaves_it_to_the_next_one() {
    run(|| {
        let (mut system, before) = prepared();
        let begun = Instant::now();
        let id = id_of(&hold(&system, AFTER, 10));
        system.kill_daemon();
        system.start_daemon();
        eventually("the next one knows", PATIENCE, || {
            (checkpoints(&system) == [id.clone()]).then_some(())
        });
        // The address that the operator came in by is away all the while.
        assert_eq!(eyes::addresses("v1"), ["203.0.113.1/24"]);
        is_taken_back(&before, begun + Duration::from_secs(10));
        nothing_waits(&system);
        assert_eq!(eyes::addresses("v1"), ["192.0.2.1/24"]);

        let id = id_of(&hold(&system, AFTER, 60));
        system.kill_daemon();
        system.start_daemon();
        system.ctl(&["commit", &id]).ok();
        assert_link("v1", &json!({"mtu": 1300}));
        assert!(journals(&system).is_empty());
        let saved = system.ctl(&["show", "--saved", "v1"]).ok().out;
        assert!(saved.contains("mtu: 1300"), "{saved}");
    });
}

#[test]
fn time_that_passes_without_a_daemon_counts() {
    run(|| {
        let (mut system, before) = prepared();
        hold(&system, AFTER, 1);
        system.kill_daemon();
        std::thread::sleep(Duration::from_millis(1500));
        assert_link("v1", &json!({"mtu": 1300}));
        system.start_daemon();
        is_taken_back(&before, Instant::now());
        nothing_waits(&system);
    });
}

#[test]
fn another_boot_takes_it_back_at_once() {
    run(|| {
        let (mut system, before) = prepared();
        let id = id_of(&hold(&system, AFTER, 3600));
        system.kill_daemon();
        let files = journals(&system);
        let [path] = files.as_slice() else {
            panic!("{files:?}")
        };
        let text = fs::read_to_string(path).unwrap();
        // Who edits it takes out the line with the checksum.
        let (_checksum, content) = text.split_once('\n').unwrap();
        let mut journal: Value = serde_json::from_str(content).unwrap();
        journal["checkpoint"]["boot-id"] = json!("00000000-0000-4000-8000-000000000000");
        fs::write(path, journal.to_string()).unwrap();
        system.start_daemon();
        is_taken_back(&before, Instant::now());
        nothing_waits(&system);
        let status = system.ctl(&["status", "-o", "json"]).ok().json();
        assert!(status["recovered"].to_string().contains(&id), "{status}");
    });
}
