// SPDX-License-Identifier: Apache-2.0

//! The machine's names: the kernel's, and the one that is read at boot.

use std::path::Path;

use nipart_config::durable;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::hostname::HostNames;
use rustix::io::Errno;

use crate::original::FILE_MODE;

/// The kernel's name as a file: to write it needs no capability.
const KERNEL_FILE: &str = "/proc/sys/kernel/hostname";

/// Both names; none where there is none.
pub(crate) fn read(file: &Path) -> Result<HostNames, NipartError> {
    let uname = rustix::system::uname();
    let running = uname.nodename().to_string_lossy().into_owned();
    Ok(HostNames {
        running: (!running.is_empty()).then_some(running),
        config: durable::read(file)?.and_then(|text| of_text(&text)),
    })
}

/// The first line that says something (hostname(5)).
fn of_text(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    line.map(str::to_string)
}

/// Changes the names that are given; an empty `config` removes the file.
pub(crate) fn change(file: &Path, names: &HostNames) -> Result<(), NipartError> {
    match names.config.as_deref() {
        None => {}
        Some("") => durable::remove(file)?,
        Some(name) => durable::publish(file, format!("{name}\n").as_bytes(), FILE_MODE)?,
    }
    match &names.running {
        None => Ok(()),
        Some(name) => set_running(name),
    }
}

fn set_running(name: &str) -> Result<(), NipartError> {
    let set = match rustix::system::sethostname(name.as_bytes()) {
        // Without CAP_SYS_ADMIN.
        Err(Errno::PERM) => std::fs::write(KERNEL_FILE, name),
        other => other.map_err(Into::into),
    };
    set.map_err(|error| {
        NipartError::new(
            ErrorKind::KernelRefused,
            format!("set the kernel's host name: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::of_text;

    #[test]
    fn files() {
        for (text, expected) in [
            ("web-1\n", Some("web-1")),
            ("# a comment\n\n  web-1  \nother\n", Some("web-1")),
            ("web-1", Some("web-1")),
            ("\n", None),
            ("", None),
        ] {
            assert_eq!(of_text(text).as_deref(), expected, "{text:?}");
        }
    }
}
