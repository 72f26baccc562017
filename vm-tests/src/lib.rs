// SPDX-License-Identifier: Apache-2.0

//! What tests share that need links, or anything else, which not every kernel has.
//!
//! Such a test says what it needs, and otherwise is written as any whole-system test:
//!
//! ```no_run
//! use nipart_tests::namespace::{ip, run};
//! use nipart_vm_tests::needs_kinds;
//!
//! #[test]
//! fn creates_a_bond() {
//!     run(|| {
//!         if !needs_kinds(&["bond"]) {
//!             return;
//!         }
//!         ip(&["link", "add", "bond7", "type", "bond"]);
//!     });
//! }
//! ```
//!
//! It runs in a namespace of the host where the host's kernel has the kind, and is skipped where it hasn't. In the
//! virtual machine that `vm-tests/run` starts, nothing is skipped: what its kernel has is known, so that there the
//! test fails.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

mod kind;

pub use self::kind::{has_kind, needs_kinds, needs_vlan_filtering, try_add};

/// Set in the virtual machine.
const IN_VIRTUAL_MACHINE: &str = "NIPART_VM";

/// Whether this is the virtual machine.
#[must_use]
pub fn in_virtual_machine() -> bool {
    std::env::var_os(IN_VIRTUAL_MACHINE).is_some()
}

/// Goes on (`true`) if the condition holds. If not, fails in the virtual machine; elsewhere says what is missing, and the
/// test is to return.
#[must_use]
pub fn needs(what: &str, holds: bool) -> bool {
    if !holds {
        let test = std::thread::current().name().unwrap_or("test").to_string();
        assert!(
            !in_virtual_machine(),
            "{test} needs {what}, which this virtual machine is to have"
        );
        println!("SKIPPED {test}: needs {what}");
    }
    holds
}

/// Whether a program is installed.
#[must_use]
pub fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).exists())
}
