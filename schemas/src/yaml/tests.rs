// SPDX-License-Identifier: Apache-2.0

//! Refused documents stand in `refused/`: a YAML file each, and what is said about it in a `.txt` beside it.
//! `UPDATE_EXPECT=1` rewrites the latter.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::network_state::NetworkState;

#[test]
fn refused_documents_say_where_and_why() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/yaml/refused");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    assert!(files.len() > 20);
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let error =
            parse::<NetworkState>(&text).expect_err(&format!("{} is accepted", file.display()));
        let path = error.path.as_deref().unwrap_or("-");
        let said = format!(
            "{}:{} {path}\n{}\n",
            error.line, error.column, error.message
        );
        let expected_file = file.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected_file, &said).unwrap();
        }
        let expected = fs::read_to_string(&expected_file).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}:\n{said}instead of\n{expected}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn empty_documents_are_empty_states() {
    for text in [
        "",
        "\n",
        "---\n",
        "# nothing\n",
        "---\n# nothing\n",
        "interfaces:\n",
        "{}\n",
    ] {
        assert_eq!(
            parse::<NetworkState>(text),
            Ok(NetworkState::default()),
            "{text:?}"
        );
    }
}

#[test]
fn names_that_look_like_something_else_stay_names() {
    for name in [
        "0x10", "10", "1e3", "on", "~", "null", "010", "12:30", "true", ".inf",
    ] {
        let text = format!("interfaces:\n- name: {name}\n");
        let state: NetworkState = parse(&text).unwrap();
        assert_eq!(state.interfaces[0].name, name);
        assert_eq!(
            parse::<NetworkState>(&to_string(&state).unwrap()).unwrap(),
            state
        );
    }
}

#[test]
fn duplicate_keys_of_maps_are_refused_too() {
    let error = parse::<Value>("a:\n  b: 1\n  c: 2\n  b: 3\n").unwrap_err();
    assert_eq!((error.line, error.column), (4, 3));
    assert_eq!(error.path.as_deref(), Some("a"));
}

#[test]
fn json_is_refused_as_strictly() {
    let error =
        parse_json::<NetworkState>(r#"{"interfaces":[{"name":"eth0","mtu":-1}]}"#).unwrap_err();
    assert_eq!(error.path.as_deref(), Some("interfaces[0].mtu"));
    assert_eq!(
        error.message,
        "invalid value: number `-1`, expected a whole number from 0 to 4294967295"
    );
    assert!(parse_json::<NetworkState>("{} x").is_err());
    assert!(parse_json::<Value>(r#"{"a":1,"a":2}"#).is_err());
}

#[test]
fn bombs_are_stopped() {
    let deep = "[".repeat(20_000);
    assert!(parse::<Value>(&deep).is_err());
    let mut aliases = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, below) in "bcdefghij".chars().zip("abcdefghi".chars()) {
        let items = vec![format!("*{below}"); 9].join(", ");
        aliases.push_str(&format!("{name}: &{name} [{items}]\n"));
    }
    let error = parse::<Value>(&aliases).unwrap_err();
    assert!(error.message.contains("limit"), "{error}");
}

const LOCATED: &str = "\
---
routes:
  config:
  - destination: 0.0.0.0/0
    next-hop-interface: eth0
  - next-hop-interface: eth1
    destination: 192.0.2.0/24
interfaces:
- name: eth0
- name: br0
  802.1x:
    identity: me
  bridge:
    options: {hash-max: 16, stp: {enabled: true}}
    ports:
    - stp-priority: 3
      name: eth1
";

#[test]
fn paths_are_located() {
    for (path, place) in [
        ("routes.config[1].next-hop-interface", (6, 25)),
        ("routes.config[0].destination", (4, 18)),
        ("routes.config[1]", (6, 5)),
        ("routes.config", (3, 3)),
        ("routes", (2, 1)),
        ("interfaces[1].bridge.port[0].name", (17, 13)),
        ("interfaces[1].bridge.port[0].stp-path-cost", (16, 7)),
        ("interfaces[1].bridge.port[7].name", (15, 5)),
        ("interfaces[1].bridge", (13, 3)),
        ("interfaces[1].bridge.options.stp.enabled", (14, 44)),
        ("interfaces[1].bridge.options.stp", (14, 29)),
        ("interfaces[1].802.1x.identity", (12, 15)),
        ("interfaces[1].vxlan.id", (10, 3)),
        ("interfaces[1].name.more", (10, 9)),
        ("nothing", (2, 1)),
        ("", (2, 1)),
    ] {
        assert_eq!(locate(LOCATED, path), Some(place), "{path}");
    }
    assert_eq!(locate("interfaces: [", "interfaces[0]"), Some((2, 1)));
}

const TEXTS: &str = "\
a: interfaces.name
b:  \"x \\\"y\\\" z\" # comment
c: 'it''s'
d: >-
    routes.running
    == capture.x
e: |
  one
  two
f: {g: [12, two words]}
";

#[test]
fn places_within_texts_are_located() {
    for (path, offset, place) in [
        ("a", 0, (1, 4)),
        ("a", 11, (1, 15)),
        ("a", 99, (1, 18)),
        ("b", 0, (2, 6)),
        ("b", 3, (2, 10)),
        ("b", 6, (2, 14)),
        ("c", 3, (3, 9)),
        ("d", 0, (5, 5)),
        ("d", 7, (5, 12)),
        ("d", 15, (6, 5)),
        ("d", 18, (6, 8)),
        ("e", 4, (9, 3)),
        ("f.g[1]", 4, (10, 17)),
        ("f.g[0]", 1, (10, 9)),
        ("f.g", 1, (10, 5)),
        ("f.x", 0, (10, 1)),
    ] {
        assert_eq!(
            locate_within(TEXTS, path, offset),
            Some(place),
            "{path} {offset}"
        );
    }
}

#[test]
fn layout_is_nmstates() {
    let value = json!({
        "interfaces": [
            {"name": "eth0", "ipv4": {"address": [{"ip": "192.0.2.1", "prefix-length": 24}, {"ip": "::1"}], "x": []}},
            {"name": "on", "mac-address": "52:54:00:12:30:45", "nested": [[1, 2], [], [{"a": {}}]], "none": null},
        ],
        "text": "two\nlines", "float": 1.0,
    });
    let expected = "\
---
interfaces:
- name: eth0
  ipv4:
    address:
    - ip: 192.0.2.1
      prefix-length: 24
    - ip: ::1
    x: []
- name: 'on'
  mac-address: '52:54:00:12:30:45'
  nested:
  - - 1
    - 2
  - []
  - - a: {}
  none: null
text: \"two\\nlines\"
float: 1.0
";
    assert_eq!(to_string(&value).unwrap(), expected);
    assert_eq!(parse::<Value>(expected).unwrap(), value);
}

#[test]
fn words_of_older_readers_are_quoted() {
    for word in [
        "",
        "on",
        "Yes",
        "n",
        "~",
        "null",
        "0x10",
        "010",
        "0o17",
        "0b11",
        "1e3",
        "1_000",
        "12:30:45",
        "12:30",
        "1.5",
        "-1",
        "+1",
        ".5",
        ".inf",
        "-.INF",
        ".NaN",
        "2026-01-01",
        "a: b",
        "a #b",
        "- a",
        "-",
        "?",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "{a",
        "[a",
        "#a",
        "|",
        ">",
        "'a",
        "\"a",
        " a",
        "a ",
        "a:",
        "---",
        "...",
        "=",
        "<<",
        "00:11:22:33:44:55",
        "inf",
        "nan",
    ] {
        let text = to_string(word).unwrap();
        assert!(
            text[4..].starts_with(['\'', '"']),
            "{word:?} is written {text}"
        );
        assert_eq!(parse::<String>(&text).unwrap(), word);
    }
    for word in [
        "eth0",
        "192.0.2.1",
        "192.0.2.0/24",
        "2001:db8::1",
        "2001::1",
        "::1",
        "::/0",
        "52:54:00:AA:BB:CC",
        "a:b",
        "a#b",
        "-a",
        "linux-bridge",
        "802.1q",
        "über",
    ] {
        assert_eq!(to_string(word).unwrap(), format!("---\n{word}\n"));
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "[0-9xobe_+.:-]{0,8}",
        "\\PC{0,6}",
        any::<String>(),
        "(?i)(yes|no|on|off|y|n|true|false|null|~)",
    ];
    let key = prop_oneof!["[ -~]{0,12}", "[0-9xob_.:-]{0,8}", "\\PC{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(value in any_value()) {
        let text = to_string(&value).unwrap();
        prop_assert_eq!(parse::<Value>(&text), Ok(value), "{}", text);
    }

    #[test]
    fn nothing_makes_it_panic(text in "[-a:\\[\\]{},&*!#|>'\"%@?~ \n\t0-9<.]{0,60}", path in "[a-c.\\[\\]0-2]{0,9}") {
        let _ = parse::<NetworkState>(&text);
        let _ = parse::<Value>(&text);
        let _ = locate(&text, &path);
    }

    #[test]
    fn a_damaged_state_makes_no_panic(at in 0..LOCATED.len(), cut in 0usize..9, put in "\\PC{0,3}") {
        let end = (at + cut).min(LOCATED.len());
        let text = format!("{}{put}{}", &LOCATED[..at], &LOCATED[end..]);
        if let Err(error) = parse::<NetworkState>(&text) {
            prop_assert!(error.line >= 1 && error.column >= 1);
        }
        let _ = locate(&text, "interfaces[1].bridge.port[0].name");
    }
}
