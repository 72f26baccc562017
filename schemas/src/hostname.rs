// SPDX-License-Identifier: Apache-2.0

//! The `hostname` section: the machine's name now, and from the next boot on.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::overlay::overlay;

/// Longest host name in bytes (`__NEW_UTS_LEN` of linux/utsname.h; `HOST_NAME_MAX`).
pub const LONGEST: usize = 64;

/// Both names, set separately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HostNames {
    /// The kernel's name (sethostname(2)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<String>,
    /// The name in the file that is read at boot (hostname(5)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}

overlay!(HostNames { running, config });

impl HostNames {
    /// Whether it names neither.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for HostNames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(name) = &self.running {
            parts.push(format!("running {name}"));
        }
        match self.config.as_deref() {
            Some("") => parts.push("config removed".to_string()),
            Some(name) => parts.push(format!("config {name}")),
            None => {}
        }
        write!(formatter, "set host name: {}", parts.join(", "))
    }
}

/// Whether the kernel's name can be this: labels of letters, digits and dashes (RFC 1123 §2.1), 64 bytes in all.
pub fn is_valid(name: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= LONGEST && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["a", "web-1", "web-1.example.org", "3com", &"a".repeat(64)] {
            assert!(is_valid(name), "{name}");
        }
        for name in [
            "",
            ".",
            "a.",
            "-a",
            "a-",
            "a_b",
            "a b",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(!is_valid(name), "{name}");
        }
    }
}
