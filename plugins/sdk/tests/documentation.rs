// SPDX-License-Identifier: Apache-2.0

//! `docs/protocol.md` says what the code does: its examples are events, and no kind of event is missing.

// Clippy knows test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

use nipart_plugin_sdk::environment::{Environment, names};
use nipart_schemas::event::{NipartEvent, PROTOCOL_VERSION};

const PAGE: &str = include_str!("../../../docs/protocol.md");
const KINDS: &str = include_str!("../../../schemas/src/event/data.rs");

/// The examples of the page in JSON.
fn examples() -> Vec<&'static str> {
    PAGE.split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn every_example_is_an_event_and_says_the_same_when_it_is_written_again() {
    let examples = examples();
    assert_eq!(examples.len(), 7);
    for example in examples {
        let event: NipartEvent = serde_json::from_str(example).unwrap();
        assert_eq!(event.kind, event.data.name(), "{example}");
        let as_written: serde_json::Value = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), as_written);
    }
}

#[test]
fn every_kind_of_event_is_listed() {
    let kinds: Vec<&str> = KINDS
        .lines()
        .filter_map(|line| line.strip_suffix("\",")?.split_once("= \""))
        .map(|(_, name)| name)
        .collect();
    assert!(kinds.len() > 20, "{kinds:?}");
    for kind in kinds {
        assert!(
            PAGE.contains(&format!("`{kind}`")),
            "{kind} is not on the page"
        );
    }
}

#[test]
fn every_environment_variable_is_listed_and_no_other() {
    let page = |name: &str| PAGE.contains(&format!("`{name}`")).then(|| "1".to_string());
    assert!(Environment::read(page).is_ok());
    for name in [
        names::RUN_DIR,
        names::STATE_DIR,
        names::STATES_DIR,
        names::HEARTBEAT,
        names::LOG,
    ] {
        assert!(
            PAGE.contains(&format!("`{name}`")),
            "{name} is not on the page"
        );
    }
    assert!(PAGE.contains(&format!("Protocol version: **{PROTOCOL_VERSION}**")));
}
