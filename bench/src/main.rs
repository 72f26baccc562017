// SPDX-License-Identifier: Apache-2.0

//! `nipart-bench [--once] [SCENARIO…] [N…]`: what Nipart costs, as ratios against iproute2. Scenarios are `pairs`, `bridge`,
//! `stacks`, `routes`, `start` and `dhcp`; without any, the usual ones.
//!
//! Every measurement runs in a fresh network namespace, and nothing of an earlier one is left: iproute2 and Nipart in turn,
//! several times, each first as often as the other; medians are printed. Deleting thousands of links keeps the kernel busy
//! long after a namespace is gone, so that is waited for.

mod dhcp;
mod inside;
mod measure;
mod states;

use std::process::{Command, ExitCode, Stdio};

use serde_json::{Map, Value};

use crate::inside::Side;
use crate::measure::{await_quiet_kernel, median};

const DEFAULT_SIZES: [usize; 3] = [100, 500, 1000];
/// With sizes; the first ones are the usual ones.
const SCENARIOS: [&str; 5] = ["pairs", "bridge", "stacks", "routes", "start"];
const USUAL: usize = 3;
const RUNS: usize = 5;
const USAGE: &str =
    "usage: nipart-bench [--once] [pairs] [bridge] [stacks] [routes] [start] [dhcp] [N…]";

/// What to measure.
#[derive(Debug, Default)]
struct Order {
    once: bool,
    scenarios: Vec<String>,
    sizes: Vec<usize>,
}

impl Order {
    /// None for a word that is neither a size nor a scenario.
    fn of(arguments: &[String]) -> Option<Self> {
        let mut order = Self::default();
        for argument in arguments {
            match argument.parse() {
                Ok(size) => order.sizes.push(size),
                Err(_) if argument == "--once" => order.once = true,
                Err(_) if argument == "dhcp" || SCENARIOS.contains(&argument.as_str()) => {
                    order.scenarios.push(argument.clone());
                }
                Err(_) => return None,
            }
        }
        if order.sizes.is_empty() {
            order.sizes = DEFAULT_SIZES.to_vec();
        }
        if order.scenarios.is_empty() {
            let usual = SCENARIOS.iter().take(USUAL).chain(&["dhcp"]);
            order.scenarios = usual.map(ToString::to_string).collect();
        }
        Some(order)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, scenario, side, size] = arguments.as_slice()
        && flag == "--inside"
    {
        let size = size.parse().unwrap_or(0);
        let side = Side::BOTH.into_iter().find(|it| it.word() == side);
        println!(
            "{}",
            inside::run(scenario, side.unwrap_or(Side::Nipart), size)
        );
        return ExitCode::SUCCESS;
    }
    let Some(order) = Order::of(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    // Where a processor is emulated, one run takes minutes.
    let count = if order.once { 1 } else { RUNS };
    println!("medians of {count} runs; milliseconds wall / CPU of all processes\n");
    println!(
        "{:<6} {:<26} {:>16} {:>16} {:>12}",
        "N", "what", "iproute2", "nipart", "ratio"
    );
    let (dhcp, sized): (Vec<&String>, Vec<_>) =
        order.scenarios.iter().partition(|it| *it == "dhcp");
    for size in order.sizes {
        for scenario in &sized {
            table(size, &runs(scenario, size, count));
        }
    }
    if !dhcp.is_empty() {
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

/// Runs both sides of a scenario several times, each in a namespace of its own. The figures of both, for each time.
fn runs(scenario: &str, size: usize, count: usize) -> Vec<Map<String, Value>> {
    let both = |turn: usize| {
        let mut sides = Side::BOTH;
        if turn % 2 == 1 {
            sides.reverse();
        }
        let figures: Vec<_> = sides
            .into_iter()
            .map(|side| run(scenario, side, size))
            .collect::<Option<_>>()?;
        Some(figures.into_iter().flatten().collect())
    };
    (0..count).filter_map(both).collect()
}

/// The figures of one side.
fn run(scenario: &str, side: Side, size: usize) -> Option<Map<String, Value>> {
    await_quiet_kernel();
    let own = std::env::current_exe().ok()?;
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--"])
        .arg(own)
        .args(["--inside", scenario, side.word(), &size.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().last();
    let figures = last.and_then(|line| serde_json::from_str(line).ok());
    if figures.is_none() {
        eprintln!("{scenario} {size} of {} failed: {text}", side.word());
    }
    figures
}

fn of(runs: &[Map<String, Value>], key: &str) -> f64 {
    median(
        runs.iter()
            .filter_map(|run| run.get(key)?.as_f64())
            .collect(),
    )
}

fn table(size: usize, runs: &[Map<String, Value>]) {
    let keys = runs.first().into_iter().flat_map(Map::keys);
    for key in keys {
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
