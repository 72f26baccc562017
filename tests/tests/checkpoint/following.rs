// SPDX-License-Identifier: Apache-2.0

//! What goes on by itself while a change waits: DHCP, links.

use std::time::Duration;

use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::Peer;
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::json;

use crate::{PATIENCE, checkpoints, hold, id_of, settled};

const DHCP: &str = "interfaces: [{name: eth0, type: veth, ipv4: {enabled: true, dhcp: true}}]";

fn leased() -> bool {
    let addresses = eyes::addresses("eth0");
    addresses.iter().any(|each| each.starts_with("192.0.2.1"))
}

#[test]
fn dhcp_ends_with_the_checkpoint_or_stays_with_its_commit() {
    run(|| {
        let peer = Peer::new();
        peer.wire("eth0", "far", "192.0.2.1/24");
        let _server = peer.dnsmasq("far", "192.0.2.100,192.0.2.150", &[]);
        let system = System::start();
        system
            .apply("interfaces: [{name: eth0, type: veth, mtu: 1400}]")
            .ok();
        let before = settled();
        hold(&system, DHCP, 60);
        eventually("an address", PATIENCE, || leased().then_some(()));
        system.ctl(&["rollback"]).ok();
        eventually("all is as before", PATIENCE, || {
            (eyes::everything() == before).then_some(())
        });
        // No client is left that asks again.
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(eyes::everything(), before);

        let id = id_of(&hold(&system, DHCP, 60));
        eventually("an address", PATIENCE, || leased().then_some(()));
        system.kill_plugin("commander");
        eventually("it still waits", PATIENCE, || {
            (checkpoints(&system) == [id.clone()]).then_some(())
        });
        assert!(leased());
        system.ctl(&["commit"]).ok();
        assert!(leased());
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}

#[test]
fn a_link_that_comes_back_is_as_the_checkpoint_says() {
    run(|| {
        let peer = Peer::new();
        peer.wire("eth0", "far", "192.0.2.1/24");
        let system = System::start();
        system
            .apply("interfaces: [{name: eth0, type: veth, mtu: 1400}]")
            .ok();
        hold(&system, "interfaces: [{name: eth0, mtu: 1300}]", 60);
        ip(&["link", "delete", "eth0"]);
        peer.wire("eth0", "far", "192.0.2.1/24");
        eventually("the change is back", PATIENCE, || {
            (eyes::link("eth0")["mtu"] == 1300).then_some(())
        });
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
        system.ctl(&["rollback"]).ok();
        assert_eq!(eyes::link("eth0")["mtu"], json!(1400));
    });
}
