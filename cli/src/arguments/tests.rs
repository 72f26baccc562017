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
        "nipartctl apply a.yml --confirm 0",
        "nipartctl apply a.yml --confirm 9 --no-commit",
        "nipartctl apply a.yml --no-daemon --no-commit",
        "nipartctl commit a b",
        "nipartctl checkpoint",
        "nipartctl history show",
        "nipartctl history diff 1",
        "nipartctl history -n 3 show 1",
        "nipartctl history revert last",
        "nipartctl gr",
        "nipartctl policy",
        "nipartctl policy a.yml b.yml",
        "nipartctl validate a.yml --offline --current b.yml",
        "nipartctl validate a b",
        "nipartctl show -r --saved",
        "nipartctl persist-nic-names --inspect --dry-run",
        "nipartctl persist-nic-names --inspect --cleanup",
        "nipartctl persist-nic-names --dry-run --kargs-out a",
        "nipartctl service a",
        "nipartctl format a --json -o yaml",
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
        "nipartctl apply a.yml --no-commit --timeout 60",
        "nipartctl apply a.yml --confirm 30 --timeout 10 --no-wait --note why",
        "nipartctl apply a.yml --no-daemon --note why",
        "nipartctl commit",
        "nipartctl commit 018e",
        "nipartctl rollback",
        "nipartctl checkpoint list -o json",
        "nipartctl checkpoint forget 018e",
        "nipartctl status -o yaml",
        "nipartctl policy a.yml",
        "nipartctl policy - -c now.yml -s captured.yml -o captured.yml --json",
        "nipartctl p a.yml --current now.yml --captured a --output-captured b",
        "nipartctl gr a.yml --json",
        "nipartctl s",
        "nipartctl show -r -k eth0",
        "nipartctl edit",
        "nipartctl apply -k a.yml",
        "nipartctl set --kernel --no-verify a.yml",
        "nipartctl edit eth0 --no-verify --memory-only --no-commit --timeout 9",
        "nipartctl service",
        "nipartctl service -c /tmp",
        "nipartctl statistic a.yml b.yml -c now.yml --json",
        "nipartctl persist-nic-names --dry-run --cleanup -r /sysroot",
        "nipartctl persist-nic-names --inspect",
        "nipartctl persist-nic-names --kargs-out args --root /",
        "nipartctl validate a.yml",
        "nipartctl validate -c now.yml -q",
        "nipartctl validate --offline -",
        "nipartctl f",
        "nipartctl fmt --json a.yml",
        "nipartctl -vv format -",
        "nipartctl history",
        "nipartctl history -n 3 -o json",
        "nipartctl history list --limit 3",
        "nipartctl history show 1",
        "nipartctl history diff 1 2",
        "nipartctl history revert 1 --confirm 60",
        "nipartctl history rollback 1 --no-commit",
    ] {
        Arguments::try_parse_from(line.split(' ')).expect(line);
    }
}
