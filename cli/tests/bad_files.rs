// SPDX-License-Identifier: Apache-2.0

//! Every mistake gives an error with line, column, field path, and what is accepted.
//!
//! `bad_files/*.txt` are lists of mistakes: a line `#### what is wrong`, the file, a line `>>>>`, and all that
//! `nipartctl validate` says of it. `UPDATE_EXPECT=1` rewrites that; the diff is what is reviewed. Each file is checked
//! against the network of `bad_files/current.yml`, and against none: that says the same, unless the mistake is one that
//! only a network tells, which is then noted.

#![allow(
    clippy::unwrap_used,
    reason = "failing loudly is a test's way of reporting"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NEEDS_NETWORK: &str = " (needs the network)";
/// What stands in the files in place of secrets.
const SECRET: &str = "NobodyMayEverSee";
const INVALID: i32 = 3;
const NOT_SUPPORTED: i32 = 4;

struct Mistake<'a> {
    title: &'a str,
    file: String,
    expected: &'a str,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_files")
}

fn lists() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut lists: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    lists.sort();
    lists
}

fn mistakes(list: &str) -> Vec<Mistake<'_>> {
    let parts = list.strip_prefix("#### ").unwrap().split("\n#### ");
    parts
        .map(|part| {
            let (title, rest) = part.split_once('\n').unwrap();
            let (file, expected) = rest.split_once("\n>>>>\n").unwrap_or((rest, ""));
            Mistake {
                title,
                file: format!("{}\n", file.trim_end()),
                expected: expected.trim_end(),
            }
        })
        .collect()
}

/// Exit code, and what was said.
fn validate(file: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("net.yml"), file).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_nipartctl"))
        .args(["validate", "net.yml"])
        .args(arguments)
        .current_dir(place.path())
        .env_remove("NIPART_SOCKET_PATH")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said.trim_end().to_string())
}

#[test]
fn each_mistake_is_told_where_it_stands() {
    let current = folder().join("current.yml");
    let current = current.to_str().unwrap();
    let is_update = std::env::var_os("UPDATE_EXPECT").is_some();
    let (mut count, mut wrong) = (0, String::new());
    for path in lists() {
        let list = fs::read_to_string(&path).unwrap();
        let mut updated = String::new();
        for mistake in mistakes(&list) {
            let Mistake {
                title,
                file,
                expected,
            } = mistake;
            count += 1;
            let (code, said) = validate(&file, &["--current", current]);
            let mut complain = |what: &str| {
                let list = path.file_name().unwrap().display();
                writeln!(wrong, "{list}: {title}: {what}\n{said}\n").unwrap();
            };
            if !matches!(code, Some(INVALID | NOT_SUPPORTED)) {
                complain("it is not refused");
            }
            if said.contains(SECRET) {
                complain("it tells a secret");
            }
            if !said.contains("net.yml:") {
                complain("it does not say where");
            }
            if said != expected && !is_update {
                complain("it says something else than before:");
            }
            let (_, offline) = validate(&file, &["--offline"]);
            match title.ends_with(NEEDS_NETWORK) {
                true if !offline.starts_with("note: ") => {
                    complain(&format!("without a network it is refused, too:\n{offline}"));
                }
                false if offline != said => {
                    complain(&format!(
                        "without a network it says something else:\n{offline}"
                    ));
                }
                _ => {}
            }
            write!(updated, "#### {title}\n{file}>>>>\n{said}\n\n").unwrap();
        }
        if is_update {
            fs::write(&path, format!("{}\n", updated.trim_end())).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 100, "only {count} mistakes");
}
