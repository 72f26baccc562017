// SPDX-License-Identifier: Apache-2.0

//! The name that udev would give a card.

use std::path::Path;
use std::process::Command;

use nipart_schemas::error::{ErrorKind, NipartError};

/// Names in the order in which systemd's `99-default.link` prefers them.
const PROPERTIES: [&str; 3] = [
    "ID_NET_NAME_ONBOARD",
    "ID_NET_NAME_SLOT",
    "ID_NET_NAME_PATH",
];

/// The name that the card would have without a file for it; none when udev has no name for it. In another root, that
/// system's udev is asked.
pub(super) fn usual_name(root: &Path, name: &str) -> Result<Option<String>, NipartError> {
    let mut command = match root == Path::new("/") {
        true => Command::new("udevadm"),
        false => {
            let mut command = Command::new("chroot");
            command.arg(root).arg("udevadm");
            command
        }
    };
    command.args(["test-builtin", "net_id", &format!("/sys/class/net/{name}")]);
    let failed = |why: String| {
        NipartError::new(
            ErrorKind::NotFound,
            format!("udevadm can't tell the usual name of {name}: {why}"),
        )
    };
    let output = command
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(said.trim().to_string()));
    }
    Ok(preferred(&String::from_utf8_lossy(&output.stdout)))
}

fn preferred(properties: &str) -> Option<String> {
    PROPERTIES.iter().find_map(|wanted| {
        let mut lines = properties.lines().filter_map(|line| line.split_once('='));
        let (_, name) = lines.find(|(key, _)| key == wanted)?;
        Some(name.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onboard_comes_before_slot_and_path() {
        for (said, expected) in [
            (
                "ID_NET_NAME_PATH=enp0s3\nID_NET_NAME_ONBOARD=eno1\n",
                Some("eno1"),
            ),
            (
                "ID_NET_NAME_MAC=enx1\nID_NET_NAME_PATH=enp0s3\nID_NET_NAME_SLOT=ens3",
                Some("ens3"),
            ),
            ("ID_NET_NAME_MAC=enx1\n", None),
        ] {
            assert_eq!(preferred(said).as_deref(), expected);
        }
    }
}
