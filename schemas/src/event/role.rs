// SPDX-License-Identifier: Apache-2.0

//! Who an event is from and for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A role that a process plays. One plugin may play several; several may not play the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum Role {
    /// Whoever called the public API.
    Client,
    /// nipartd itself.
    Daemon,
    /// Expands requests into chains.
    Commander,
    /// Decides: validate, merge, plan, verify.
    State,
    /// Reads and changes the kernel's network.
    Kernel,
    /// Follows kernel notifications.
    Monitor,
    /// Runs DHCP clients.
    Dhcp,
    /// Reads and changes name resolution and the machine's name.
    Dns,
    /// Keeps saved state on disk.
    Config,
    /// Somebody else's plugin.
    Custom(String),
}

impl Role {
    /// The roles of the built-in plugins, in the order in which they are started.
    pub const BUILT_IN: [Role; 7] = [
        Role::Config,
        Role::State,
        Role::Kernel,
        Role::Monitor,
        Role::Dhcp,
        Role::Dns,
        Role::Commander,
    ];

    /// The name on the wire and on the command line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Client => "client",
            Self::Daemon => "daemon",
            Self::Commander => "commander",
            Self::State => "state",
            Self::Kernel => "kernel",
            Self::Monitor => "monitor",
            Self::Dhcp => "dhcp",
            Self::Dns => "dns",
            Self::Config => "config",
            Self::Custom(name) => name,
        }
    }
}

impl From<String> for Role {
    fn from(name: String) -> Self {
        match name.as_str() {
            "client" => Self::Client,
            "daemon" => Self::Daemon,
            "commander" => Self::Commander,
            "state" => Self::State,
            "kernel" => Self::Kernel,
            "monitor" => Self::Monitor,
            "dhcp" => Self::Dhcp,
            "dns" => Self::Dns,
            "config" => Self::Config,
            _ => Self::Custom(name),
        }
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        match role {
            Role::Custom(name) => name,
            known => known.as_str().to_string(),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
