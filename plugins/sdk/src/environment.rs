// SPDX-License-Identifier: Apache-2.0

//! What the daemon tells a plugin through environment variables.

use std::path::PathBuf;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};

/// Names of the environment variables.
pub mod names {
    /// Unique name of this life of the plugin.
    pub const INSTANCE: &str = "NIPART_INSTANCE";
    /// One-time token that proves plugin and daemon to each other.
    pub const TOKEN: &str = "NIPART_TOKEN";
    /// The plugin's name in the daemon's settings.
    pub const PLUGIN_NAME: &str = "NIPART_PLUGIN_NAME";
    /// Where the plugin listens for the daemon.
    pub const SOCKET: &str = "NIPART_SOCKET";
    /// Where the daemon takes registrations.
    pub const CORE_SOCKET: &str = "NIPART_CORE_SOCKET";
    /// Directory of sockets and of what is lost at a reboot.
    pub const RUN_DIR: &str = "NIPART_RUN_DIR";
    /// Directory of what stays.
    pub const STATE_DIR: &str = "NIPART_STATE_DIR";
    /// Directory of the states that the user wrote.
    pub const STATES_DIR: &str = "NIPART_STATES_DIR";
    /// Milliseconds between two heartbeats.
    pub const HEARTBEAT: &str = "NIPART_HEARTBEAT_MS";
    /// Log level, or a list such as `info,nipart_kernel=debug`.
    pub const LOG: &str = "NIPART_LOG";
}

/// Heartbeats unless told otherwise.
pub const DEFAULT_HEARTBEAT: Duration = Duration::from_secs(2);

/// Where and as what a plugin was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The plugin's name in the daemon's settings.
    pub name: String,
    /// Unique name of this life.
    pub instance: String,
    /// One-time token.
    pub token: String,
    /// Where the plugin listens for the daemon.
    pub socket: PathBuf,
    /// Where the daemon takes registrations.
    pub core_socket: PathBuf,
    /// Directory of sockets and of what is lost at a reboot.
    pub run_dir: PathBuf,
    /// Directory of what stays.
    pub state_dir: PathBuf,
    /// Directory of the states that the user wrote.
    pub states_dir: PathBuf,
    /// Time between two heartbeats.
    pub heartbeat: Duration,
}

impl Environment {
    /// Reads the process's environment.
    pub fn from_process() -> Result<Self, NipartError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables through `variable`.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NipartError> {
        let wanted = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| {
                    NipartError::new(
                        ErrorKind::InvalidArgument,
                        format!("{name} is not set: a plugin is started by nipartd, not by hand"),
                    )
                })
        };
        let directory = |name: &str, default: &str| {
            PathBuf::from(variable(name).unwrap_or_else(|| default.to_string()))
        };
        let heartbeat = match variable(names::HEARTBEAT) {
            None => DEFAULT_HEARTBEAT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|milliseconds| *milliseconds > 0)
                .map(Duration::from_millis)
                .ok_or_else(|| {
                    NipartError::new(
                        ErrorKind::InvalidArgument,
                        format!(
                            "{}: `{text}` is not a number of milliseconds",
                            names::HEARTBEAT
                        ),
                    )
                })?,
        };
        Ok(Self {
            name: wanted(names::PLUGIN_NAME)?,
            instance: wanted(names::INSTANCE)?,
            token: wanted(names::TOKEN)?,
            socket: wanted(names::SOCKET)?.into(),
            core_socket: wanted(names::CORE_SOCKET)?.into(),
            run_dir: directory(names::RUN_DIR, "/run/nipart"),
            state_dir: directory(names::STATE_DIR, "/var/lib/nipart"),
            states_dir: directory(names::STATES_DIR, "/etc/nipart/states"),
            heartbeat,
        })
    }

    /// The file that only one life of this plugin can hold locked.
    pub fn lock_file(&self) -> PathBuf {
        self.socket.with_extension("lock")
    }
}
