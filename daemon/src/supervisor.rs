// SPDX-License-Identifier: Apache-2.0

//! Plugins' lives: start, handshake, watch, end, start again. One task owns one plugin.
//!
//! ```text
//!   discovered ─► starting ─► running ◄─► suspect
//!                  ▲   │         │           │ hung: killed
//!         back-off │   ▼         ▼           ▼
//!                stopped ◄──── ended ◄───────┘
//!                  │ too often
//!                  ▼
//!                failed
//! ```

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nipart_plugin_sdk::codec;
use nipart_plugin_sdk::environment::names;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, NipartEvent, Role};
use nipart_schemas::plugin::PluginState;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::backoff::Backoff;
use crate::connection::{self, Notice, Queue, Reader};
use crate::exchange::{Change, Happening};
use crate::handshake::{self, Expected, Tunnel};
use crate::registration::Attempt;
use crate::run_dir::RunDir;
use crate::settings::{PluginSettings, Settings};
use crate::switch::{PluginId, Presence};

/// For the last frames of a process that has ended to be read.
const DRAIN_DEADLINE: Duration = Duration::from_millis(200);
/// For a killed process to be gone.
const KILL_DEADLINE: Duration = Duration::from_secs(5);
/// A restart as near as this is worth waiting for.
const WORTH_WAITING: Duration = Duration::from_secs(1);

/// How far the daemon's end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Stop {
    /// Not begun.
    No,
    /// The commander brings its chains to an end, while those that it needs still work.
    Commander,
    /// All others.
    All,
}

/// What all lives share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) settings: Settings,
    pub(crate) run_dir: RunDir,
    pub(crate) happenings: mpsc::Sender<Happening>,
    pub(crate) epoch: Instant,
}

/// One plugin's life.
pub(crate) struct Life {
    pub(crate) plugin: PluginId,
    pub(crate) settings: PluginSettings,
    pub(crate) surroundings: Arc<Surroundings>,
    pub(crate) attempts: mpsc::Receiver<Attempt>,
    pub(crate) stop: watch::Receiver<Stop>,
}

/// How a life ended.
struct Ended {
    reason: String,
    ran_for: Duration,
}

impl Life {
    /// Lives until the daemon stops.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::new(self.surroundings.settings.restart.clone());
        loop {
            let ended = self.live().await;
            if self.stopping() {
                self.report_stopped("nipartd is shutting down", None).await;
                return;
            }
            let reason = &ended.reason;
            let Some(delay) = backoff.next(Instant::now(), ended.ran_for) else {
                tracing::error!(
                    plugin = self.settings.name,
                    "ended too often, given up: {reason}"
                );
                self.report(
                    PluginState::Failed,
                    None,
                    Presence::Away(format!("it ended too often: {reason}")),
                    reason,
                )
                .await;
                let _ = self.stop.wait_for(|stop| *stop == Stop::All).await;
                return;
            };
            tracing::warn!(
                plugin = self.settings.name,
                "ended, will be started again in {} ms: {reason}",
                delay.as_millis()
            );
            self.report_stopped(reason, Some(delay)).await;
            self.pause(delay).await;
            if self.stopping() {
                return;
            }
        }
    }

    /// Before the next start.
    async fn pause(&mut self, delay: Duration) {
        let roles = self.settings.roles.clone();
        let over = sleep(delay);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                () = stop_of(&mut self.stop, &roles) => return,
                Some(attempt) = self.attempts.recv() => attempt.refuse("it is not being started"),
            }
        }
    }

    /// From the start of a process to its end.
    async fn live(&mut self) -> Ended {
        let at_once = |error: NipartError| Ended {
            reason: error.message,
            ran_for: Duration::ZERO,
        };
        let (mut child, expected) = match self.spawn() {
            Ok(started) => started,
            Err(error) => return at_once(error),
        };
        self.report(
            PluginState::Starting,
            Some(expected.pid),
            Presence::Coming,
            "it is being started",
        )
        .await;
        let roles = self.settings.roles.clone();
        let tunnel = tokio::select! {
            tunnel = timeout(
                self.surroundings.settings.start_timeout(),
                handshake::shake(&expected, &mut self.attempts),
            ) => tunnel.unwrap_or_else(|_| Err(NipartError::new(
                ErrorKind::Timeout,
                "it did not finish the handshake in time",
            ))),
            status = child.wait() => Err(NipartError::new(
                ErrorKind::PluginFailure,
                format!("before the handshake, {}", describe_end(status)),
            )),
            () = stop_of(&mut self.stop, &roles) => Err(NipartError::new(
                ErrorKind::Cancelled,
                "nipartd is shutting down",
            )),
        };
        let ended = match tunnel {
            Ok(tunnel) => self.watch(&mut child, expected.pid, tunnel).await,
            Err(error) => at_once(error),
        };
        kill(&mut child, &self.settings.name).await;
        ended
    }

    /// While it runs.
    async fn watch(&mut self, child: &mut Child, pid: u32, tunnel: Tunnel) -> Ended {
        let since = Instant::now();
        let (queue, queue_end) = connection::queue();
        let (notices, mut notice) = mpsc::channel(4);
        let mut tasks = JoinSet::new();
        tasks.spawn(connection::write(tunnel.writer, queue_end));
        let reader = Reader {
            plugin: self.plugin,
            frames: tunnel.reader,
            queue: queue.clone(),
            happenings: self.surroundings.happenings.clone(),
            notices,
            heartbeat: self.surroundings.settings.heartbeat(),
            epoch: self.surroundings.epoch,
            role: self.role(),
        };
        let mut reader = AbortOnDrop(tokio::spawn(reader.read()));
        tracing::info!(plugin = self.settings.name, pid, "running");
        self.happen(Happening::Up {
            plugin: self.plugin,
            pid,
            version: tunnel.version,
            queue: queue.clone(),
        })
        .await;
        let roles = self.settings.roles.clone();
        let reason = loop {
            tokio::select! {
                status = child.wait() => {
                    self.happen(Happening::Closing { plugin: self.plugin }).await;
                    let reason = describe_end(status);
                    // Answers that it sent before its end are answers still.
                    let _ = timeout(DRAIN_DEADLINE, &mut reader.0).await;
                    break reason;
                }
                reason = &mut reader.0 => {
                    let reason = reason.unwrap_or_else(|error| format!("the reader of its tunnel ended: {error}"));
                    self.happen(Happening::Closing { plugin: self.plugin }).await;
                    // A process that dies closes its tunnel first; how it died says more.
                    break match timeout(DRAIN_DEADLINE, child.wait()).await {
                        Ok(status) => describe_end(status),
                        Err(_) => reason,
                    };
                }
                Some(notice) = notice.recv() => {
                    let (state, reason) = match notice {
                        Notice::Suspect => (PluginState::Suspect, Some("it misses heartbeats")),
                        Notice::Recovered => (PluginState::Running, None),
                    };
                    tracing::warn!(plugin = self.settings.name, "now {state:?}");
                    self.happen(Happening::Heard { plugin: self.plugin, state, reason }).await;
                }
                Some(attempt) = self.attempts.recv() => attempt.refuse("it is running already"),
                () = stop_of(&mut self.stop, &roles) => {
                    self.shut_down(child, &queue, &mut reader.0).await;
                    break "nipartd is shutting down".to_string();
                }
            }
        };
        Ended {
            reason,
            ran_for: since.elapsed(),
        }
    }

    /// Asks it to end, and waits for that.
    async fn shut_down(&self, child: &mut Child, queue: &Queue, reader: &mut JoinHandle<String>) {
        let event = NipartEvent::root(Role::Daemon, self.role(), EventData::Shutdown);
        if let Ok(frame) = codec::encode(&event) {
            queue.put(frame);
        }
        let ended = timeout(self.surroundings.settings.stop_timeout(), child.wait()).await;
        if ended.is_err() {
            tracing::warn!(
                plugin = self.settings.name,
                "does not end when asked to: killed"
            );
        }
        let _ = timeout(DRAIN_DEADLINE, reader).await;
    }

    fn spawn(&self) -> Result<(Child, Expected), NipartError> {
        let settings = &self.surroundings.settings;
        let run_dir = &self.surroundings.run_dir;
        let name = &self.settings.name;
        let (executable, arguments) = self.settings.command();
        let instance = format!("{name}-{}", Uuid::now_v7());
        let token = Uuid::new_v4().simple().to_string();
        let socket = run_dir.plugin_socket(name);
        let mut command = Command::new(&executable);
        command.arg0(arguments.first().unwrap_or(name));
        command
            .args(arguments.iter().skip(1))
            .envs(&self.settings.environment)
            .env(names::INSTANCE, &instance)
            .env(names::TOKEN, &token)
            .env(names::PLUGIN_NAME, name)
            .env(names::SOCKET, &socket)
            .env(names::CORE_SOCKET, run_dir.core_socket())
            .env(names::RUN_DIR, &settings.run_dir)
            .env(names::STATE_DIR, &settings.state_dir)
            .env(names::STATES_DIR, &settings.states_dir)
            .env(names::HEARTBEAT, settings.heartbeat_ms.to_string())
            .env(names::LOG, &settings.log_level)
            // What systemd says to us is not for our children.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID")
            .env_remove("LISTEN_FDS")
            .env_remove("LISTEN_PID")
            .stdin(Stdio::null())
            // Ctrl-C on a terminal is for the daemon, which ends its plugins in order.
            .process_group(0)
            .kill_on_drop(true);
        let failed = |why: String| {
            NipartError::new(
                ErrorKind::PluginFailure,
                format!("cannot start {}: {why}", executable.display()),
            )
        };
        let child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let pid = child
            .id()
            .ok_or_else(|| failed("it has no process id".to_string()))?;
        let expected = Expected {
            name: name.clone(),
            instance,
            token,
            pid,
            roles: self.settings.roles.clone(),
            socket,
        };
        Ok((child, expected))
    }

    async fn report_stopped(&self, reason: &str, restart_in: Option<Duration>) {
        let presence = match restart_in {
            Some(delay) if delay <= WORTH_WAITING => Presence::Coming,
            Some(delay) => Presence::Away(format!(
                "{reason}; it is started again {} ms after its end",
                delay.as_millis()
            )),
            None => Presence::Away(reason.to_string()),
        };
        self.report(PluginState::Stopped, None, presence, reason)
            .await;
    }

    async fn report(&self, state: PluginState, pid: Option<u32>, presence: Presence, reason: &str) {
        self.happen(Happening::Lost(Change {
            plugin: self.plugin,
            state,
            pid,
            presence,
            reason: reason.to_string(),
        }))
        .await;
    }

    async fn happen(&self, happening: Happening) {
        // The exchange ends after all lives; should it have failed, there is nobody left to tell.
        let _ = self.surroundings.happenings.send(happening).await;
    }

    fn role(&self) -> Role {
        self.settings
            .roles
            .first()
            .cloned()
            .unwrap_or_else(|| Role::from(self.settings.name.clone()))
    }

    fn stopping(&self) -> bool {
        *self.stop.borrow() >= stop_stage(&self.settings.roles)
    }
}

/// When a plugin with these roles is to end.
fn stop_stage(roles: &[Role]) -> Stop {
    if roles.contains(&Role::Commander) {
        Stop::Commander
    } else {
        Stop::All
    }
}

async fn stop_of(stop: &mut watch::Receiver<Stop>, roles: &[Role]) {
    let stage = stop_stage(roles);
    // A closed channel is the daemon's end as well.
    let _ = stop.wait_for(|stop| *stop >= stage).await;
}

fn describe_end(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("it ended with {status}"),
        Err(error) => format!("it cannot be watched: {error}"),
    }
}

/// Ends the process for sure, by its handle.
async fn kill(child: &mut Child, name: &str) {
    if let Ok(Some(_)) = child.try_wait() {
        return;
    }
    let _ = child.start_kill();
    if timeout(KILL_DEADLINE, child.wait()).await.is_err() {
        tracing::error!(plugin = name, "does not end although it was killed");
    }
}

/// A task that ends with its owner.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
