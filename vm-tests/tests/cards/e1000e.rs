// SPDX-License-Identifier: Apache-2.0

//! A card that has nearly everything, and doesn't know its speed without a carrier.

use nipart_tests::check;
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use serde_json::json;

use crate::support::{
    Wire, assert_has, assert_link_modes, fails_at_the_end, near, shown, taken_back,
};

#[test]
fn rings_pause_frames_coalescing_and_features() {
    run(|| {
        let Some(_wire) = Wire::take("e1000e") else {
            return;
        };
        let system = System::start();
        let state = "
interfaces:
- name: near
  ethtool:
    ring: {rx: 512, tx: 128}
    pause: {autoneg: false, rx: true, tx: false}
    coalesce: {rx-usecs: 20}
    feature: {gro: false, rx-vlan-hw-parse: false, tx-tcp-segmentation: false}
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
- {name: far, state: up}
";
        fails_at_the_end(&system, state, "near");
        check::apply(&system, state);
        assert_has(
            "-g",
            "Current hardware settings: RX: 512 RX Mini: n/a RX Jumbo: n/a TX: 128",
        );
        assert_has("-a", "Autonegotiate: off RX: on TX: off");
        assert_has("-c", "rx-usecs: 20");
        for feature in [
            "generic-receive-offload",
            "rx-vlan-offload",
            "tx-tcp-segmentation",
        ] {
            assert_has("-k", &format!("{feature}: off"));
        }
        assert_eq!(
            shown(&system)["ethtool"]["ring"],
            json!({"rx": 512, "tx": 128, "rx-max": 4096, "tx-max": 4096})
        );
        // Cards are asked without being named.
        let all = system.ctl(&["show"]).ok().out;
        assert_eq!(all.matches("rx-max: 4096").count(), 2, "{all}");

        check::apply(
            &system,
            &near(
                "ethtool: {ring: {rx: 256}, pause: {tx: true}, coalesce: {rx-usecs: 0}, feature: {gro: true}}",
            ),
        );
        assert_has(
            "-g",
            "Current hardware settings: RX: 256 RX Mini: n/a RX Jumbo: n/a TX: 128",
        );
        assert_has("-a", "Autonegotiate: off RX: on TX: on");
        assert_has("-c", "rx-usecs: 0");
        assert_has("-k", "generic-receive-offload: on");
        assert_has("-k", "rx-vlan-offload: off");
        system
            .apply(&near("ethtool: {pause: {autoneg: true}}"))
            .ok();
        assert_has("-a", "Autonegotiate: on");

        for (what, expected) in [
            ("ring: {rx: 100000}", "requested ring size exceeds maximum"),
            ("ring: {rx-jumbo: 8}", "can't change ethtool.ring.rx-jumbo"),
            (
                "coalesce: {tx-frames: 8}",
                "can't change ethtool.coalesce.tx-frames",
            ),
            ("fec: {mode: rs}", "can't change ethtool.fec"),
        ] {
            let answer = system
                .apply(&near(&format!("ethtool: {{{what}}}")))
                .refused();
            assert!(answer.contains(expected), "{what}: {answer}");
        }
    });
}

#[test]
fn speed_and_duplex() {
    run(|| {
        let Some(_wire) = Wire::take("e1000e") else {
            return;
        };
        let system = System::start();
        check::apply(
            &system,
            &near("ethernet: {auto-negotiation: false, speed: 100, duplex: full}"),
        );
        assert_link_modes(["100Mb/s", "Full", "off"]);
        fails_at_the_end(
            &system,
            &near("ethernet: {speed: 10, duplex: half}"),
            "near",
        );
        check::apply(&system, &near("ethernet: {speed: 10}"));
        assert_link_modes(["10Mb/s", "Full", "off"]);
        let answer = system
            .apply(&near("ethernet: {speed: 1000, duplex: half}"))
            .refused();
        assert!(
            answer.contains("link modes: Invalid argument (EINVAL)"),
            "{answer}"
        );
        // The driver negotiates this speed, whatever it is told.
        let answer = taken_back(
            &system,
            &near("ethernet: {auto-negotiation: false, speed: 1000}"),
        );
        assert!(
            answer.contains("near.ethernet.auto-negotiation: true"),
            "{answer}"
        );
        assert!(
            !system.log().contains("no longer as saved"),
            "speed is lost for a while"
        );
        check::apply(&system, &near("ethernet: {auto-negotiation: true}"));
        assert_link_modes(["1000Mb/s", "Full", "on"]);
    });
}
