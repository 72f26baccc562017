// SPDX-License-Identifier: Apache-2.0

//! One run of one scenario, inside a fresh namespace. iproute2 has a namespace of its own beside it.

use std::process::Command;
use std::time::Duration;

use nipart_tests::namespace::ip;
use nipart_tests::peer::Peer;
use nipart_tests::system::System;
use serde_json::{Map, Value, json};

use crate::measure::{await_quiet_kernel, cpu, pss, timed};
use crate::{dhcp, states};

/// Runs the scenario and returns its figures.
pub(crate) fn run(scenario: &str, size: usize) -> Value {
    match scenario {
        "pairs" => pairs(size),
        "bridge" => bridge(size),
        "stacks" => stacks(size),
        _ => dhcp::run(),
    }
}

/// A little more than two heartbeats.
const REST: Duration = Duration::from_millis(4500);

/// A daemon, and the figures up to now.
struct Bench {
    system: System,
    figures: Map<String, Value>,
}

impl Bench {
    fn new() -> Self {
        ip(&["link", "set", "lo", "up"]);
        Self {
            system: System::start(),
            figures: Map::new(),
        }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.system.path(name);
        if let Err(error) = std::fs::write(&path, content) {
            eprintln!("{}: {error}", path.display());
        }
        path.to_string_lossy().into_owned()
    }

    fn pids(&self) -> Vec<u64> {
        let plugins = self
            .system
            .ctl(&["plugin", "list", "-o", "json"])
            .ok()
            .json();
        let listed = plugins.as_array().cloned().unwrap_or_default();
        let plugins = listed.iter().filter_map(|plugin| plugin["pid"].as_u64());
        std::iter::once(self.system.daemon_pid())
            .chain(plugins)
            .collect()
    }

    fn nipart(&mut self, what: &str, arguments: &[&str]) {
        let pids = self.pids();
        let before: f64 = pids.iter().map(|pid| cpu(*pid)).sum();
        let (wall, own) = timed(&mut self.system.command(arguments));
        let after: f64 = pids.iter().map(|pid| cpu(*pid)).sum();
        self.figures
            .insert(format!("{what}_nipart_ms"), json!(wall));
        self.figures
            .insert(format!("{what}_nipart_cpu_ms"), json!(after - before + own));
    }

    fn iproute2(&mut self, what: &str, peer: &Peer, arguments: &[&str]) {
        let (wall, own) = timed(
            Command::new("nsenter")
                .args(["--target", &peer.pid(), "--net", "--", "ip"])
                .args(arguments),
        );
        self.figures.insert(format!("{what}_ip_ms"), json!(wall));
        self.figures.insert(format!("{what}_ip_cpu_ms"), json!(own));
    }

    fn memory(&mut self, what: &str) {
        let total: u64 = self.pids().into_iter().map(pss).sum();
        self.figures.insert(format!("{what}_kib"), json!(total));
    }

    /// What stays when the work is done: once it no longer shrinks for longer than a heartbeat.
    fn memory_at_rest(&mut self, what: &str) {
        let pids = self.pids();
        let total = || pids.iter().copied().map(pss).sum::<u64>();
        let mut last = u64::MAX;
        while total() < last {
            last = total();
            std::thread::sleep(REST);
        }
        self.figures.insert(format!("{what}_kib"), json!(total()));
    }
}

fn pairs(size: usize) -> Value {
    let peer = Peer::new();
    let mut bench = Bench::new();
    let (state, batch) = states::pairs(size);
    let (state, batch) = (bench.file("state.yml", &state), bench.file("batch", &batch));
    let again = bench.file("again", &states::pairs_again(size));
    let (change, change_batch) = states::one_change(size / 2);
    let (change, change_batch) = (
        bench.file("change.yml", &change),
        bench.file("change", &change_batch),
    );

    bench.memory_at_rest("idle");
    bench.iproute2("create", &peer, &["-batch", &batch]);
    bench.iproute2("unchanged", &peer, &["-batch", &again]);
    bench.iproute2("one change", &peer, &["-batch", &change_batch]);
    let (links, links_cpu) = timed(Command::new("nsenter").args([
        "--target",
        &peer.pid(),
        "--net",
        "--",
        "ip",
        "-d",
        "-j",
        "link",
    ]));
    let (list, list_cpu) = timed(Command::new("nsenter").args([
        "--target",
        &peer.pid(),
        "--net",
        "--",
        "ip",
        "-j",
        "address",
    ]));
    bench
        .figures
        .insert("show_ip_ms".to_string(), json!(links + list));
    bench
        .figures
        .insert("show_ip_cpu_ms".to_string(), json!(links_cpu + list_cpu));
    // The other namespace's new addresses are still being looked at for duplicates.
    await_quiet_kernel();
    bench.nipart("create", &["apply", &state]);
    await_quiet_kernel();
    bench.nipart("unchanged", &["apply", &state]);
    bench.nipart("one change", &["apply", &change]);
    bench.nipart("show", &["show"]);
    bench.memory("right after that");
    bench.memory_at_rest("at rest");
    Value::Object(bench.figures)
}

fn bridge(size: usize) -> Value {
    let peer = Peer::new();
    let mut bench = Bench::new();
    let (state, batch) = states::bridge(size);
    let (state, batch) = (bench.file("state.yml", &state), bench.file("batch", &batch));
    bench.iproute2("bridge with new ports", &peer, &["-batch", &batch]);
    await_quiet_kernel();
    bench.nipart("bridge with new ports", &["apply", &state]);
    Value::Object(bench.figures)
}

/// Whether the kernel has VLANs, asked of the other namespace.
fn has_vlans(peer: &Peer) -> bool {
    let ip = |arguments: &str| {
        Command::new("nsenter")
            .args(["--target", &peer.pid(), "--net", "--", "ip"])
            .args(arguments.split(' '))
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let has = ip("link add probe type veth peer name eborp")
        && ip("link add link probe name probe.1 type vlan id 1");
    ip("link del probe");
    has
}

fn stacks(size: usize) -> Value {
    let peer = Peer::new();
    let mut bench = Bench::new();
    let has_vlans = has_vlans(&peer);
    let what = if has_vlans {
        "VLANs under a bridge each"
    } else {
        "veths under a bridge each"
    };
    let (state, batch) = states::stacks(size, has_vlans);
    let (state, batch) = (bench.file("state.yml", &state), bench.file("batch", &batch));
    bench.iproute2(what, &peer, &["-batch", &batch]);
    await_quiet_kernel();
    bench.nipart(what, &["apply", &state]);
    Value::Object(bench.figures)
}
