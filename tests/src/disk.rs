// SPDX-License-Identifier: Apache-2.0

//! Disks that become full, or read-only.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::system::System;

/// A system with a disk of its own for saved state.
#[must_use]
pub fn with_own_disk() -> (System, PathBuf) {
    let system = System::prepare();
    let disk = system.path("state");
    std::fs::create_dir(&disk).expect("a directory");
    mount(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"], &disk);
    (system, disk)
}

fn mount(arguments: &[&str], place: &Path) {
    let status = Command::new("mount").args(arguments).arg(place).status();
    assert!(
        status.expect("mount is installed").success(),
        "mount {arguments:?} {}",
        place.display()
    );
}

/// Leaves no byte.
pub fn fill(disk: &Path) {
    let mut ballast = File::create(disk.join("ballast")).expect("a file");
    let mut size = 1 << 20;
    while size > 0 {
        // The rest of a write that found too little room is written by the next, smaller one.
        if ballast.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
}

/// Nothing can be written from now on, as after an error of the disk. What is open stays open.
pub fn make_read_only(disk: &Path) {
    let place = disk.to_string_lossy();
    mount(&["--bind", &place], disk);
    mount(&["-o", "remount,bind,ro"], disk);
}

/// What was written to the disk before is there again, and it can be written to.
pub fn make_writable(disk: &Path) {
    let status = Command::new("umount").arg(disk).status();
    assert!(status.expect("umount is installed").success());
}
