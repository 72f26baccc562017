// SPDX-License-Identifier: Apache-2.0

//! `nipart-bench [--once] [SCENARIO…] [N…]`: what Nipart costs, as ratios against iproute2 in the same run. Scenarios are
//! `pairs`, `bridge`, `stacks` and `dhcp`; without any, all of them.
//!
//! Every measurement runs in fresh network namespaces: first iproute2, then Nipart, several times in turn; medians
//! are printed. Deleting thousands of links keeps the kernel busy long after a namespace is gone, so that is waited for.

mod dhcp;
mod inside;
mod measure;
mod states;

use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use crate::measure::{await_quiet_kernel, median};

const DEFAULT_SIZES: [usize; 3] = [100, 500, 1000];
const SCENARIOS: [&str; 3] = ["pairs", "bridge", "stacks"];
const RUNS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, scenario, size] = arguments.as_slice()
        && flag == "--inside"
    {
        let size = size.parse().unwrap_or(0);
        println!("{}", inside::run(scenario, size));
        return ExitCode::SUCCESS;
    }
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let sizes: Vec<usize> = arguments
        .iter()
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        DEFAULT_SIZES.to_vec()
    } else {
        sizes
    };
    // Where a processor is emulated, one run takes minutes.
    let count = if has("--once") { 1 } else { RUNS };
    let is_wanted = |scenario: &str| {
        has(scenario) || !SCENARIOS.iter().chain(&["dhcp"]).any(|other| has(other))
    };
    println!("medians of {count} runs; milliseconds wall / CPU of all processes\n");
    println!(
        "{:<6} {:<26} {:>16} {:>16} {:>12}",
        "N", "what", "iproute2", "nipart", "ratio"
    );
    for size in sizes {
        for scenario in SCENARIOS.into_iter().filter(|it| is_wanted(it)) {
            table(size, &runs(scenario, size, count));
        }
    }
    if is_wanted("dhcp") {
        let dhcp = runs("dhcp", 0, count);
        for key in ["udhcpc_ms", "nipart_ms"] {
            println!(
                "DHCP, link up to address: {:<10} {:>8.1} ms",
                key.trim_end_matches("_ms"),
                of(&dhcp, key)
            );
        }
    }
    ExitCode::SUCCESS
}

/// Runs a scenario several times, each in a namespace of its own.
fn runs(scenario: &str, size: usize, count: usize) -> Vec<Value> {
    (0..count)
        .filter_map(|_| {
            await_quiet_kernel();
            let own = std::env::current_exe().ok()?;
            let output = Command::new("unshare")
                .args(["--net", "--mount", "--"])
                .arg(own)
                .args(["--inside", scenario, &size.to_string()])
                .stderr(Stdio::inherit())
                .output()
                .ok()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let parsed = text
                .lines()
                .last()
                .and_then(|line| serde_json::from_str(line).ok());
            if parsed.is_none() {
                eprintln!("{scenario} {size} failed: {text}");
            }
            parsed
        })
        .collect()
}

fn of(runs: &[Value], key: &str) -> f64 {
    median(runs.iter().filter_map(|run| run[key].as_f64()).collect())
}

fn table(size: usize, runs: &[Value]) {
    let Some(Value::Object(first)) = runs.first() else {
        return;
    };
    for key in first.keys() {
        let Some(what) = key.strip_suffix("_nipart_ms") else {
            if let Some(what) = key.strip_suffix("_kib") {
                println!(
                    "{size:<6} {what:<26} {:>16} {:>12.1} MiB",
                    "",
                    of(runs, key) / 1024.0
                );
            }
            continue;
        };
        let nipart = (of(runs, key), of(runs, &format!("{what}_nipart_cpu_ms")));
        let peer = (
            of(runs, &format!("{what}_ip_ms")),
            of(runs, &format!("{what}_ip_cpu_ms")),
        );
        println!(
            "{size:<6} {what:<26} {:>16} {:>16} {:>12}",
            format!("{:.1} / {:.1}", peer.0, peer.1),
            format!("{:.1} / {:.1}", nipart.0, nipart.1),
            format!("{:.2} / {:.2}", nipart.0 / peer.0, nipart.1 / peer.1),
        );
    }
}
