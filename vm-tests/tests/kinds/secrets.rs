// SPDX-License-Identifier: Apache-2.0

//! Where secrets could be seen that nobody asks for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nipart_tests::system::System;

/// All that shows what was applied, with what it says.
pub(crate) fn shown(system: &System) -> Vec<String> {
    let commands = [
        &["show"][..],
        &["show", "-o", "json"],
        &["show", "--saved"],
        &["show", "--kernel"],
        &["status"],
        &["history", "list"],
        &["history", "show", "1"],
        &["history", "show", "2"],
        &["trace", "list"],
        &["trace", "show", "last"],
    ];
    let answers = commands.iter().map(|words| system.ctl(words));
    let said = answers.map(|answer| answer.out + &answer.err);
    said.chain([system.log()]).collect()
}

/// The daemon's files with any of the secrets in them, with their modes.
pub(crate) fn files_with(system: &System, secrets: &[&str]) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for folder in ["run", "state"] {
        collect(&system.path(folder), secrets, &mut found);
    }
    found
}

fn collect(folder: &Path, secrets: &[&str], found: &mut Vec<(PathBuf, u32)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), secrets, found);
        } else if kind.is_file() {
            let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
            if secrets.iter().any(|secret| text.contains(secret)) {
                let mode = entry.metadata().unwrap().permissions().mode();
                found.push((entry.path(), mode & 0o777));
            }
        }
    }
}
