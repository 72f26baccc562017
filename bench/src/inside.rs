// SPDX-License-Identifier: Apache-2.0

//! One side of one run of one scenario, inside a fresh namespace: iproute2 or Nipart, never both. A namespace full of links
//! makes every other one slower: the kernel still looks for duplicates of its addresses, and solicits routers on its links.

use std::process::Command;
use std::time::{Duration, Instant};

use nipart_tests::namespace::ip;
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::{Map, Value, json};

use crate::measure::{await_quiet_kernel, cpu, milliseconds, pss, timed};
use crate::{dhcp, states};

/// A little more than two heartbeats.
const REST: Duration = Duration::from_millis(4500);
/// Far more than a start takes.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// `ip -batch` and `ip -json`.
    Iproute2,
    /// `nipartctl`, and the daemon with its plugins.
    Nipart,
}

impl Side {
    /// Both, in the order in which they are measured the first time.
    pub(crate) const BOTH: [Self; 2] = [Self::Iproute2, Self::Nipart];

    /// Its word in arguments and figures.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Iproute2 => "ip",
            Self::Nipart => "nipart",
        }
    }
}

/// Runs the scenario and returns its figures.
pub(crate) fn run(scenario: &str, side: Side, size: usize) -> Value {
    match scenario {
        "pairs" => pairs(side, size),
        "bridge" => {
            let mut bench = Bench::new(side);
            bench.create("bridge with new ports", states::bridge(size));
            Value::Object(bench.figures)
        }
        "stacks" => stacks(side, size),
        "routes" => routes(side, size),
        "start" => start(side, size),
        _ => dhcp::run(side),
    }
}

/// A daemon, where it is Nipart's turn, and the figures up to now.
struct Bench {
    system: System,
    side: Side,
    figures: Map<String, Value>,
}

impl Bench {
    fn new(side: Side) -> Self {
        ip(&["link", "set", "lo", "up"]);
        let mut system = System::prepare();
        if side == Side::Nipart {
            system.start_daemon();
        }
        Self {
            system,
            side,
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

    /// Has a state applied, or the batch that does the same.
    fn create(&mut self, what: &str, (state, batch): (String, String)) {
        let (state, batch) = (self.file("state.yml", &state), self.file("batch", &batch));
        self.measure(what, &["apply", &state], &[&["-batch", &batch]]);
    }

    /// Measures what `nipartctl`, or the commands of `ip`, take together.
    fn measure(&mut self, what: &str, nipart: &[&str], iproute2: &[&[&str]]) {
        let (wall, cpu) = match self.side {
            Side::Nipart => self.nipart(nipart),
            Side::Iproute2 => {
                let each = iproute2
                    .iter()
                    .map(|arguments| timed(Command::new("ip").args(*arguments)));
                each.fold((0.0, 0.0), |sum, next| (sum.0 + next.0, sum.1 + next.1))
            }
        };
        self.tell(what, wall, cpu);
    }

    fn tell(&mut self, what: &str, wall: f64, cpu: f64) {
        let side = self.side.word();
        self.figures
            .insert(format!("{what}_{side}_ms"), json!(wall));
        self.figures
            .insert(format!("{what}_{side}_cpu_ms"), json!(cpu));
    }

    fn nipart(&self, arguments: &[&str]) -> (f64, f64) {
        let pids = self.pids();
        let total = || pids.iter().map(|pid| cpu(*pid)).sum::<f64>();
        let before = total();
        let (wall, own) = timed(&mut self.system.command(arguments));
        (wall, total() - before + own)
    }

    fn memory(&mut self, what: &str) {
        if self.side == Side::Nipart {
            let total: u64 = self.pids().into_iter().map(pss).sum();
            self.figures.insert(format!("{what}_kib"), json!(total));
        }
    }

    /// What stays when the work is done: once it no longer shrinks for longer than a heartbeat.
    fn memory_at_rest(&mut self, what: &str) {
        if self.side != Side::Nipart {
            return;
        }
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

fn pairs(side: Side, size: usize) -> Value {
    let mut bench = Bench::new(side);
    let states = states::pairs(size);
    let again = bench.file("again", &states::pairs_again(size));
    let (change, change_batch) = states::one_change(size / 2);
    let (change, change_batch) = (
        bench.file("change.yml", &change),
        bench.file("change", &change_batch),
    );

    bench.memory_at_rest("idle");
    bench.create("create", states);
    // New addresses are still being looked at for duplicates.
    await_quiet_kernel();
    let state = bench.system.path("state.yml");
    let state = state.to_string_lossy();
    bench.measure("unchanged", &["apply", &state], &[&["-batch", &again]]);
    bench.measure(
        "one change",
        &["apply", &change],
        &[&["-batch", &change_batch]],
    );
    bench.measure(
        "show",
        &["show"],
        &[&["-d", "-j", "link"], &["-j", "address"]],
    );
    bench.memory("right after that");
    bench.memory_at_rest("at rest");
    Value::Object(bench.figures)
}

/// Whether the kernel has VLANs.
fn has_vlans() -> bool {
    let ip = |arguments: &str| {
        Command::new("ip")
            .args(arguments.split(' '))
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let has = ip("link add probe type veth peer name eborp")
        && ip("link add link probe name probe.1 type vlan id 1");
    ip("link del probe");
    has
}

fn stacks(side: Side, size: usize) -> Value {
    let mut bench = Bench::new(side);
    let has_vlans = has_vlans();
    let what = if has_vlans {
        "VLANs under a bridge each"
    } else {
        "veths under a bridge each"
    };
    bench.create(what, states::stacks(size, has_vlans));
    Value::Object(bench.figures)
}

/// Static routes through one link.
fn routes(side: Side, size: usize) -> Value {
    let mut bench = Bench::new(side);
    ip(&["link", "add", "r0", "type", "veth", "peer", "name", "r1"]);
    for link in ["r0", "r1"] {
        ip(&["link", "set", link, "up"]);
    }
    ip(&["address", "add", "192.0.2.1/24", "dev", "r0"]);
    bench.create("static routes", states::routes(size));
    bench.memory("right after that");
    Value::Object(bench.figures)
}

/// From the daemon's start until all of `size` interfaces that are saved are there again.
fn start(side: Side, size: usize) -> Value {
    let mut bench = Bench::new(side);
    if side == Side::Iproute2 {
        bench.create("start with saved interfaces", states::pairs(size / 2));
        return Value::Object(bench.figures);
    }
    let (state, _) = states::pairs(size / 2);
    bench.system.apply(&state).ok();
    bench.system.stop_daemon();
    for number in 0..size / 2 {
        ip(&["link", "delete", &format!("a{number}")]);
    }
    await_quiet_kernel();
    let started = Instant::now();
    bench.system.start_daemon();
    eventually("all is as saved", START_LIMIT, || {
        (bench.system.ctl(&["status"]).code == 0).then_some(())
    });
    let wall = milliseconds(started.elapsed());
    let cpu = bench.pids().into_iter().map(cpu).sum();
    bench.tell("start with saved interfaces", wall, cpu);
    Value::Object(bench.figures)
}
