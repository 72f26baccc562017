// SPDX-License-Identifier: Apache-2.0

//! Random wanted states one after the other, on the running kernel.
//!
//! Each is applied over what those before it, and others, have left. One that is refused changes nothing. One that is
//! applied is taken back, and all is as before; then it is applied for good: the kernel has what it says, the same again
//! has nothing to do, and the state that undoes it brings back what was shown before.
//!
//! What can't be brought back: a virtual link of others that was down, because `state: down` deletes it; and that a bridge
//! never had a port, by which it counts as connected. The usual walks end before the first such case.
//!
//! `NIPART_TESTS_SEED` is another seed than the usual one, `NIPART_TESTS_CASES` another number of states.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail loudly, in their helpers too"
)]

mod others;
mod outcome;
mod walk;

use nipart_random::Kinds;
use nipart_tests::namespace::run;
use nipart_vm_tests::{in_virtual_machine, needs_kinds};

/// States of a walk, where nobody asks for more: they are to take less than a minute, or three where a processor is emulated.
const CASES: usize = 27;
const CASES_EMULATED: usize = 3;
/// Those that no other kernel can try.
const CASES_OF_ALL_KINDS: usize = 16;

#[test]
fn kinds_of_every_kernel() {
    let cases = match in_virtual_machine() {
        true => CASES_EMULATED,
        false => CASES,
    };
    run(|| walk::walk(Kinds::Common, cases));
}

#[test]
fn with_bonds_vlans_vrfs_and_dummies() {
    run(|| {
        if needs_kinds(&["bond", "vlan", "vrf", "dummy"]) {
            walk::walk(Kinds::All, CASES_OF_ALL_KINDS);
        }
    });
}
