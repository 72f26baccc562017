// SPDX-License-Identifier: Apache-2.0

//! Random wanted states one after the other, on the running kernel.
//!
//! Each is applied over what those before it, and others, have left. One that is refused changes nothing. One that is
//! applied is taken back, and all is as before; then it is applied for good: the kernel has what it says, the same again
//! has nothing to do, and the state that undoes it brings back what was shown before.
//!
//! What can't be brought back: a virtual link of others that was down, because `state: down` deletes it. The usual walk
//! ends before the first such case.
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

/// States of a walk, where nobody asks for more: they are to take less than a minute, or two where a processor is emulated.
fn cases() -> usize {
    if in_virtual_machine() { 3 } else { 27 }
}

#[test]
fn kinds_of_every_kernel() {
    run(|| walk::walk(Kinds::Common, cases()));
}

#[test]
fn with_bonds_vlans_vrfs_and_dummies() {
    run(|| {
        if needs_kinds(&["bond", "vlan", "vrf", "dummy"]) {
            walk::walk(Kinds::All, cases());
        }
    });
}
