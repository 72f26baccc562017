// SPDX-License-Identifier: Apache-2.0

//! An IPv6 address counts when it is known that nobody else has it.

use nipart_tests::eyes;
use nipart_tests::namespace::run;
use nipart_tests::peer::Peer;
use nipart_tests::system::System;
use serde_json::Value;

use crate::{TAKEN_BACK, TIMEOUT, answer, begin, is_waiting, nothing_is_open};

const WAITS: &str = "interfaces: [{name: eth1, wait-ip: ipv6,
    ipv6: {enabled: true, address: [{ip: '2001:db8::2', prefix-length: 64}]}}]";

/// A wire, to an end with this address. Looking for others with an address takes some seconds on the end that is here.
fn wired(address: &str) -> Peer {
    let peer = Peer::new();
    peer.wire("eth1", "far", address);
    let probes = "/proc/sys/net/ipv6/conf/eth1/dad_transmits";
    std::fs::write(probes, "8").expect("a switch");
    peer
}

#[test]
fn it_ends_when_the_address_is_no_longer_tentative() {
    run(|| {
        let _peer = wired("2001:db8::1/64");
        let system = System::start();
        let apply = begin(&system, WAITS, &[]);
        is_waiting(&system);
        let report = answer(apply).ok().json();
        assert_eq!(report["saved"], true, "{report}");
        let address = eyes::address_details("eth1")[0].clone();
        assert_eq!(address["local"], "2001:db8::2", "{address}");
        assert_eq!(address["tentative"], Value::Null, "{address}");
        nothing_is_open(&system);
    });
}

#[test]
fn an_address_of_another_host_does_not_count() {
    run(|| {
        let peer = Peer::new();
        peer.wire("eth1", "far", "2001:db8::2/64");
        // So that it is there when it is asked for.
        nipart_tests::process::eventually("the other end", crate::SOON, || {
            let addresses = peer.run(&["ip", "-6", "address", "show", "dev", "far"]);
            (!addresses.contains("tentative")).then_some(())
        });
        let system = System::start();
        let before = eyes::settled();
        let answer = answer(begin(&system, WAITS, &["--timeout", TIMEOUT]));
        assert_eq!(answer.code, 8, "{}", answer.err);
        for part in [
            "wait-ip: eth1 has no IPv6 address after 10 s",
            "whether another host has 2001:db8::2 too",
            TAKEN_BACK,
        ] {
            assert!(answer.err.contains(part), "{part}: {}", answer.err);
        }
        eyes::assert_same(&before, &eyes::settled(), "after");
        nothing_is_open(&system);
    });
}
