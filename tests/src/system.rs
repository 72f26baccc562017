// SPDX-License-Identifier: Apache-2.0

//! A daemon with all its plugins in the test's namespace, and `nipartctl` to talk to it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, eventually, kill_9};

/// From the start of a daemon to READY=1, on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A daemon, its directories, its plugins.
#[derive(Debug)]
pub struct System {
    directory: TempDir,
    daemon: Option<Process>,
}

/// What `nipartctl` printed and how it ended.
#[derive(Debug)]
pub struct Answer {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// Fails the test unless it succeeded.
    pub fn ok(self) -> Self {
        assert_eq!(
            self.code, 0,
            "nipartctl failed\nstdout: {}\nstderr: {}",
            self.out, self.err
        );
        self
    }

    /// Fails the test if it succeeded; returns what it said.
    #[must_use]
    pub fn refused(self) -> String {
        assert_ne!(self.code, 0, "nipartctl succeeded: {}", self.out);
        self.err
    }

    /// Standard output as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON")
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// An executable of the project, built beside the test.
#[must_use]
pub fn executable(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("path of the test binary");
    // target/PROFILE/deps/TEST, or target/PROFILE/PROGRAM.
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|directory| directory.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{name} is not built: run cargo build --workspace first"))
}

impl System {
    /// Starts a daemon with empty directories.
    #[must_use]
    pub fn start() -> Self {
        let mut system = Self::prepare();
        system.start_daemon();
        system
    }

    /// Empty directories for a daemon that is not yet started. Settings may be put into `nipart.yml`.
    #[must_use]
    pub fn prepare() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        for name in ["states", "etc"] {
            std::fs::create_dir(directory.path().join(name)).expect("a directory");
        }
        Self {
            directory,
            daemon: None,
        }
    }

    /// A path inside the system's directory: `run`, `state`, `states`, `log`, `etc/resolv.conf`, `etc/hostname`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the daemon, which must not be running, and waits until it is ready.
    pub fn start_daemon(&mut self) {
        let notify = self.path("notify");
        let _ = std::fs::remove_file(&notify);
        let socket = UnixDatagram::bind(&notify).expect("a socket for sd_notify");
        socket
            .set_read_timeout(Some(START_LIMIT))
            .expect("a time limit");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .expect("a log");
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(executable("nipartd"))
            .arg("--foreground")
            .args(["--log-level", "debug"])
            .arg("--run-dir")
            .arg(self.path("run"))
            .arg("--state-dir")
            .arg(self.path("state"))
            .arg("--states-dir")
            .arg(self.path("states"))
            .env("NOTIFY_SOCKET", &notify)
            .envs(self.own_files())
            .stdin(Stdio::null())
            .stderr(log);
        let settings = self.path("nipart.yml");
        if settings.exists() {
            command.arg("--config").arg(settings);
        }
        self.daemon = Some(Process::spawn(&mut command));
        let mut buffer = [0; 1024];
        loop {
            let Ok(length) = socket.recv(&mut buffer) else {
                panic!(
                    "the daemon is not ready within {START_LIMIT:?}:\n{}",
                    self.log()
                )
            };
            if String::from_utf8_lossy(&buffer[..length]).contains("READY=1") {
                break;
            }
        }
    }

    /// The machine's files that Nipart writes: each system has its own.
    fn own_files(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("NIPART_RESOLV_CONF", self.path("etc/resolv.conf")),
            ("NIPART_HOSTNAME_FILE", self.path("etc/hostname")),
            ("NIPART_RESOLVED_DIR", self.path("etc/resolved")),
            ("NIPART_RESOLVED_CONF_DIR", self.path("etc/resolved.conf.d")),
        ]
    }

    /// What the daemon and its plugins have logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Ends the daemon as systemd would.
    pub fn stop_daemon(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let status = Command::new("kill")
                .args(["-TERM", &daemon.pid()])
                .status()
                .expect("kill is installed");
            assert!(status.success());
            daemon.wait(Duration::from_secs(15));
        }
    }

    /// Ends the daemon as a crash would.
    pub fn kill_daemon(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.0.kill().expect("it runs");
            daemon.wait(Duration::from_secs(5));
        }
    }

    /// Process id of the daemon.
    #[must_use]
    pub fn daemon_pid(&self) -> u64 {
        self.daemon.as_ref().expect("it runs").0.id().into()
    }

    /// `nipartctl` with these arguments, not yet started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(executable("nipartctl"));
        command
            .arg("--socket")
            .arg(self.path("run").join("io.nipart"))
            .args(arguments)
            .envs(self.own_files())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `nipartctl`.
    #[must_use]
    pub fn ctl(&self, arguments: &[&str]) -> Answer {
        self.command(arguments)
            .output()
            .expect("nipartctl is built")
            .into()
    }

    /// Runs `nipartctl` with `input` to read.
    #[must_use]
    pub fn ctl_with(&self, arguments: &[&str], input: &str) -> Answer {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("nipartctl is built");
        let mut stdin = child.stdin.take().expect("piped");
        // It may refuse before it has read everything.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("it ends").into()
    }

    /// Applies a state.
    #[must_use]
    pub fn apply(&self, state: &str) -> Answer {
        self.ctl_with(&["apply", "-"], state)
    }

    /// What is saved, as it stands on disk, without the comment that names the last transaction.
    #[must_use]
    pub fn saved(&self) -> String {
        let path = self.path("state").join("saved.yml");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// Transactions that have not ended.
    #[must_use]
    pub fn journals(&self) -> Vec<PathBuf> {
        let entries =
            std::fs::read_dir(self.path("state").join("journal")).expect("the journal's directory");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }

    /// Process ids of all plugins by name.
    #[must_use]
    pub fn plugin_pids(&self) -> BTreeMap<String, u64> {
        let plugins = self.ctl(&["plugin", "list", "-o", "json"]).ok().json();
        let list = plugins.as_array().expect("a list").iter();
        list.map(|plugin| {
            let name = plugin["name"].as_str().expect("a name").to_string();
            (name, plugin["pid"].as_u64().expect("it runs"))
        })
        .collect()
    }

    /// Memory of the daemon and its plugins in KiB: proportional set size.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let pids = self.plugin_pids().into_values().chain([self.daemon_pid()]);
        pids.map(|pid| {
            let rollup =
                std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("a process");
            let line = rollup
                .lines()
                .find_map(|line| line.strip_prefix("Pss:"))
                .expect("Pss");
            line.trim()
                .trim_end_matches(" kB")
                .parse::<u64>()
                .expect("a number")
        })
        .sum()
    }

    /// The report on one plugin.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Value {
        let plugins = self.ctl(&["plugin", "list", "-o", "json"]).ok().json();
        let list = plugins.as_array().expect("a list");
        list.iter()
            .find(|plugin| plugin["name"] == name)
            .expect("a plugin of that name")
            .clone()
    }

    /// Ends a plugin as a crash would, and waits until another process of it answers.
    pub fn kill_plugin(&self, name: &str) {
        let pid = self.plugin(name)["pid"].as_u64().expect("it runs");
        kill_9(pid);
        eventually(
            &format!("{name} runs again"),
            Duration::from_secs(5),
            || {
                let now = self.plugin(name);
                (now["state"] == "running" && now["pid"].as_u64() != Some(pid)).then_some(())
            },
        );
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the daemon ---\n{}", self.log());
        }
        self.kill_daemon();
    }
}
