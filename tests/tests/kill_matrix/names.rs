// SPDX-License-Identifier: Apache-2.0

//! `kill -9` while name resolution and host names change: the files and the kernel's name are old or new, as all the
//! rest.

use nipart_tests::namespace::run;

use crate::kill::{ALL, COMMANDER, matrix_of};

const OLD: &str = "
hostname: {running: old-1, config: old-1}
dns-resolver: {config: {}}
interfaces:
- {name: p1, type: veth, mac-address: '02:00:00:00:01:01', mtu: 1500, veth: {peer: q1}, dns: {server: [192.0.2.1], search: [old.org]}}
- {name: q1, type: veth, mac-address: '02:00:00:00:01:02', dns: {}}
";

const NEW: &str = "
hostname: {running: new-1, config: new-1}
dns-resolver: {config: {server: [192.0.2.9], options: [rotate]}}
interfaces:
- {name: p1, mtu: 1400, dns: {search: [new.org]}}
- {name: q1, dns: {server: [192.0.2.2]}}
";

fn matrix(victim: &str) {
    matrix_of(victim, || [OLD.to_string(), NEW.to_string()]);
}

#[test]
fn dns() {
    run(|| matrix("dns"));
}

#[test]
fn commander() {
    run(|| matrix(COMMANDER));
}

#[test]
fn all_together() {
    run(|| matrix(ALL));
}
