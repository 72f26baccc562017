// SPDX-License-Identifier: Apache-2.0

//! What the daemon and its plugins tell each other about themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::Role;

/// A plugin's introduction at the registration socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Registration {
    /// The name that the daemon's settings give it.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// [`crate::event::PROTOCOL_VERSION`] that it was built with.
    pub protocol: u32,
    /// The instance that the daemon started, from the environment.
    pub instance: String,
    /// The one-time token from the environment.
    pub token: String,
    /// Roles that it plays.
    pub roles: Vec<Role>,
}

/// Where a plugin is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PluginState {
    /// Known, not started.
    Discovered,
    /// Process started, handshake not done.
    Starting,
    /// Answers.
    Running,
    /// Misses heartbeats.
    Suspect,
    /// Ended, on purpose or waiting for its restart.
    Stopped,
    /// Ended too often: given up until the daemon is restarted.
    Failed,
}

/// One plugin as the daemon sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PluginReport {
    /// Its name in the daemon's settings.
    pub name: String,
    /// Roles that it plays.
    #[schemars(with = "Vec<String>")]
    pub roles: Vec<Role>,
    /// Where it is in its life.
    pub state: PluginState,
    /// Its process, while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// What it said at registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How often it was started again.
    pub restarts: u32,
    /// Milliseconds since it is running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_ms: Option<u64>,
    /// Why it is not running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
