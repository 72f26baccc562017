// SPDX-License-Identifier: Apache-2.0

//! Fifty clients make random overlapping changes: every answer is right, a serial order explains the end, and no lock
//! is left.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test: failing loudly is its way of reporting"
)]

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use nipart_tests::eyes;
use nipart_tests::namespace::run;
use nipart_tests::system::System;

const CLIENTS: usize = 50;
const LINKS: usize = 8;
const DURATION: Duration = Duration::from_secs(20);

/// One change: two links get the same description.
struct Change {
    tag: String,
    links: [usize; 2],
    begun: Instant,
    ended: Instant,
    is_done: bool,
}

fn link(number: usize) -> String {
    format!("b{number}")
}

/// Numbers without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}

fn describe(links: &[usize], tag: &str) -> String {
    let lines = links
        .iter()
        .map(|number| format!("- {{name: {}, description: {tag}}}\n", link(*number)));
    format!("interfaces:\n{}", lines.collect::<String>())
}

/// What one client does until the time is up; or what it was told that is wrong.
fn client(system: &System, number: usize, until: Instant) -> Result<Vec<Change>, String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
    let mut changes = Vec::new();
    while Instant::now() < until {
        let first = random.below(LINKS);
        let links = [first, (first + 1 + random.below(LINKS - 1)) % LINKS];
        let tag = format!("c{number}-{}", changes.len());
        let no_wait = random.below(4) == 0;
        let arguments: &[&str] = match no_wait {
            true => &["apply", "--no-wait", "-"],
            false => &["apply", "-"],
        };
        let begun = Instant::now();
        let answer = system.ctl_with(arguments, &describe(&links, &tag));
        let ended = Instant::now();
        let is_held = no_wait && answer.err.contains("is held by");
        if answer.code != 0 && !is_held {
            return Err(format!("{tag}: {}", answer.err));
        }
        changes.push(Change {
            tag,
            links,
            begun,
            ended,
            is_done: answer.code == 0,
        });
    }
    Ok(changes)
}

/// Each link has the description of one change, and the changes can have come after each other in some order.
fn explain(changes: &[Change], end: &[String]) {
    let done: Vec<&Change> = changes.iter().filter(|change| change.is_done).collect();
    let by_tag: BTreeMap<&str, &Change> = done
        .iter()
        .map(|change| (change.tag.as_str(), *change))
        .collect();
    let last: Vec<&Change> = end
        .iter()
        .map(|tag| {
            *by_tag
                .get(tag.as_str())
                .unwrap_or_else(|| panic!("{tag} was never answered to be done"))
        })
        .collect();
    for (number, last) in last.iter().enumerate() {
        let of_link = done.iter().filter(|change| change.links.contains(&number));
        for other in of_link {
            assert!(
                other.begun <= last.ended,
                "{} has {}, although {} was begun after that had ended",
                link(number),
                last.tag,
                other.tag
            );
        }
    }
    // Whoever is last on one of its links and not on the other came before who is last there. That must not go round.
    let after = |change: &Change| -> Vec<&Change> {
        let others = change.links.iter().map(|number| last[*number]);
        others.filter(|other| other.tag != change.tag).collect()
    };
    for start in &last {
        let mut open = after(start);
        let mut steps = 0;
        while let Some(later) = open.pop() {
            assert_ne!(later.tag, start.tag, "no order explains {end:?}");
            steps += 1;
            assert!(steps <= 1 << LINKS, "no order explains {end:?}");
            open.extend(after(later));
        }
    }
}

#[test]
fn a_serial_order_explains_the_end() {
    run(|| {
        let system = System::start();
        let all: Vec<usize> = (0..LINKS).collect();
        let links = all
            .iter()
            .map(|number| format!("- {{name: {}, type: linux-bridge}}\n", link(*number)));
        system
            .apply(&format!("interfaces:\n{}", links.collect::<String>()))
            .ok();

        let until = Instant::now() + DURATION;
        let results: Vec<Result<Vec<Change>, String>> = thread::scope(|scope| {
            let system = &system;
            let clients: Vec<_> = (0..CLIENTS)
                .map(|number| scope.spawn(move || client(system, number, until)))
                .collect();
            clients
                .into_iter()
                .map(|client| client.join().expect("no client panics"))
                .collect()
        });
        let mut changes = Vec::new();
        for result in results {
            match result {
                Ok(done) => changes.extend(done),
                Err(wrong) => panic!("a wrong answer: {wrong}"),
            }
        }
        let descriptions = || -> Vec<String> {
            let descriptions = all
                .iter()
                .map(|number| eyes::link(&link(*number))["ifalias"].clone());
            descriptions
                .map(|text| text.as_str().unwrap_or_default().to_string())
                .collect()
        };
        let end = descriptions();
        explain(&changes, &end);
        let saved = system.saved();
        for tag in &end {
            assert!(
                saved.contains(&format!("description: {tag}\n")),
                "{tag} is not what is saved: {saved}"
            );
        }
        assert!(system.journals().is_empty());
        let held = changes.iter().filter(|change| !change.is_done).count();
        println!(
            "{CLIENTS} clients: {} changes, {held} of them told that somebody was at it; 0 failures",
            changes.len()
        );

        // No lock is left.
        system
            .ctl_with(&["apply", "--no-wait", "-"], &describe(&all, "the-end"))
            .ok();
        assert_eq!(descriptions(), vec!["the-end"; LINKS]);
    });
}
