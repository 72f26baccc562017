// SPDX-License-Identifier: Apache-2.0

//! A card with a ring for large packets, which rounds sizes up, and with a limit for packets.

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use serde_json::json;

use crate::support::{Wire, assert_has, fails_at_the_end, near, shown, taken_back};

#[test]
fn rings_and_features() {
    run(|| {
        let Some(_wire) = Wire::take("vmxnet3") else {
            return;
        };
        let system = System::start();
        let state = near(
            "ethtool: {ring: {rx: 512, rx-jumbo: 256, tx: 1024}, feature: {lro: false, rxhash: false}}",
        );
        fails_at_the_end(&system, &state, "near");
        check::apply(&system, &state);
        assert_has(
            "-g",
            "Current hardware settings: RX: 512 RX Mini: n/a RX Jumbo: 256 TX: 1024",
        );
        for feature in ["large-receive-offload", "receive-hashing"] {
            assert_has("-k", &format!("{feature}: off"));
        }
        let answer = taken_back(&system, &near("ethtool: {ring: {rx: 500}}"));
        assert!(answer.contains("near.ethtool.ring.rx"), "{answer}");
        let answer = system
            .apply(&near("ethernet: {auto-negotiation: false, speed: 10000}"))
            .refused();
        assert!(
            answer.contains("Operation not supported (EOPNOTSUPP)"),
            "{answer}"
        );
    });
}

#[test]
fn mtu_and_mac_address() {
    run(|| {
        let Some(_wire) = Wire::take("vmxnet3") else {
            return;
        };
        let system = System::start();
        let card = shown(&system);
        assert_eq!(
            (&card["min-mtu"], &card["max-mtu"]),
            (&json!(60), &json!(9000))
        );
        let link = eyes::link("near");
        assert_eq!(
            (&link["min_mtu"], &link["max_mtu"]),
            (&json!(60), &json!(9000))
        );
        let answer = check::refused(&system, &near("mtu: 9001"));
        assert!(answer.contains("its driver takes 60 to 9000"), "{answer}");
        let state =
            near("mtu: 9000, mac-address: '02:00:00:00:00:07', accept-all-mac-addresses: true");
        fails_at_the_end(&system, &state, "near");
        check::apply(&system, &state);
        let link = eyes::link("near");
        assert_eq!(
            (&link["mtu"], &link["address"]),
            (&json!(9000), &json!("02:00:00:00:00:07"))
        );
        assert!(
            link["flags"]
                .as_array()
                .unwrap()
                .contains(&json!("PROMISC")),
            "{link}"
        );
        assert_eq!(
            shown(&system)["permanent-mac-address"],
            card["permanent-mac-address"]
        );
    });
}
