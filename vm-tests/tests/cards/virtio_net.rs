// SPDX-License-Identifier: Apache-2.0

//! A card that takes any speed for its own, as there is none in truth.

use nipart_tests::check;
use nipart_tests::namespace::run;
use nipart_tests::system::System;

use crate::support::{Wire, assert_has, assert_link_modes, fails_at_the_end, near, printed};

#[test]
fn speed_rings_and_coalescing() {
    run(|| {
        let Some(_wire) = Wire::take("virtio_net") else {
            return;
        };
        let system = System::start();
        // What isn't known can't be given back.
        printed("ethtool", &["-s", "near", "speed", "10", "duplex", "full"]);
        let state = near(
            "ethernet: {auto-negotiation: false, speed: 2500, duplex: half}, ethtool: {ring: {rx: 128}}",
        );
        fails_at_the_end(&system, &state, "near");
        check::apply(&system, &state);
        assert_link_modes(["2500Mb/s", "Half", "off"]);
        assert_has("-g", "Current hardware settings: RX: 128");
        // In the kernel's words, where only it knows.
        for (what, expected) in [
            (
                "ethtool: {coalesce: {tx-frames: 0}}",
                "coalescing: Device or resource busy (EBUSY)",
            ),
            (
                "ethernet: {auto-negotiation: true}",
                "link modes: Invalid argument (EINVAL)",
            ),
        ] {
            let answer = system.apply(&near(what)).refused();
            assert!(answer.contains(expected), "{answer}");
        }
    });
}
