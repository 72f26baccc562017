// SPDX-License-Identifier: Apache-2.0

//! The disk becomes full, or read-only, at every event of the chain.

use nipart_tests::disk::{fill, make_read_only, make_writable, with_own_disk};
use nipart_tests::namespace::run;
use nipart_tests::relay::When;

use crate::world::World;

#[test]
fn full() {
    run(|| {
        let (system, disk) = with_own_disk();
        let world = World::start(system);
        let (mut new, mut failures) = (0, Vec::new());
        for (index, planned) in world.hops.iter().enumerate() {
            world.back_to_old();
            let full = disk.clone();
            world
                .relay
                .arm(index + 1, When::Before, move || fill(&full));
            let answer = world.change();
            let (_, was_done) = world.relay.disarm();
            assert!(was_done, "{planned}");
            // At once, while the disk is still full.
            match world.judge(&answer) {
                Ok(is_new) => new += usize::from(is_new),
                Err(problem) => failures.push(format!("full at {planned}: {problem}\n{answer:?}")),
            }
            std::fs::remove_file(disk.join("ballast")).expect("the ballast");
        }
        let cases = world.hops.len();
        println!(
            "full disk: {cases} cases, {new} ended new, {} failures",
            failures.len()
        );
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    });
}

#[test]
fn read_only() {
    run(|| {
        let (system, disk) = with_own_disk();
        let mut world = World::start(system);
        let hops = world.hops.clone();
        let (mut new, mut failures) = (0, Vec::new());
        for (index, planned) in hops.iter().enumerate() {
            world.back_to_old();
            let place = disk.clone();
            world
                .relay
                .arm(index + 1, When::Before, move || make_read_only(&place));
            let answer = world.change();
            let (_, was_done) = world.relay.disarm();
            assert!(was_done, "{planned}");
            let mut verdict = world.is_one_of_both();
            // It starts from what it can read …
            world.system.kill_daemon();
            world.system.start_daemon();
            world.recovered(&[]);
            verdict = verdict.and_then(|was_new| match world.is_one_of_both()? == was_new {
                true => Ok(was_new),
                false => Err("a start on the read-only disk has changed the network".to_string()),
            });
            world.system.stop_daemon();
            make_writable(&disk);
            // … and puts everything in order when it can.
            world.system.start_daemon();
            world.recovered(&[]);
            match verdict.and_then(|_| world.judge(&answer)) {
                Ok(is_new) => new += usize::from(is_new),
                Err(problem) => {
                    failures.push(format!("read-only at {planned}: {problem}\n{answer:?}"))
                }
            }
        }
        println!(
            "read-only disk: {} cases, {new} ended new, {} failures",
            hops.len(),
            failures.len()
        );
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    });
}
