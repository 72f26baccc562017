// SPDX-License-Identifier: Apache-2.0

use clap::CommandFactory;

use super::*;

#[test]
fn arguments_are_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "nipartctl",
        "nipartctl fly",
        "nipartctl apply",
        "nipartctl apply a.yml --timeout 0",
        "nipartctl apply a.yml --timeout soon",
        "nipartctl apply a.yml --state-dir /tmp",
        "nipartctl show --kernel --saved",
        "nipartctl show -o xml",
        "nipartctl show --json -o table",
        "nipartctl trace show",
        "nipartctl diff a b",
    ] {
        let error = Arguments::try_parse_from(line.split(' ')).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn nmstates_flags_are_understood() {
    for line in [
        "nipartctl show",
        "nipartctl show eth0 veth* -k --json",
        "nipartctl show -s --saved -o yaml",
        "nipartctl apply a.yml b.yml --no-verify --memory-only --timeout 60",
        "nipartctl set -",
        "nipartctl apply --no-daemon --state-dir /tmp a.yml",
        "nipartctl apply --no-daemon a.yml",
        "nipartctl plan -v - -o json --socket /tmp/socket",
        "nipartctl trace list -n 3",
        "nipartctl --color never trace show last",
    ] {
        Arguments::try_parse_from(line.split(' ')).expect(line);
    }
}
