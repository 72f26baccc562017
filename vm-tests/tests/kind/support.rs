// SPDX-License-Identifier: Apache-2.0

//! What these tests do with every type.

use nipart_tests::eyes;
use nipart_tests::system::System;

/// Applies `state`, which the kernel is to refuse at its end; all that was done before must be as it was.
pub(crate) fn reverted(system: &System, state: &str) -> String {
    let before = settled();
    let answer = system.apply(state).refused();
    eyes::assert_same(&before, &settled(), &format!("after {answer}"));
    answer
}

/// What iproute2 tells of bonds that changes by itself.
const PASSING: [&str; 4] = [
    "active_slave",
    "bond_slave",
    "mii_status",
    "link_failure_count",
];

/// Everything but what comes by itself, when nothing more comes: which port is active, the order of addresses.
fn settled() -> String {
    let everything = eyes::settled();
    let mut lines: Vec<String> = everything.lines().map(without_passing).collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn without_passing(line: &str) -> String {
    let mut kept = Vec::new();
    let mut words = line.split(' ');
    while let Some(word) = words.next() {
        if PASSING.contains(&word) {
            words.next();
            if word == "bond_slave" {
                words.next();
            }
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

/// The number of a link, which stays as long as the link does.
pub(crate) fn index(name: &str) -> u64 {
    eyes::link(name)["ifindex"].as_u64().expect("a number")
}
