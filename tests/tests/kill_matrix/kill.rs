// SPDX-License-Identifier: Apache-2.0

//! `kill -9` of each process, and of all together, at every event of the chain.

use std::process::Command;

use nipart_tests::namespace::run;
use nipart_tests::relay::When;
use nipart_tests::system::System;

use crate::world::{NEW, OLD, World, plugins};

pub(crate) const DAEMON: &str = "daemon";
pub(crate) const COMMANDER: &str = "commander";
pub(crate) const ALL: &str = "all";

/// Which processes belong to a victim of that name.
pub(crate) fn processes_of(world: &World, victim: &str) -> Vec<u64> {
    let mut pids = Vec::new();
    for (name, pid) in plugins(&world.system).expect("the daemon answers") {
        if name == victim || victim == ALL {
            pids.extend(pid);
        }
    }
    if matches!(victim, COMMANDER | ALL) {
        // The relay itself is listed already; here is who stands behind it.
        let behind = world
            .relay
            .pids()
            .into_iter()
            .filter(|pid| !pids.contains(pid));
        pids.extend(behind.collect::<Vec<_>>());
    }
    if matches!(victim, DAEMON | ALL) {
        pids.push(world.system.daemon_pid());
    }
    pids
}

/// All at once.
pub(crate) fn kill_9(pids: &[u64]) {
    let status = Command::new("kill")
        .arg("-9")
        .args(pids.iter().map(ToString::to_string))
        .status()
        .expect("kill is installed");
    assert!(status.success(), "kill -9 {pids:?}");
}

/// Every case of one victim.
fn matrix(victim: &str) {
    matrix_of(victim, || [OLD.to_string(), NEW.to_string()]);
}

/// The same for another change.
pub(crate) fn matrix_of(victim: &str, texts: impl Fn() -> [String; 2]) {
    let mut world = World::with(System::prepare(), texts());
    let hops = world.hops.clone();
    let (mut cases, mut new, mut failures) = (0, 0, Vec::new());
    for (index, planned) in hops.iter().enumerate() {
        for when in [When::Before, When::After] {
            let case = format!("kill -9 {victim} {when:?} {}: {planned}", index + 1);
            world.back_to_old();
            let pids = processes_of(&world, victim);
            let gone = pids.clone();
            world.relay.arm(index + 1, when, move || kill_9(&pids));
            let answer = world.change();
            let (_, was_done) = world.relay.disarm();
            if matches!(victim, DAEMON | ALL) {
                world.system.kill_daemon();
                world.system.start_daemon();
            }
            world.recovered(if was_done { &gone } else { &[] });
            cases += 1;
            let verdict = world.judge(&answer);
            let verdict = if was_done {
                verdict
            } else {
                Err("there was no such event".to_string())
            };
            match verdict {
                Ok(is_new) => new += usize::from(is_new),
                Err(problem) => {
                    let said =
                        answer.map_or_else(|problem| problem, |answer| answer.err + &answer.out);
                    failures.push(format!("{case}\n{problem}\nthe client was told: {said}"));
                    // The next case is to start from something sound.
                    world.system.stop_daemon();
                    world = World::with(System::prepare(), texts());
                }
            }
        }
    }
    println!(
        "kill -9 {victim}: {cases} cases, {new} ended new, {} old, {} failures",
        cases - new - failures.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn daemon() {
    run(|| matrix(DAEMON));
}

#[test]
fn commander() {
    run(|| matrix(COMMANDER));
}

#[test]
fn state() {
    run(|| matrix("state"));
}

#[test]
fn kernel() {
    run(|| matrix("kernel"));
}

#[test]
fn monitor() {
    run(|| matrix("monitor"));
}

#[test]
fn dhcp() {
    run(|| matrix("dhcp"));
}

#[test]
fn dns() {
    run(|| matrix("dns"));
}

#[test]
fn config() {
    run(|| matrix("config"));
}

#[test]
fn all_together() {
    run(|| matrix(ALL));
}
