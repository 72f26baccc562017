// SPDX-License-Identifier: Apache-2.0

//! The second pair of eyes: what iproute2 says of the kernel.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::namespace::ip;
use crate::process::{Process, eventually};

fn parsed(text: &str) -> Value {
    if text.trim().is_empty() { Value::Array(Vec::new()) } else { serde_json::from_str(text).expect("ip prints JSON") }
}

/// `ip -j -d link show dev NAME`, or null when there is no such link.
#[must_use]
pub fn link(name: &str) -> Value {
    let all = parsed(&ip(&["-j", "-d", "link", "show"]));
    let links = all.as_array().expect("a list");
    links.iter().find(|link| link["ifname"] == name).cloned().unwrap_or_default()
}

/// Addresses of a link as `ADDRESS/LENGTH`, without IPv6 link-local ones, in the kernel's order.
#[must_use]
pub fn addresses(name: &str) -> Vec<String> {
    let all = parsed(&ip(&["-j", "address", "show"]));
    let links = all.as_array().expect("a list");
    let Some(link) = links.iter().find(|link| link["ifname"] == name) else { return Vec::new() };
    let list = link["addr_info"].as_array().cloned().unwrap_or_default();
    list.iter()
        .filter(|address| !(address["family"] == "inet6" && address["scope"] == "link"))
        .map(|address| format!("{}/{}", address["local"].as_str().unwrap_or_default(), address["prefixlen"]))
        .collect()
}

/// Routes of the main table that the kernel didn't make itself, as `DESTINATION [via GATEWAY] dev NAME`.
#[must_use]
pub fn routes() -> Vec<String> {
    let mut found = Vec::new();
    for family in ["-4", "-6"] {
        let all = parsed(&ip(&["-j", family, "route", "show"]));
        for route in all.as_array().expect("a list").iter().filter(|route| route["protocol"] != "kernel") {
            let text = |key: &str| route[key].as_str().map(str::to_string);
            let via = text("gateway").map(|gateway| format!(" via {gateway}")).unwrap_or_default();
            found.push(format!(
                "{}{via} dev {}",
                text("dst").unwrap_or_default(),
                text("dev").unwrap_or_default()
            ));
        }
    }
    found
}

/// Everything of the namespace that an apply may change: for comparisons of before and after.
#[must_use]
pub fn everything() -> String {
    let mut snapshot = String::new();
    for arguments in [
        &["-d", "link", "show"][..],
        &["address", "show"],
        &["-4", "route", "show", "table", "all"],
        &["-6", "route", "show", "table", "all"],
    ] {
        for line in ip(arguments).lines().filter(|line| !line.contains("multicast ff00::/8")) {
            snapshot.push_str(&without_passing(line));
            snapshot.push('\n');
        }
    }
    snapshot
}

/// A line without what changes by itself: numbers of links that are created anew, timers, remaining life times.
fn without_passing(line: &str) -> String {
    let mut words = Vec::new();
    let mut skip = false;
    for word in line.split_whitespace() {
        if std::mem::take(&mut skip) {
            continue;
        }
        skip = matches!(
            word,
            "hello_timer" | "tcn_timer" | "topology_change_timer" | "gc_timer" | "valid_lft" | "preferred_lft" | "message_age_timer" | "forward_delay_timer" | "hold_timer"
        );
        if !skip {
            words.push(word);
        }
    }
    words.join(" ")
}

/// `ip monitor all`: what the kernel tells everybody about.
#[derive(Debug)]
pub struct Watch {
    _process: Process,
    lines: mpsc::Receiver<String>,
}

impl Watch {
    /// Starts watching.
    #[must_use]
    pub fn start() -> Self {
        let mut process = Process::start(&["stdbuf", "-oL", "ip", "monitor", "link", "address", "route", "rule"], Stdio::piped());
        let output = process.0.stdout.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let watch = Self { _process: process, lines };
        // It listens when it tells of a change that we make ourselves.
        let mut up = false;
        eventually("ip monitor listens", Duration::from_secs(5), || {
            up = !up;
            ip(&["link", "set", "lo", "alias", if up { "watched" } else { "" }]);
            watch.lines.recv_timeout(Duration::from_millis(50)).ok()
        });
        watch.marked();
        watch
    }

    /// Everything that was told up to now. A change of our own marks the end.
    pub fn marked(&self) -> Vec<String> {
        let mark = format!("mark-{:?}", std::time::Instant::now()).replace([' ', '{', '}', ':', ','], "");
        ip(&["link", "set", "lo", "alias", &mark]);
        let mut told = Vec::new();
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(5)).expect("the mark comes");
            if line.contains(&mark) {
                break;
            }
            told.push(line);
        }
        // The lines about the mark itself and about its predecessors on the loopback interface.
        told.retain(|line| !(line.contains(": lo:") || line.contains("alias ") || line.contains("link/loopback")));
        told
    }
}
