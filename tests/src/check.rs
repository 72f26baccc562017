// SPDX-License-Identifier: Apache-2.0

//! What must hold after every successful apply, whatever it was about.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use serde_json::Value;

use crate::eyes::{self, Watch};
use crate::system::System;

/// Operations that a report names; the others it only counts.
const NAMED_OPERATIONS: usize = 20;

/// Applies `state`, and checks on the way that `plan` has told exactly what apply then did, that the same file again
/// and the output of `show` change nothing, that they say so, and that nothing has gone wrong behind the user's back.
pub fn apply(system: &System, state: &str) -> Value {
    let planned = operations_of_plan(system, state);
    let report = system
        .ctl_with(&["apply", "-", "-o", "json"], state)
        .ok()
        .json();
    assert_eq!(
        report["operations"],
        planned.len(),
        "operations of apply against plan {planned:#?}"
    );
    let named: Vec<&str> = planned
        .iter()
        .take(NAMED_OPERATIONS)
        .map(String::as_str)
        .collect();
    let done: Vec<&str> = report["changes"].as_array().map_or(Vec::new(), |list| {
        list.iter().filter_map(Value::as_str).collect()
    });
    assert_eq!(done, named, "apply did something else than planned");
    assert_eq!(
        (&report["verified"], &report["saved"]),
        (&true.into(), &true.into()),
        "{report}"
    );
    changes_nothing(system, state);
    no_errors(system);
    report
}

/// A route that the kernel refuses: its gateway can't be reached. It makes the apply of a state fail when all the rest
/// is done.
#[must_use]
pub fn fails_last(interface: &str) -> String {
    format!(
        "
routes:
  config:
  - {{destination: 203.0.113.0/24, next-hop-address: 203.0.113.77, next-hop-interface: {interface}}}
"
    )
}

/// The daemon and its plugins have logged no error.
pub fn no_errors(system: &System) {
    let log = system.log();
    let errors: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" ERROR "))
        .collect();
    assert!(errors.is_empty(), "logged: {errors:#?}");
}

/// The operations that `plan -v` prints for `state`, in order.
#[must_use]
pub fn operations_of_plan(system: &System, state: &str) -> Vec<String> {
    let plan = system.ctl_with(&["plan", "-v", "-"], state).ok().out;
    let from_first_wave = plan.lines().skip_while(|line| !line.starts_with("wave 1:"));
    from_first_wave
        .filter_map(|line| line.strip_prefix("  "))
        .map(str::to_string)
        .collect()
}

/// Applying `state`, which is so already, sends nothing to the kernel and says so; what is shown is so by definition.
pub fn changes_nothing(system: &System, state: &str) {
    let watch = Watch::start();
    watch.settle();
    let before = eyes::everything();
    let shown = system.ctl(&["show"]).ok().out;
    for state in [state, &shown] {
        let plan = system.ctl_with(&["plan", "-"], state).ok();
        assert_eq!(
            plan.out,
            "Nothing to change\n",
            "{:?}",
            operations_of_plan(system, state)
        );
    }
    let again = system.apply(state).ok();
    assert!(
        again.out.starts_with("Nothing to change, verified, saved"),
        "{}",
        again.out
    );
    assert_eq!(
        watch.marked(),
        Vec::<String>::new(),
        "told by the kernel on an apply of what is so already"
    );
    eyes::assert_same(&before, &eyes::everything(), "after");
}

/// Applying what is shown sends nothing to the kernel and says so. All that is shown is remembered from then on.
pub fn round_trip(system: &System) {
    changes_nothing(system, &system.ctl(&["show"]).ok().out);
    changes_nothing(system, &system.ctl(&["show", "-o", "json"]).ok().out);
}

/// Applying `state` is refused or fails; nothing in the kernel changes meanwhile. Returns what it said.
#[must_use]
pub fn refused(system: &System, state: &str) -> String {
    let watch = Watch::start();
    watch.settle();
    let before = eyes::everything();
    let answer = system.apply(state).refused();
    assert_eq!(
        watch.marked(),
        Vec::<String>::new(),
        "told by the kernel on a refused apply"
    );
    eyes::assert_same(&before, &eyes::everything(), "after");
    answer
}
