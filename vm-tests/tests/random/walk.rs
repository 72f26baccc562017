// SPDX-License-Identifier: Apache-2.0

//! The walk from state to state.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use nipart_random::Kinds;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;
use nipart_tests::eyes::{self, Watch};
use nipart_tests::namespace::ip;
use nipart_tests::peer::Peer;
use nipart_tests::system::System;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::{others, outcome};

/// Until the kernel has done what it does later by itself, such as telling the link of an address.
const LATER: Duration = Duration::from_secs(15);
/// Of so many states one at least must be applied, not refused.
const REFUSED: usize = 8;

fn number(variable: &str, default: usize) -> usize {
    let text = std::env::var(variable).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}

/// The same states for the same seed.
fn runner(seed: usize) -> TestRunner {
    let seed: [u8; 32] = std::array::from_fn(|index| seed.to_le_bytes()[index % 8]);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    TestRunner::new_with_rng(Config::default(), rng)
}

pub(crate) fn walk(kinds: Kinds, cases: usize) {
    let seed = number("NIPART_TESTS_SEED", 1);
    let cases = number("NIPART_TESTS_CASES", cases);
    let mut runner = runner(seed);
    let mut next = || {
        let states = nipart_random::desired(kinds);
        let state = states.new_tree(&mut runner).expect("a state").current();
        let foreign = nipart_random::foreign(kinds)
            .new_tree(&mut runner)
            .expect("operations");
        (without_waiting(state), foreign.current())
    };
    // Link-local addresses follow from the hardware address that a link has when it comes up, wherever that is from; and
    // nobody else is there who could have an address already.
    for (switch, value) in [("addr_gen_mode", "1"), ("accept_dad", "0")] {
        for conf in ["all", "default"] {
            let path = format!("/proc/sys/net/ipv6/conf/{conf}/{switch}");
            std::fs::write(path, value).expect("a switch of the namespace");
        }
    }
    let peer = Peer::new();
    peer.wire("eth0", "far0", "192.168.0.254/24");
    peer.wire("eth1", "far1", "192.168.1.254/24");
    ip(&[
        "link", "add", "dummy0", "type", "veth", "peer", "name", "ymmud",
    ]);
    let system = System::start();
    let mut steps = Steps {
        seed,
        told: String::new(),
    };
    let mut applied = 0;
    for case in 0..cases {
        let (state, foreign) = next();
        let lines = others::act(&foreign);
        steps.next(case, &lines, &state);
        applied += usize::from(step(&system, &state));
    }
    println!("{applied} of {cases} states were applied");
    assert!(
        applied * REFUSED >= cases,
        "only {applied} of {cases} states were applied"
    );
}

/// Without what takes time in an empty network: leases.
fn without_waiting(mut state: NetworkState) -> NetworkState {
    for interface in &mut state.interfaces {
        if let Some(ipv4) = &mut interface.ipv4 {
            ipv4.dhcp = None;
        }
        if let Some(ipv6) = &mut interface.ipv6 {
            ipv6.dhcp = None;
        }
    }
    state
}

/// The way up to a failure, which tells how to come there by hand.
struct Steps {
    seed: usize,
    told: String,
}

impl Steps {
    fn next(&mut self, case: usize, others: &str, state: &NetworkState) {
        let state = yaml::to_string(state).expect("a state can be written");
        let _ = write!(self.told, "=== state {case}\n{others}--- applied\n{state}");
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("NIPART_TESTS_SEED={}\n{}", self.seed, self.told);
        }
    }
}

/// Whether the state was applied.
fn step(system: &System, state: &NetworkState) -> bool {
    Watch::start().settle();
    let text = yaml::to_string(state).expect("a state can be written");
    let before = eyes::everything();
    let shown = system.ctl(&["show", "-o", "json"]).ok().out;
    let revert = system.ctl_with(&["gr", "-"], &text);
    let tried = system.ctl_with(&["apply", "-", "--no-commit", "--timeout", "600"], &text);
    if tried.code != 0 {
        // The kernel may refuse what can't be known before; then, too, all is as it was.
        assert!([3, 4, 11].contains(&tried.code), "{}", tried.err);
        is_as_before(&before, &tried.err);
        return false;
    }
    system.ctl(&["rollback"]).ok();
    is_as_before(&before, "taken back");

    system.apply(&text).ok();
    outcome::check(state);
    let again = system.apply(&text).ok().out;
    assert!(again.starts_with("Nothing to change"), "{again}");

    // Back by what undoes it, and forward again.
    let revert = revert.ok().out;
    system.apply(&revert).ok();
    let now = system.ctl(&["show", "-o", "json"]).ok().out;
    outcome::assert_same_shown(&shown, &now, &revert);
    system.apply(&text).ok();
    outcome::check(state);
    true
}

fn is_as_before(before: &str, what: &str) {
    let deadline = Instant::now() + LATER;
    while eyes::everything() != before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    eyes::assert_same(before, &eyes::everything(), what);
}
