// SPDX-License-Identifier: Apache-2.0

//! `kill -9` in the middle of a plan: while the kernel plugin is at work on hundreds of links.

use nipart_tests::namespace::run;
use nipart_tests::relay::When;
use nipart_tests::system::System;

use crate::kill::{ALL, COMMANDER, DAEMON, kill_9, processes_of};
use crate::world::World;

/// Pairs of links that the change creates.
const PAIRS: usize = 250;

fn states() -> [String; 2] {
    let mut old =
        "interfaces:\n- {name: br0, type: linux-bridge, mac-address: '02:00:00:00:00:10'}\n"
            .to_string();
    let mut new = old.clone();
    for number in 0..PAIRS {
        let mac = |end: u8| {
            format!(
                "02:00:00:{end:02}:{:02x}:{:02x}",
                number / 256,
                number % 256
            )
        };
        old.push_str(&format!("- {{name: p{number}, state: absent}}\n"));
        new.push_str(&format!(
            "- {{name: p{number}, type: veth, mac-address: '{}', controller: br0, veth: {{peer: q{number}}}}}\n\
             - {{name: q{number}, type: veth, mac-address: '{}', ipv4: {{address: [{{ip: 10.{}.{}.1, prefix-length: 24}}]}}}}\n",
            mac(1),
            mac(2),
            number / 200,
            number % 200,
        ));
    }
    [old, new]
}

/// How many links there are.
fn links() -> usize {
    let table = std::fs::read_to_string("/proc/net/dev").expect("a table of links");
    table.lines().count()
}

#[test]
fn killed_in_the_middle() {
    run(|| {
        let mut world = World::with(System::prepare(), states());
        let execute = world.hop("commander → kernel execute todo");
        let mut failures = Vec::new();
        let mut cases = 0;
        for victim in [COMMANDER, "kernel", "config", "state", DAEMON, ALL] {
            for begun in [1, PAIRS, 2 * PAIRS] {
                world.back_to_old();
                let pids = processes_of(&world, victim);
                let gone = pids.clone();
                let enough = links() + begun;
                world.relay.arm(execute, When::After, move || {
                    while links() < enough {
                        std::thread::yield_now();
                    }
                    kill_9(&pids);
                });
                let answer = world.change();
                let (_, was_done) = world.relay.disarm();
                assert!(was_done, "{answer:?}");
                if matches!(victim, DAEMON | ALL) {
                    world.system.kill_daemon();
                    world.system.start_daemon();
                }
                world.recovered(&gone);
                cases += 1;
                if let Err(problem) = world.judge(&answer) {
                    failures.push(format!(
                        "kill -9 {victim} after {begun} links\n{problem}\n{answer:?}"
                    ));
                    world.system.stop_daemon();
                    world = World::with(System::prepare(), states());
                }
            }
        }
        println!(
            "in the middle of a plan of {PAIRS} pairs: {cases} cases, {} failures",
            failures.len()
        );
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    });
}
