// SPDX-License-Identifier: Apache-2.0

//! The per-interface switches below `/proc/sys/net/ipv4/conf` and `/proc/sys/net/ipv6/conf`
//! (`Documentation/networking/ip-sysctl.rst` in the kernel).
//!
//! The calls are short but synchronous: some switches wait for the kernel's network lock, so a long list of
//! them belongs on a blocking thread.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Longest interface name in bytes: `IFNAMSIZ` less the terminating zero.
const INTERFACE_NAME_MAX: usize = 15;

/// Which of the two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// `net/ipv4/conf`
    Ipv4,
    /// `net/ipv6/conf`
    Ipv6,
}

/// Whose switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// One interface, by name.
    Interface(&'a str),
    /// What new interfaces start with.
    Default,
    /// All interfaces at once; what that means differs from switch to switch.
    All,
}

/// A switch could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SysctlError {
    /// The name of the interface would lead elsewhere in the file system, or is not one the kernel accepts.
    #[error("{0:?} cannot be used as an interface name in a path")]
    InterfaceName(String),
    /// The key is not made of lower-case letters, digits and underscores.
    #[error("{0:?} is not the name of a sysctl")]
    Key(String),
    /// The file could not be read or written; `NotFound` when interface or switch do not exist.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SysctlError {
    /// The interface is gone, or this kernel lacks the switch.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads a switch; white space around the value is removed.
pub fn read(family: Family, scope: Scope<'_>, key: &str) -> Result<String, SysctlError> {
    let path = path(family, scope, key)?;
    match std::fs::read_to_string(&path) {
        Ok(value) => Ok(value.trim().to_owned()),
        Err(source) => Err(SysctlError::Io { path, source }),
    }
}

/// Writes a switch. The file is never created, and the value goes out in a single `write`, which is how the
/// kernel wants it.
pub fn write(family: Family, scope: Scope<'_>, key: &str, value: &str) -> Result<(), SysctlError> {
    let path = path(family, scope, key)?;
    OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .map_err(|source| SysctlError::Io { path, source })
}

fn path(family: Family, scope: Scope<'_>, key: &str) -> Result<PathBuf, SysctlError> {
    let tree = match family {
        Family::Ipv4 => "/proc/sys/net/ipv4/conf",
        Family::Ipv6 => "/proc/sys/net/ipv6/conf",
    };
    let directory = match scope {
        Scope::Interface(name) if is_safe_interface_name(name) => name,
        Scope::Interface(name) => return Err(SysctlError::InterfaceName(name.to_owned())),
        Scope::Default => "default",
        Scope::All => "all",
    };
    if key.is_empty()
        || !key
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    {
        return Err(SysctlError::Key(key.to_owned()));
    }
    // Joined piece by piece: in a path a `.` within the name of a VLAN is nothing special, unlike in the
    // dotted form that `sysctl(8)` takes.
    Ok(Path::new(tree).join(directory).join(key))
}

/// The kernel's own rules (`dev_valid_name`), and not one of the two directories that stand for more than one
/// interface.
fn is_safe_interface_name(name: &str) -> bool {
    !matches!(name, "" | "." | ".." | "all" | "default")
        && name.len() <= INTERFACE_NAME_MAX
        && !name.contains(|character: char| {
            matches!(character, '/' | ':' | '\0')
                || character.is_ascii_whitespace()
                || character == '\x0b'
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_dots_are_fine_others_not() {
        let made = path(Family::Ipv6, Scope::Interface("eth0.100"), "disable_ipv6").unwrap();
        assert_eq!(
            made,
            Path::new("/proc/sys/net/ipv6/conf/eth0.100/disable_ipv6")
        );
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            "all",
            "default",
            "a b",
            "a\0b",
            "0123456789abcdef",
        ] {
            assert!(
                matches!(
                    path(Family::Ipv4, Scope::Interface(name), "forwarding"),
                    Err(SysctlError::InterfaceName(_))
                ),
                "{name:?}"
            );
        }
    }

    #[test]
    fn keys_cannot_leave_the_directory() {
        for key in ["", "..", "../../x", "a/b", "Forwarding"] {
            assert!(
                matches!(
                    path(Family::Ipv4, Scope::Default, key),
                    Err(SysctlError::Key(_))
                ),
                "{key:?}"
            );
        }
    }
}
