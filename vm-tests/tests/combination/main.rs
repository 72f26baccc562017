// SPDX-License-Identifier: Apache-2.0

//! Links that stand on each other in many ways at once, as people have them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail loudly, in their helpers too"
)]

mod name;
mod port;
mod stack;
mod swap;

use nipart_tests::eyes;

/// The number of a link, which stays as long as the link does.
fn index(name: &str) -> u64 {
    eyes::link(name)["ifindex"].as_u64().expect("a number")
}

/// Name of the controller; empty without one.
fn controller(name: &str) -> String {
    let link = eyes::link(name);
    link["master"].as_str().unwrap_or_default().to_string()
}

/// Pairs of veth, each by both its names, as entries of a state.
fn pairs(names: &[(&str, &str)]) -> String {
    let pair = |(one, other): &(&str, &str)| {
        format!(
            "- {{name: {one}, type: veth, veth: {{peer: {other}}}}}\n- {{name: {other}, type: veth, veth: {{peer: {one}}}}}\n"
        )
    };
    names.iter().map(pair).collect()
}
