// SPDX-License-Identifier: Apache-2.0

//! Clocks and scales.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `USER_HZ` of every Linux architecture that we build for: the unit of times in `/proc/PID/stat`.
const TICKS_PER_SECOND: f64 = 100.0;

/// The middle value; not a number when there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// CPU time that a process and those of its children that have ended took, in milliseconds.
pub(crate) fn cpu(pid: u64) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in brackets, may contain spaces.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: f64 = (11..15)
        .filter_map(|index| fields.get(index)?.parse::<f64>().ok())
        .sum();
    ticks * 1000.0 / TICKS_PER_SECOND
}

/// Memory that is a process's own, plus its share of what it shares, in KiB.
pub(crate) fn pss(pid: u64) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Runs a command, and returns the time that it took in milliseconds, wall and CPU. It must succeed.
pub(crate) fn timed(command: &mut Command) -> (f64, f64) {
    let own = u64::from(std::process::id());
    let before = cpu(own);
    let started = Instant::now();
    let output = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let wall = milliseconds(started.elapsed());
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => eprintln!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => eprintln!("{command:?}: {error}"),
    }
    (wall, cpu(own) - before)
}

/// Waits until namespaces of earlier runs are really gone: until a small change is quick again, several times in a row.
pub(crate) fn await_quiet_kernel() {
    const QUICK: Duration = Duration::from_millis(30);
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut quick = 0;
    while quick < 5 && Instant::now() < deadline {
        let started = Instant::now();
        let _ = Command::new("unshare")
            .args([
                "--net", "--", "ip", "link", "add", "probe", "type", "veth", "peer", "name",
                "eborp",
            ])
            .status();
        quick = if started.elapsed() < QUICK {
            quick + 1
        } else {
            0
        };
        // Somebody who polls all the time would slow down what is waited for.
        std::thread::sleep(Duration::from_millis(50));
    }
}
