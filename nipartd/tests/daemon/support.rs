// SPDX-License-Identifier: Apache-2.0

//! A nipartd of its own for each test, in a directory of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nipart_api::call::ShowParameters;
use nipart_api::client::Client;
use nipart_api::reply::Plugin;
use nipart_schemas::error::NipartError;
use rustix::process::{Pid, Signal, kill_process};

/// Longest wait for anything that should happen soon; a loaded machine is slow.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// A running daemon.
pub(crate) struct Daemon {
    pub(crate) directory: PathBuf,
    child: Child,
}

/// Settings with the test plugin in these roles, in heartbeats of `heartbeat_ms`.
pub(crate) fn settings(roles: &[&str], heartbeat_ms: u32) -> String {
    let mut text = format!(
        "built-in-plugins: false\nheartbeat-ms: {heartbeat_ms}\nstop-timeout-ms: 1000\nplugins:\n"
    );
    for role in roles {
        text.push_str(&plugin(role, &test_plugin(), &format!("[{role}]")));
    }
    text
}

/// One plugin in the settings.
pub(crate) fn plugin(name: &str, executable: &Path, arguments: &str) -> String {
    format!(
        "- name: {name}\n  executable: {}\n  arguments: {arguments}\n",
        executable.display()
    )
}

/// The example is built beside the daemon.
pub(crate) fn test_plugin() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_nipartd")).with_file_name("examples/test-plugin")
}

impl Daemon {
    /// Starts one in `directory` and waits until its plugins are no longer being started.
    pub(crate) async fn start(directory: &Path, settings: &str) -> Self {
        let daemon = Self::spawn(directory, settings, &[]);
        daemon
            .until(|plugins| {
                let settled =
                    |plugin: &Plugin| plugin.state == "running" || plugin.state == "failed";
                !plugins.is_empty() && plugins.iter().all(settled)
            })
            .await;
        daemon
    }

    /// Starts one in `directory`, with further environment variables.
    pub(crate) fn spawn(directory: &Path, settings: &str, environment: &[(&str, &str)]) -> Self {
        let file = directory.join("nipart.yml");
        let directories = format!(
            "run-dir: {0}/run\nstate-dir: {0}/state\nstates-dir: {0}/states\n",
            directory.display()
        );
        std::fs::write(&file, format!("{directories}{settings}")).unwrap();
        let log = File::options()
            .create(true)
            .append(true)
            .open(directory.join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_nipartd"))
            .arg("--config")
            .arg(&file)
            .args(["--foreground", "--log-level", "debug"])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            directory: directory.to_path_buf(),
            child,
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("run/io.nipart")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap()
    }

    /// The plugins, or none while the daemon cannot be reached.
    pub(crate) async fn plugins(&self) -> Vec<Plugin> {
        match Client::connect(&self.socket()).await {
            Ok(mut client) => client.plugins().await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    pub(crate) async fn plugin(&self, name: &str) -> Plugin {
        let plugins = self.plugins().await;
        plugins
            .into_iter()
            .find(|plugin| plugin.name == name)
            .unwrap()
    }

    /// Waits until the plugins are as wanted, and returns them and how long that took.
    pub(crate) async fn until(
        &self,
        wanted: impl Fn(&[Plugin]) -> bool,
    ) -> (Vec<Plugin>, Duration) {
        let since = Instant::now();
        loop {
            let plugins = self.plugins().await;
            if wanted(&plugins) {
                return (plugins, since.elapsed());
            }
            assert!(since.elapsed() < SOON, "{plugins:#?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the plugin runs again, having been started `restarts` times more.
    pub(crate) async fn until_restarted(&self, name: &str, restarts: u32) -> (Plugin, Duration) {
        let is_it = |plugin: &Plugin| {
            plugin.name == name && plugin.state == "running" && plugin.restarts >= restarts
        };
        let (plugins, took) = self.until(|plugins| plugins.iter().any(is_it)).await;
        (plugins.into_iter().find(is_it).unwrap(), took)
    }

    /// Lets the test commander run a script.
    pub(crate) async fn script(&self, words: &[&str]) -> Result<String, NipartError> {
        let mut client = Client::connect(&self.socket()).await?;
        let parameters = ShowParameters {
            interfaces: Some(words.iter().map(ToString::to_string).collect()),
            source: None,
            show_secrets: None,
        };
        let state: serde_json::Value =
            serde_json::from_str(&client.show(&parameters).await?).unwrap();
        Ok(state["interfaces"][0]["name"].as_str().unwrap().to_string())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        send(self.child.id(), signal);
    }

    /// Waits for the daemon's end.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(since.elapsed() < SOON, "{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal to a process that this test, or a daemon of it, has started.
pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Whether the process lives. One that is dead but not yet waited for does not.
pub(crate) fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .trim()
            .starts_with('Z')
    })
}

/// Waits until the process has ended, and returns how long that took.
pub(crate) async fn until_ended(pid: u32) -> Duration {
    let since = Instant::now();
    while lives(pid) {
        assert!(since.elapsed() < SOON, "process {pid} does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    since.elapsed()
}
