// SPDX-License-Identifier: Apache-2.0

//! Whole-system tests, and the states in them.

use std::fs;
use std::io;
use std::path::Path;

const FOLDERS: [&str; 2] = ["tests/tests", "vm-tests/tests"];
/// Entries of interfaces are no longer than this.
const ENTRY: usize = 900;

/// One test function, with all that it uses of its file.
struct Test {
    /// `FOLDER/FILE::FUNCTION`.
    name: String,
    text: String,
}

/// All tests.
pub(super) struct Sources(Vec<Test>);

impl Sources {
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut tests = Vec::new();
        for folder in FOLDERS {
            read_folder(root, Path::new(folder), &mut tests)?;
        }
        Ok(Self(tests))
    }

    /// A test with a state in which the keys follow each other; one in a file of the section's name before others.
    pub(super) fn test_of(&self, keys: &[String]) -> Option<String> {
        let mut found = self.0.iter().filter(|test| test.has(keys));
        let file = keys.first()?.replace('-', "_");
        let preferred = found.clone().find(|test| test.name.contains(&file));
        let test = preferred.or_else(|| found.next())?;
        Some(format!("`{}`", test.name))
    }
}

impl Test {
    fn has(&self, keys: &[String]) -> bool {
        let (mut first, rest) = (spellings(&keys[0]), &keys[1..]);
        if !rest.is_empty() {
            // A helper makes the state, and is told the type and what is in its section.
            first.push(format!("\"{}\"", keys[0]));
        }
        // A key of several words means the same wherever it stands beside its section.
        if let Some(last) = rest.last().filter(|key| key.contains(['-', '_'])) {
            let stands = |key: &String| positions(&self.text, key).next().is_some();
            return first.iter().any(stands) && spellings(last).iter().any(stands);
        }
        let mut starts = first.iter().flat_map(|key| positions(&self.text, key));
        starts.any(|start| {
            let end = (start..=self.text.len().min(start + ENTRY))
                .rev()
                .find(|end| self.text.is_char_boundary(*end));
            let mut entry = &self.text[start..end.unwrap_or(start)];
            if let Some(end) = NEXT_ENTRY.iter().filter_map(|next| entry.find(next)).min() {
                entry = &entry[..end];
            }
            rest.iter().all(|key| {
                let places = spellings(key);
                let place = places
                    .iter()
                    .filter_map(|key| positions(entry, key).next())
                    .min();
                place.map(|place| entry = &entry[place..]).is_some()
            })
        })
    }
}

/// Where the entry of another interface begins.
const NEXT_ENTRY: [&str; 4] = ["\n- {name", "\n- name", "\n  - {name: b-", "\nroutes:"];

/// How states, and tests that look at what is shown, write a key.
fn spellings(key: &str) -> Vec<String> {
    let names = match key {
        "link-aggregation" => vec![key, "bond"],
        "port" => vec![key, "ports"],
        _ => vec![key],
    };
    let names = names.into_iter();
    names
        .flat_map(|key| [format!("{key}:"), format!("[\"{key}\"]")])
        .collect()
}

/// Where the key stands by itself.
fn positions<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = usize> + 't {
    let stands_alone = |position: usize| {
        let before = text[..position].chars().next_back();
        before.is_none_or(|before| !(before.is_alphanumeric() || matches!(before, '-' | '_')))
    };
    let found = text.match_indices(key).map(|(position, _)| position);
    found.filter(move |position| stands_alone(*position))
}

fn read_folder(root: &Path, folder: &Path, tests: &mut Vec<Test>) -> io::Result<()> {
    let entries = fs::read_dir(root.join(folder))?;
    let mut names: Vec<_> = entries
        .map(|entry| entry.map(|entry| folder.join(entry.file_name())))
        .collect::<Result<_, _>>()?;
    names.sort();
    for name in names {
        if root.join(&name).is_dir() {
            read_folder(root, &name, tests)?;
        } else if name.extension().is_some_and(|extension| extension == "rs") {
            let file = name.with_extension("");
            tests.extend(tests_in(
                &file.to_string_lossy(),
                &fs::read_to_string(root.join(&name))?,
            ));
        }
    }
    Ok(())
}

/// The tests of a file, each with the constants and the helpers that it names.
fn tests_in(file: &str, source: &str) -> Vec<Test> {
    let mut items: Vec<(String, String, bool)> = Vec::new();
    let mut is_test = false;
    for line in source.lines() {
        let words = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let declared = ["fn ", "const ", "static "]
            .iter()
            .find_map(|word| words.strip_prefix(word));
        if let Some(rest) = declared {
            let name = rest.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
            let name = name.take(1).collect::<String>();
            items.push((name, String::new(), std::mem::take(&mut is_test)));
        } else if line == "#[test]" {
            is_test = true;
        }
        if let Some((_, text, _)) = items.last_mut() {
            text.push_str(&line.replace("{{", "{").replace("}}", "}"));
            text.push('\n');
        }
    }
    let helpers: Vec<_> = items.iter().filter(|(_, _, is_test)| !is_test).collect();
    let tests = items.iter().filter(|(_, _, is_test)| *is_test);
    tests
        .map(|(name, text, _)| {
            let used = helpers
                .iter()
                .filter(|(name, _, _)| text.contains(name.as_str()));
            let used: String = used.map(|(_, text, _)| text.as_str()).collect();
            Test {
                name: format!("{file}::{name}"),
                text: format!("{text}{used}"),
            }
        })
        .collect()
}
