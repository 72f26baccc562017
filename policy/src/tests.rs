// SPDX-License-Identifier: Apache-2.0

//! Policies stand in folders under `tests/`: `policy.yml`, and `expected.yml` that it means for `current.yml`, or for
//! that beside the folders where it has none of its own. Wrong ones stand in `tests/refused/`: a YAML file each, and what
//! is said about it in a `.txt` beside it. `UPDATE_EXPECT=1` rewrites the expectations.

use std::fs;
use std::path::{Path, PathBuf};

use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;
use serde_json::json;

use super::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests")
        .join(name)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> T {
    let text = fs::read_to_string(file).unwrap();
    yaml::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The network of most cases.
fn usual() -> NetworkState {
    read(&folder("current.yml"))
}

/// What stands in the file is what was said, or becomes it.
fn expect(file: &Path, said: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(file, said).unwrap();
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if said != expected {
        wrong.push(format!("{}:\n{said}instead of\n{expected}", file.display()));
    }
}

#[test]
fn policies_mean_what_is_expected() {
    let folders = entries(&folder("resolved"));
    assert!(folders.len() >= 15);
    let mut wrong = Vec::new();
    for folder in folders {
        let text = fs::read_to_string(folder.join("policy.yml")).unwrap();
        assert!(is_policy(&text));
        let own = folder.join("current.yml");
        let current: NetworkState = if own.exists() { read(&own) } else { usual() };
        let state = Policy::parse(&text).and_then(|policy| policy.resolve(&current));
        let state = state.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let said = yaml::to_string(&state).unwrap();
        assert_eq!(yaml::parse::<NetworkState>(&said).unwrap(), state);
        expect(&folder.join("expected.yml"), &said, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let current = usual();
    let mut wrong = Vec::new();
    let files = entries(&folder("refused"));
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|is| is == "yml"))
    {
        let text = fs::read_to_string(file).unwrap();
        let outcome = Policy::parse(&text).and_then(|policy| policy.resolve(&current));
        let error = outcome.expect_err(&format!("{} is accepted", file.display()));
        let path = error.path.as_deref().unwrap_or("-");
        let line = text.lines().nth(error.line - 1).unwrap_or_default();
        let mark = format!("{}^", " ".repeat(error.column - 1));
        let said = format!("{path}: {}\n{line}\n{mark}\n", error.message);
        expect(&file.with_extension("txt"), &said, &mut wrong);
    }
    assert!(files.len() > 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn states_are_no_policies() {
    for text in [
        "",
        "interfaces: []",
        "[]",
        "current: {}",
        "a: {desired: 1}",
        "{",
    ] {
        assert!(!is_policy(text), "{text}");
    }
    for text in ["desired: {}", "desiredState:", "capture: 1\ninterfaces: []"] {
        assert!(is_policy(text), "{text}");
    }
}

#[test]
fn what_was_captured_before_is_taken_as_it_was() {
    let text = "capture: {a: override me, b: capture.a | interfaces.mtu := 1280}\ndesired: {interfaces: '{{ capture.b.interfaces }}'}\n";
    let policy = Policy::parse(text).unwrap();
    let current = NetworkState::default();
    let known = json!({"a": {"interfaces": [{"name": "eth1"}]}, "c": {}});
    let captured = policy
        .capture(&current, known.as_object().unwrap().clone())
        .unwrap();
    assert_eq!(
        captured["b"],
        json!({"interfaces": [{"name": "eth1", "mtu": "1280"}]})
    );
    let state = policy.fill(&current, &captured).unwrap();
    assert_eq!(state.interfaces[0].mtu, Some(1280));
}
