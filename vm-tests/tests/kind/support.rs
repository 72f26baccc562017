// SPDX-License-Identifier: Apache-2.0

//! What these tests do with every type.

use nipart_tests::eyes;
use nipart_tests::system::System;

/// Applies `state`, which the kernel is to refuse at its end; all that was done before must be as it was.
pub fn reverted(system: &System, state: &str) -> String {
    let before = eyes::everything();
    let answer = system.apply(state).refused();
    assert_eq!(eyes::everything(), before, "after {answer}");
    answer
}

/// The number of a link, which stays as long as the link does.
pub fn index(name: &str) -> u64 {
    eyes::link(name)["ifindex"].as_u64().expect("a number")
}

/// An interface whose route the kernel refuses: its gateway can't be reached. At the end of a state it makes the
/// apply fail when all the rest is done.
pub const FAILS_LAST: &str = "
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-address: 203.0.113.77, next-hop-interface: lo}
";
