// SPDX-License-Identifier: Apache-2.0

//! What these tests do with every type.

use nipart_tests::eyes;
use nipart_tests::system::System;

/// Applies `state`, which the kernel is to refuse at its end; all that was done before must be as it was.
pub(crate) fn reverted(system: &System, state: &str) -> String {
    let before = eyes::everything();
    let answer = system.apply(state).refused();
    assert_eq!(eyes::everything(), before, "after {answer}");
    answer
}

/// The number of a link, which stays as long as the link does.
pub(crate) fn index(name: &str) -> u64 {
    eyes::link(name)["ifindex"].as_u64().expect("a number")
}

/// A route that the kernel refuses: its gateway can't be reached. It makes the apply of a state fail when all the rest
/// is done.
pub(crate) fn fails_last(interface: &str) -> String {
    format!(
        "
routes:
  config:
  - {{destination: 203.0.113.0/24, next-hop-address: 203.0.113.77, next-hop-interface: {interface}}}
"
    )
}
