// SPDX-License-Identifier: Apache-2.0

//! What goes on by itself while a change waits: DHCP, links.

use std::time::{Duration, Instant};

use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::Peer;
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::json;

use crate::{PATIENCE, checkpoints, hold, id_of};

const DHCP: &str = "interfaces: [{name: eth0, type: veth, ipv4: {enabled: true, dhcp: true}}]";

fn leased() -> bool {
    let addresses = eyes::addresses("eth0");
    addresses.iter().any(|each| each.starts_with("192.0.2.1"))
}

/// Fails unless all is as saved once the new lease has been looked after.
fn in_sync(system: &System) {
    eventually("all is as saved", PATIENCE, || {
        (system.ctl(&["status"]).code == 0).then_some(())
    });
}

#[test]
fn dhcp_ends_with_the_checkpoint_or_stays_with_its_commit() {
    run(|| {
        let peer = Peer::new();
        peer.wire("eth0", "far", "192.0.2.1/24");
        let _server = peer.dnsmasq("far", "192.0.2.100,192.0.2.150", &["--dhcp-option=26,1300"]);
        let system = System::start();
        system
            .apply("interfaces: [{name: eth0, type: veth, description: a wire}]")
            .ok();
        let before = eyes::settled();
        hold(&system, DHCP, 60);
        eventually("an address", PATIENCE, || leased().then_some(()));
        // The MTU is the lease's, and goes with it.
        eventually("the MTU", PATIENCE, || {
            (eyes::link("eth0")["mtu"] == 1300).then_some(())
        });
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
fn dhcp_that_is_turned_off_goes_on_after_a_rollback() {
    run(|| {
        let peer = Peer::new();
        peer.wire("eth0", "far", "192.0.2.1/24");
        let mut server = peer.dnsmasq("far", "192.0.2.100,192.0.2.100", &[]);
        let mut system = System::start();
        system.apply(DHCP).ok();
        server.await_line("DHCPACK", PATIENCE);
        eventually("an address", PATIENCE, || leased().then_some(()));
        let before = eyes::settled();
        let off = "interfaces: [{name: eth0, ipv4: {enabled: true, dhcp: false, address: []}}]";
        hold(&system, off, 60);
        server.await_line("DHCPRELEASE", PATIENCE);
        eventually("the address goes", PATIENCE, || (!leased()).then_some(()));
        system.ctl(&["rollback"]).ok();
        // The client runs again, and asks for what it had.
        server.await_line("DHCPACK", PATIENCE);
        eventually("all is as before", PATIENCE, || {
            (eyes::everything() == before).then_some(())
        });
        in_sync(&system);

        // The same when the daemon dies meanwhile and the time is over.
        hold(&system, off, 1);
        server.await_line("DHCPRELEASE", PATIENCE);
        system.kill_daemon();
        std::thread::sleep(Duration::from_millis(1500));
        system.start_daemon();
        server.await_line("DHCPACK", PATIENCE);
        eventually("all is as before", PATIENCE, || {
            (eyes::everything() == before).then_some(())
        });
        in_sync(&system);
    });
}

#[test]
fn a_leased_address_comes_back_for_the_rest_of_its_time() {
    run(|| {
        let peer = Peer::new();
        peer.wire("eth0", "far", "192.0.2.1/24");
        let server = peer.dnsmasq("far", "192.0.2.100,192.0.2.100", &[]);
        let mut system = System::start();
        system.apply(DHCP).ok();
        eventually("an address", PATIENCE, || leased().then_some(()));
        let left = || {
            let address = eyes::address_details("eth0")[0].clone();
            address["valid_life_time"].as_u64().unwrap_or_default()
        };
        let before = left();
        let begun = Instant::now();
        // It becomes static; and nobody is there to lend it again.
        hold(
            &system,
            "interfaces: [{name: eth0, ipv4: {dhcp: false}}]",
            4,
        );
        assert_eq!(left(), u64::from(u32::MAX));
        drop(server);
        system.kill_daemon();
        std::thread::sleep(Duration::from_secs(5));
        system.start_daemon();
        eventually("its time is limited again", PATIENCE, || {
            (left() < u64::from(u32::MAX)).then_some(())
        });
        let passed = begun.elapsed().as_secs();
        let expected = (before - passed - 2)..=(before - passed + 2);
        assert!(expected.contains(&left()), "{} of {expected:?}", left());
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
