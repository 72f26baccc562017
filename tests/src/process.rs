// SPDX-License-Identifier: Apache-2.0

//! Processes that never outlive the test.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::ffi::OsStr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process that ends with this value, and with the test at the latest.
#[derive(Debug)]
pub struct Process(pub Child);

impl Process {
    /// Starts a program that the kernel kills should the test die first.
    pub fn start<A: AsRef<OsStr>>(arguments: &[A], output: Stdio) -> Self {
        Self::spawn(
            Command::new("setpriv")
                .args(["--pdeathsig", "KILL", "--"])
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(output),
        )
    }

    /// Starts a prepared command.
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().expect("the program is installed"))
    }

    /// Its process id, as an argument for other programs.
    pub fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Waits for its end.
    pub fn wait(&mut self, limit: Duration) -> std::process::ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait().expect("it is our child") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "process {} has not ended within {limit:?}",
                self.0.id()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `condition` gives a value; fails, naming `what`, when it doesn't within `limit`.
pub fn eventually<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends a process at once.
pub fn kill_9(pid: u64) {
    signal("KILL", pid);
}

/// Sends a signal, named without SIG.
pub fn signal(name: &str, pid: u64) {
    let arguments = [format!("-{name}"), pid.to_string()];
    let status = Command::new("kill")
        .args(arguments)
        .status()
        .expect("kill is installed");
    assert!(status.success(), "kill -{name} {pid}");
}
