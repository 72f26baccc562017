// SPDX-License-Identifier: Apache-2.0

//! Which card is meant: by its permanent MAC address, by its place on the bus; names that stay.

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::run;
use nipart_tests::system::System;
use serde_json::json;

use crate::support::{Wire, fails_at_the_end, near, printed, shown};

#[test]
fn by_pci_and_by_permanent_mac_address() {
    run(|| {
        let Some(wire) = Wire::take("virtio_net") else {
            return;
        };
        let system = System::start();
        let card = shown(&system);
        assert_eq!(
            (&card["driver"], &card["type"]),
            (&json!("virtio_net"), &json!("ethernet"))
        );
        let pci = card["pci-address"].as_str().unwrap();
        assert!(printed("ethtool", &["-i", "near"]).contains(&format!("bus-info: {pci}")));
        assert!(
            wire.device.to_str().unwrap().contains(pci),
            "{:?}",
            wire.device
        );
        let mac = card["permanent-mac-address"].as_str().unwrap();
        assert!(printed("ethtool", &["-P", "near"]).contains(&mac.to_lowercase()));

        let state = format!(
            "interfaces: [{{name: wan, identifier: pci-address, pci-address: '{pci}', mtu: 1400, ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}]}}}}]"
        );
        fails_at_the_end(&system, &state, "wan");
        check::apply(&system, &state);
        assert_eq!(eyes::addresses("near"), ["192.0.2.1/24"]);
        assert_eq!(eyes::link("near")["mtu"], 1400);

        // By its permanent address, whatever the present one is.
        check::apply(&system, &near("mac-address: '02:00:00:00:00:07'"));
        let state = format!(
            "interfaces: [{{name: lan, identifier: mac-address, mac-address: '{mac}', mtu: 1300}}]"
        );
        fails_at_the_end(&system, &state, "near");
        check::apply(&system, &state);
        let link = eyes::link("near");
        assert_eq!(
            (&link["mtu"], &link["address"]),
            (&json!(1300), &json!("02:00:00:00:00:07"))
        );
        // A bridge takes over the permanent one as well, unless its file wants another of the card.
        check::apply(
            &system,
            "interfaces: [{name: br0, type: linux-bridge, copy-mac-from: near, bridge: {port: [{name: near}]}}]",
        );
        assert_eq!(eyes::link("br0")["address"], mac.to_lowercase());
    });
}

#[test]
fn names_are_kept() {
    run(|| {
        let Some(_wire) = Wire::take("virtio_net") else {
            return;
        };
        let system = System::start();
        let root = system.path("root");
        let root = root.to_str().unwrap();
        let said = system.ctl(&["persist-nic-names", "--root", root]).ok().out;
        for name in ["near", "far"] {
            let mac = eyes::link(name)["permaddr"].clone();
            let mac = mac.as_str().map_or_else(
                || eyes::link(name)["address"].as_str().unwrap().to_string(),
                str::to_string,
            );
            let line = said
                .lines()
                .find(|line| line.starts_with(&format!("{name} ")))
                .unwrap();
            assert!(line.to_lowercase().contains(&mac), "{said}");
            let file = line.rsplit_once(": ").unwrap().1;
            let text = std::fs::read_to_string(file).unwrap();
            assert!(
                text.to_lowercase().contains(&mac) && text.contains(&format!("Name={name}")),
                "{text}"
            );
        }
    });
}
