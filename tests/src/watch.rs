// SPDX-License-Identifier: Apache-2.0

//! Watching what the kernel tells of changes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::eyes::parsed;
use crate::namespace::ip;
use crate::process::{Process, eventually};

/// Longer than the kernel waits between two things that follow from one.
const QUIET: Duration = Duration::from_millis(1200);

/// Whether duplicate address detection is under way on a link where it can come to an end.
fn is_an_address_tentative(links: &[Value]) -> bool {
    let with_carrier = links
        .iter()
        .filter(|link| link["operstate"] != "DOWN" && link["operstate"] != "LOWERLAYERDOWN");
    let mut addresses = with_carrier
        .filter_map(|link| link["addr_info"].as_array())
        .flatten();
    addresses.any(|address| address["tentative"] == true)
}

/// Whether the kernel knows of a carrier that came or went and has yet to say so (`net/core/link_watch.c`, within a second
/// or later on a busy machine): the flag is ahead of the operational state.
fn is_a_carrier_untold(links: &[Value]) -> bool {
    links.iter().any(|link| {
        let has_flag = |flag: &str| {
            let mut flags = link["flags"].as_array().into_iter().flatten();
            flags.any(|set| set == flag)
        };
        let told = link["operstate"].as_str().unwrap_or_default();
        let is_behind = match has_flag("LOWER_UP") {
            true => matches!(told, "DOWN" | "LOWERLAYERDOWN"),
            false => told == "UP",
        };
        has_flag("UP") && is_behind
    })
}

/// Whether a network card that is up still waits for its carrier. The cards of the virtual machine are the ends of wires, and
/// so have one in the end; to change settings takes it away for seconds.
fn is_a_card_without_carrier(links: &[Value]) -> bool {
    links.iter().any(|link| {
        let flags = link["flags"].as_array();
        let no_carrier = Value::from("NO-CARRIER");
        !link["parentbus"].is_null() && flags.is_some_and(|flags| flags.contains(&no_carrier))
    })
}

/// Whether the bridge itself tells it of a port (`AF_BRIDGE`), as it does whenever a timer of spanning tree ends, even
/// if that is not used. What is changed by a message is told in the usual way too.
fn is_of_bridge(line: &str) -> bool {
    line.contains(" master ") && line.contains(" state ") && !line.contains(" qdisc ")
}

/// `ip monitor`: what the kernel tells everybody about.
#[derive(Debug)]
pub struct Watch {
    _process: Process,
    lines: mpsc::Receiver<String>,
    marks: Cell<u8>,
}

/// Network of the addresses that mark places in what is told: of the loopback interface, used by nobody else.
const MARKS: &str = "127.99.0.";

impl Watch {
    /// Starts watching.
    #[must_use]
    pub fn start() -> Self {
        let command = [
            "stdbuf", "-oL", "ip", "-o", "monitor", "link", "address", "route", "rule",
        ];
        let mut process = Process::start(&command, Stdio::piped());
        let output = process.0.stdout.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let watch = Self {
            _process: process,
            lines,
            marks: Cell::new(0),
        };
        // It listens when it tells of a change that we make ourselves.
        eventually("ip monitor listens", Duration::from_secs(5), || {
            let mark = watch.mark();
            watch.until(&mark, Duration::from_millis(50))
        });
        watch
    }

    /// Waits until the kernel has nothing more to tell of what was done before: carriers of virtual links and duplicate
    /// address detection take up to a second each, those of cards several.
    pub fn settle(&self) {
        eventually("the kernel settles", Duration::from_secs(30), || {
            // Asked first: detection that ends between the two is heard by the second.
            let all = parsed(&ip(&["-j", "-d", "address", "show"]));
            let links = all.as_array().expect("a list");
            let is_final = !is_an_address_tentative(links)
                && !is_a_carrier_untold(links)
                && !is_a_card_without_carrier(links);
            let is_quiet = self.lines.recv_timeout(QUIET).is_err();
            (is_final && is_quiet).then_some(())
        });
    }

    /// Everything that was told up to now. A change of our own marks the end.
    pub fn marked(&self) -> Vec<String> {
        let mark = self.mark();
        self.until(&mark, Duration::from_secs(10))
            .expect("the mark comes")
    }

    /// The next line with `text`, and nothing that was told before it.
    pub fn await_line(&self, text: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("no line with {text:?} within {limit:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// What is told within `time`, which a test about time may take.
    pub fn during(&self, time: Duration) -> Vec<String> {
        let deadline = Instant::now() + time;
        let mut told = Vec::new();
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            told.push(line);
        }
        told
    }

    fn mark(&self) -> String {
        self.marks.set(self.marks.get().wrapping_add(1));
        let mark = format!("{MARKS}{}/32", self.marks.get());
        ip(&["address", "add", &mark, "dev", "lo"]);
        ip(&["address", "delete", &mark, "dev", "lo"]);
        mark
    }

    /// What is told before `mark` is deleted, without what is told about marks.
    fn until(&self, mark: &str, limit: Duration) -> Option<Vec<String>> {
        let mut told = Vec::new();
        loop {
            let line = self.lines.recv_timeout(limit).ok()?;
            if line.starts_with("Deleted") && line.contains(&format!("inet {mark}")) {
                return Some(told);
            }
            if !line.contains(MARKS) && !is_of_bridge(&line) {
                told.push(line);
            }
        }
    }
}
