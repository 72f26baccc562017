// SPDX-License-Identifier: Apache-2.0

//! A card that knows its speed also without a carrier.

use nipart_tests::check;
use nipart_tests::namespace::run;
use nipart_tests::system::System;

use crate::support::{Wire, assert_has, assert_link_modes, fails_at_the_end, near, shown};

#[test]
fn speed_duplex_and_rings() {
    run(|| {
        let Some(_wire) = Wire::take("e100") else {
            return;
        };
        let system = System::start();
        check::apply(
            &system,
            &near(
                "ethernet: {auto-negotiation: false, speed: 10, duplex: half}, ethtool: {ring: {rx: 64}}",
            ),
        );
        assert_link_modes(["10Mb/s", "Half", "off"]);
        assert_has("-g", "Current hardware settings: RX: 64");
        let change = near("ethernet: {speed: 100, duplex: full}");
        fails_at_the_end(&system, &change, "near");
        check::apply(&system, &change);
        assert_link_modes(["100Mb/s", "Full", "off"]);
        check::apply(&system, &near("ethernet: {auto-negotiation: true}"));
        assert_link_modes(["100Mb/s", "Full", "on"]);
        for group in ["coalesce", "pause", "fec"] {
            assert!(shown(&system)["ethtool"][group].is_null());
        }
    });
}
