// SPDX-License-Identifier: Apache-2.0

//! The states of `examples/nmstate`, applied, with ends of wires for cards.

#![allow(
    clippy::expect_used,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::fs;
use std::path::Path;

use crate::eyes;
use crate::namespace::ip;
use crate::system::System;

/// A daemon, and three cards, `eth1` to `eth3`, that are up.
#[must_use]
pub fn machine_with_cards() -> System {
    for number in 1..=3 {
        let (card, wire) = (format!("eth{number}"), format!("wire{number}"));
        ip(&["link", "add", &card, "type", "veth", "peer", "name", &wire]);
        let address = format!("02:00:00:00:01:0{number}");
        ip(&["link", "set", &card, "address", &address, "up"]);
        ip(&["link", "set", &wire, "up"]);
    }
    ip(&["link", "set", "lo", "up"]);
    System::start()
}

/// Applies the examples one after the other, and takes them back in the other direction: each applies, changes nothing
/// when it is applied again, and is undone by its revert.
pub fn apply(system: &System, names: &[&str]) {
    apply_then(system, names, || {});
}

/// The same; `look` sees the last one.
pub fn apply_then(system: &System, names: &[&str], look: impl Fn()) {
    let before = outline();
    let reverts: Vec<String> = names.iter().map(|name| apply_one(system, name)).collect();
    look();
    for (name, revert) in names.iter().zip(reverts).rev() {
        let answer = system.apply(&revert);
        assert_eq!(answer.code, 0, "revert of {name}: {}\n{revert}", answer.err);
    }
    assert_eq!(outline(), before, "after {names:?} and their reverts");
}

/// Returns its revert.
fn apply_one(system: &System, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/nmstate");
    let text = fs::read_to_string(folder.join(format!("{name}.yml"))).expect("an example");
    // A policy means something else when it has been applied.
    let state = match text.contains("capture:") {
        true => system.ctl_with(&["policy", "-"], &text).ok().out,
        false => text.clone(),
    };
    let revert = system.ctl_with(&["gr", "-"], &text);
    assert_eq!(revert.code, 0, "{name}: {}", revert.err);
    let answer = system.apply(&text);
    assert_eq!(answer.code, 0, "{name}: {}", answer.err);
    let again = system.apply(&state).ok().out;
    assert!(
        again.starts_with("Nothing to change, verified"),
        "{name}: {again}"
    );
    revert.out
}

/// Links and their addresses, but IPv6 link-local ones; routes; rules.
fn outline() -> Vec<String> {
    let links = eyes::parsed(&ip(&["-j", "address", "show"]));
    let links = links.as_array().expect("a list").iter();
    let mut lines: Vec<String> = links
        .map(|link| format!("{} {:?}", link["ifname"], eyes::addresses_of(link)))
        .collect();
    lines.extend(eyes::routes());
    lines.extend(ip(&["rule", "show"]).lines().map(str::to_string));
    lines.sort();
    lines
}
