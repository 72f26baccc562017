// SPDX-License-Identifier: Apache-2.0

//! Cases as folders of data, in `tests/cases`.
//!
//! Input: `desired.yml`, `observed.yml`, `saved.yml`, `leases.json`, and `options.yml` with the rest of the request;
//! all may be left out. Expected: `plan.txt`, one operation a line and an empty line between waves, with the awaited
//! interfaces at the end; or `error.txt` with kind, path and message. `UPDATE_EXPECT=1` writes what comes out.
//!
//! A plan is carried out by the model kernel, too, and must leave nothing to do: no case expects a plan that can't work.
//! `options.yml` says `carry-out: false` where the observed state is no whole network.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use nipart_schemas::decision::{Decision, DecisionRequest};
use nipart_schemas::error::NipartError;
use nipart_schemas::yaml;
use nipart_state::decide;
use serde_json::{Map, Value};

use crate::model::Model;

fn folders() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn input(folder: &Path) -> (DecisionRequest, bool) {
    let state = |name: &str| {
        let text = read(&folder.join(name)).unwrap_or_default();
        yaml::parse(&text).unwrap_or_else(|error| panic!("{}/{name}: {error}", folder.display()))
    };
    let options = read(&folder.join("options.yml")).unwrap_or_default();
    let mut options: Map<String, Value> = yaml::parse(&options).unwrap();
    let carry_out = options
        .remove("carry-out")
        .is_none_or(|value| value == true);
    for name in ["desired", "observed", "saved"] {
        options.insert(name.to_string(), serde_json::json!({}));
    }
    let mut request: DecisionRequest = serde_json::from_value(options.into()).unwrap();
    request.desired = state("desired.yml");
    request.observed = state("observed.yml").into();
    request.saved = state("saved.yml");
    if let Some(leases) = read(&folder.join("leases.json")) {
        request.leases = serde_json::from_str(&leases).unwrap();
    }
    (request, carry_out)
}

fn written(outcome: &Result<Decision, NipartError>) -> (&'static str, String) {
    let mut text = String::new();
    match outcome {
        Ok(decision) => {
            for (position, wave) in decision.plan.waves.iter().enumerate() {
                if position > 0 {
                    text.push('\n');
                }
                for operation in wave {
                    writeln!(text, "{operation}").unwrap();
                }
            }
            for name in &decision.pending {
                writeln!(text, "awaits {name}").unwrap();
            }
            ("plan.txt", text)
        }
        Err(error) => {
            let path = error.path.as_deref().unwrap_or_default();
            writeln!(text, "{}\n{path}\n{}", error.kind, error.message).unwrap();
            ("error.txt", text)
        }
    }
}

/// What is wrong with a case, if anything.
fn check(folder: &Path) -> Result<(), String> {
    let (request, carry_out) = input(folder);
    let outcome = decide(&request);
    let (name, text) = written(&outcome);
    let other = if name == "plan.txt" {
        "error.txt"
    } else {
        "plan.txt"
    };
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(folder.join(name), &text).unwrap();
        let _ = fs::remove_file(folder.join(other));
    }
    let expected = read(&folder.join(name)).unwrap_or_default();
    if folder.join(other).exists() || text != expected {
        return Err(format!("expected:\n{expected}\ngot {name}:\n{text}"));
    }
    let Ok(decision) = outcome else { return Ok(()) };
    if !carry_out {
        return Ok(());
    }
    let mut model = Model::of(request.observed.read().unwrap());
    model.execute(&decision.plan)?;
    let again = decide(&DecisionRequest {
        observed: model.observed().into(),
        ..request
    });
    match again {
        Ok(again) if again.plan.is_empty() => Ok(()),
        Ok(again) => Err(format!("left to do:\n{}", written(&Ok(again)).1)),
        Err(error) => Err(format!("refused afterwards: {error}")),
    }
}

#[test]
fn every_case_gives_the_expected_plan() {
    let folders = folders();
    assert!(folders.len() >= 50, "only {} cases found", folders.len());
    let failures: Vec<String> = folders
        .iter()
        .filter_map(|folder| {
            let problem = check(folder).err()?;
            Some(format!("== {} ==\n{problem}", folder.display()))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
