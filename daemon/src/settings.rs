// SPDX-License-Identifier: Apache-2.0

//! The daemon's settings: a YAML file, and the command line over it.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::Role;
use nipart_schemas::yaml;
use serde::Deserialize;

use crate::arguments::Arguments;

/// Read when no other is named; need not exist.
const DEFAULT_FILE: &str = "/etc/nipart/nipart.yml";
/// The name under which this executable runs a built-in plugin: its argument zero.
pub const PLUGIN_NAME: &str = "nipart-plugin";
/// This executable, even when there is another one in its place by now: a daemon and its plugins are of one version.
const OWN_EXECUTABLE: &str = "/proc/self/exe";
/// Longest path of a Unix socket that the kernel takes, without the terminating zero.
const MAX_SOCKET_PATH: usize = 107;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Sockets, locks, and what is lost at a reboot.
    pub(crate) run_dir: PathBuf,
    /// Saved state.
    pub(crate) state_dir: PathBuf,
    /// States that are applied at start.
    pub(crate) states_dir: PathBuf,
    /// Members may change the network.
    pub(crate) socket_group: Option<String>,
    /// What is logged.
    pub(crate) log_level: String,
    /// Whether the built-in plugins are started.
    pub(crate) built_in_plugins: bool,
    /// Further plugins; one with the name of a built-in one takes its place.
    pub(crate) plugins: Vec<PluginSettings>,
    /// Between two heartbeats.
    pub(crate) heartbeat_ms: u64,
    /// From a plugin's start to the end of its handshake.
    pub(crate) start_timeout_ms: u64,
    /// For plugins to end by themselves when the daemon ends.
    pub(crate) stop_timeout_ms: u64,
    /// Restarts of plugins.
    pub(crate) restart: RestartSettings,
    /// What is remembered of events.
    pub(crate) trace: TraceSettings,
}

/// One plugin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PluginSettings {
    /// Unique; lower-case letters, digits and dashes.
    pub(crate) name: String,
    /// What is started. None: the launcher of the built-in plugins, with the first role as its argument.
    #[serde(default)]
    pub(crate) executable: Option<PathBuf>,
    /// Its arguments.
    #[serde(default)]
    pub(crate) arguments: Vec<String>,
    /// Roles that it may play. None: one of its own name.
    #[serde(default)]
    pub(crate) roles: Vec<Role>,
    /// Environment variables beside those of the protocol.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
}

/// Restarts: the first at once, then after `first-delay-ms`, which doubles up to `longest-delay-ms`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct RestartSettings {
    /// Before the second restart.
    pub(crate) first_delay_ms: u64,
    /// At most.
    pub(crate) longest_delay_ms: u64,
    /// A plugin that ran so long starts afresh.
    pub(crate) stable_after_ms: u64,
    /// More restarts than this in the window, and the plugin is given up.
    pub(crate) limit: u32,
    /// The window.
    pub(crate) window_ms: u64,
}

/// Bounds of the trace ring.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct TraceSettings {
    /// Events.
    pub(crate) events: usize,
    /// Bytes of memory.
    pub(crate) bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run_dir: "/run/nipart".into(),
            state_dir: "/var/lib/nipart".into(),
            states_dir: "/etc/nipart/states".into(),
            socket_group: Some("nipart".to_string()),
            log_level: "info".to_string(),
            built_in_plugins: true,
            plugins: Vec::new(),
            heartbeat_ms: 2000,
            start_timeout_ms: 10_000,
            stop_timeout_ms: 5000,
            restart: RestartSettings::default(),
            trace: TraceSettings::default(),
        }
    }
}

impl Default for RestartSettings {
    fn default() -> Self {
        Self {
            first_delay_ms: 100,
            longest_delay_ms: 30_000,
            stable_after_ms: 10_000,
            limit: 10,
            window_ms: 300_000,
        }
    }
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            events: 4096,
            bytes: 1024 * 1024,
        }
    }
}

impl Settings {
    /// Reads the file that the command line names, and lays the command line over it.
    pub(crate) fn load(arguments: &Arguments) -> Result<Self, NipartError> {
        let mut settings = match &arguments.config {
            Some(file) => Self::read(file)?,
            None if Path::new(DEFAULT_FILE).exists() => Self::read(Path::new(DEFAULT_FILE))?,
            None => Self::default(),
        };
        let over = |setting: &mut PathBuf, argument: &Option<PathBuf>| {
            if let Some(directory) = argument {
                setting.clone_from(directory);
            }
        };
        over(&mut settings.run_dir, &arguments.run_dir);
        over(&mut settings.state_dir, &arguments.state_dir);
        over(&mut settings.states_dir, &arguments.states_dir);
        if let Some(level) = &arguments.log_level {
            settings.log_level.clone_from(level);
        }
        settings.complete()
    }

    fn read(file: &Path) -> Result<Self, NipartError> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            NipartError::new(
                ErrorKind::Storage,
                format!("cannot read the settings {}: {error}", file.display()),
            )
        })?;
        Self::parse(&text).map_err(|mut error| {
            error.message = format!("{}:{}", file.display(), error.message);
            error
        })
    }

    /// Parses a settings file. The message starts with line and column.
    fn parse(text: &str) -> Result<Self, NipartError> {
        let empty = text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        if empty {
            return Ok(Self::default());
        }
        yaml::parse(text).map_err(|error| {
            NipartError::new(
                ErrorKind::InvalidArgument,
                format!("{}:{}: {}", error.line, error.column, error.message),
            )
        })
    }

    /// Checks, and fills in the built-in plugins and defaults of plugins.
    fn complete(mut self) -> Result<Self, NipartError> {
        let mut plugins: Vec<PluginSettings> = Vec::new();
        if self.built_in_plugins {
            plugins.extend(Role::BUILT_IN.iter().map(PluginSettings::built_in));
        }
        for mut plugin in std::mem::take(&mut self.plugins) {
            plugin.check()?;
            if plugin.roles.is_empty() {
                plugin.roles.push(Role::from(plugin.name.clone()));
            }
            match plugins.iter_mut().find(|other| other.name == plugin.name) {
                Some(built_in) if Role::BUILT_IN.contains(&Role::from(plugin.name.clone())) => {
                    *built_in = plugin;
                }
                Some(_) => {
                    return Err(refused(format!("two plugins are named `{}`", plugin.name)));
                }
                None => plugins.push(plugin),
            }
        }
        let mut roles = HashSet::new();
        for role in plugins.iter().flat_map(|plugin| &plugin.roles) {
            if matches!(role, Role::Client | Role::Daemon) {
                return Err(refused(format!("no plugin can have the role `{role}`")));
            }
            if !roles.insert(role) {
                return Err(refused(format!("two plugins have the role `{role}`")));
            }
        }
        self.plugins = plugins;
        if self.heartbeat_ms == 0 || self.start_timeout_ms == 0 {
            return Err(refused("times must not be 0".to_string()));
        }
        let longest = self
            .plugins
            .iter()
            .map(|plugin| plugin.name.len())
            .max()
            .unwrap_or_default();
        if self.run_dir.as_os_str().len()
            + "/plugins/_core.sock"
                .len()
                .max("/plugins/.sock".len() + longest)
            > MAX_SOCKET_PATH
        {
            return Err(refused(format!(
                "run-dir {} is too long a path for sockets in it",
                self.run_dir.display()
            )));
        }
        Ok(self)
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms)
    }

    pub(crate) fn start_timeout(&self) -> Duration {
        Duration::from_millis(self.start_timeout_ms)
    }

    pub(crate) fn stop_timeout(&self) -> Duration {
        Duration::from_millis(self.stop_timeout_ms)
    }
}

impl PluginSettings {
    fn built_in(role: &Role) -> Self {
        Self {
            name: role.to_string(),
            executable: None,
            arguments: Vec::new(),
            roles: vec![role.clone()],
            environment: BTreeMap::new(),
        }
    }

    /// What to start: its path, its arguments from zero on.
    pub(crate) fn command(&self) -> (PathBuf, Vec<String>) {
        let (executable, mut arguments) = match &self.executable {
            Some(executable) => (
                executable.clone(),
                vec![executable.to_string_lossy().into_owned()],
            ),
            None => {
                let role = self.roles.iter().take(1).map(Role::to_string);
                let name = std::iter::once(PLUGIN_NAME.to_string());
                (OWN_EXECUTABLE.into(), name.chain(role).collect())
            }
        };
        arguments.extend(self.arguments.iter().cloned());
        (executable, arguments)
    }

    /// A name is part of a path and of log lines.
    fn check(&self) -> Result<(), NipartError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.bytes().all(allowed) {
            return Err(refused(format!(
                "plugin name `{}`: 1 to 32 lower-case letters, digits and dashes are accepted",
                self.name
            )));
        }
        if self
            .environment
            .keys()
            .any(|name| name.is_empty() || name.contains(['=', '\0']))
        {
            return Err(refused(format!(
                "plugin `{}`: a name of an environment variable is not valid",
                self.name
            )));
        }
        Ok(())
    }
}

fn refused(message: String) -> NipartError {
    NipartError::new(ErrorKind::InvalidArgument, format!("settings: {message}"))
}

#[cfg(test)]
mod tests;
