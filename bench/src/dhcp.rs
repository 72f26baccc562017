// SPDX-License-Identifier: Apache-2.0

//! From the carrier's coming, or a client's start, to the leased address in the kernel, by the kernel's announcements.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nipart_tests::peer::Peer;
use nipart_tests::process::{Process, eventually};
use nipart_tests::system::System;
use serde_json::{Value, json};

use crate::inside::Side;

const LINK: &str = "dhcp0";
const DAY_MS: f64 = 86_400_000.0;

/// One of the clients against a server that answers at once; udhcpc stands for iproute2, which has none.
pub(crate) fn run(side: Side) -> Value {
    let mut system = System::prepare();
    let peer = Peer::new();
    peer.wire(LINK, "server0", "203.0.113.1/24");
    let _server = peer.dnsmasq("server0", "203.0.113.50,203.0.113.99", &[]);

    match side {
        Side::Iproute2 => json!({ "udhcpc_ms": udhcpc(&system) }),
        Side::Nipart => {
            system.start_daemon();
            json!({ "nipart_ms": nipart(&system, &peer) })
        }
    }
}

fn udhcpc(system: &System) -> f64 {
    let heard = Announcements::record(system.path("udhcpc.log"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("udhcpc-script");
    let started = milliseconds_of_day();
    let _udhcpc = Process::spawn(
        Command::new("udhcpc")
            .args(["-f", "-q", "-i", LINK, "-s"])
            .arg(script),
    );
    since(
        started,
        heard.await_line(|line| line.contains("inet 203.0.113.")),
    )
}

fn nipart(system: &System, peer: &Peer) -> f64 {
    let _ = peer.run(&["ip", "link", "set", "server0", "down"]);
    let state = format!("interfaces: [{{name: {LINK}, ipv4: {{enabled: true, dhcp: true}}}}]");
    let _ = system.apply(&state).ok();
    let heard = Announcements::record(system.path("nipart.log"));
    let _ = peer.run(&["ip", "link", "set", "server0", "up"]);
    since(
        heard.await_line(|line| line.contains("LOWER_UP")),
        heard.await_line(|line| line.contains("inet 203.0.113.")),
    )
}

/// What the kernel announces of links and addresses, with the time of each.
struct Announcements {
    file: PathBuf,
    _monitor: Process,
}

impl Announcements {
    fn record(file: PathBuf) -> Self {
        let mut command = Command::new("ip");
        command
            .args(["-ts", "-o", "monitor", "link", "address", "dev", LINK])
            .env("TZ", "UTC");
        if let Ok(output) = File::create(&file) {
            command.stdout(output);
        }
        let monitor = Process::spawn(&mut command);
        // It listens when it has its socket.
        let sockets = format!("/proc/{}/fd", monitor.pid());
        eventually("ip monitor to listen", Duration::from_secs(5), || {
            let files = std::fs::read_dir(&sockets).ok()?;
            files
                .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
                .any(|target| target.to_string_lossy().starts_with("socket:"))
                .then_some(())
        });
        Self {
            file,
            _monitor: monitor,
        }
    }

    /// When the first such line was announced, in milliseconds since midnight.
    fn await_line(&self, is_it: impl Fn(&str) -> bool) -> f64 {
        eventually("an announcement", Duration::from_secs(10), || {
            let text = std::fs::read_to_string(&self.file).ok()?;
            time_of(text.lines().find(|line| is_it(line))?)
        })
    }
}

/// `[2026-01-31T12:34:56.123456] …`, in milliseconds since midnight.
fn time_of(line: &str) -> Option<f64> {
    let time = line.split_once('T')?.1.split_once(']')?.0;
    time.split(':')
        .map(|part| part.parse::<f64>().ok())
        .try_fold(0.0, |sum, part| Some(sum * 60.0 + part?))
        .map(|seconds| seconds * 1000.0)
}

fn milliseconds_of_day() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs_f64() * 1000.0 % DAY_MS
}

fn since(start: f64, end: f64) -> f64 {
    (end - start).rem_euclid(DAY_MS)
}
