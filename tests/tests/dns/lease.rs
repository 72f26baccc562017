// SPDX-License-Identifier: Apache-2.0

//! Servers that a DHCP server tells of.

use std::time::Duration;

use nipart_tests::check;
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::{Peer, Server};
use nipart_tests::process::eventually;
use nipart_tests::system::System;

use crate::{ORIGINAL, PURGE, lines, mount_over_itself, resolv_conf, with_original};

/// For what takes milliseconds on an idle machine.
const SOON: Duration = Duration::from_secs(10);

/// A server that lends an address with DNS servers and a domain.
fn leasing(peer: &Peer) -> Server {
    peer.wire("eth1", "srv1", "192.0.2.1/24");
    peer.dnsmasq(
        "srv1",
        "192.0.2.50,192.0.2.50",
        &[
            "--dhcp-option=6,192.0.2.53,192.0.2.54",
            "--dhcp-option=15,lan",
            "--dhcp-option=119,a.org,b.org",
        ],
    )
}

fn become_lines(system: &System, expected: &[&str]) {
    eventually(&format!("resolv.conf is {expected:?}"), SOON, || {
        (lines(system) == expected).then_some(())
    });
}

const ON: &str = "interfaces: [{name: eth1, type: ethernet, ipv4: {enabled: true, dhcp: true}}]";

#[test]
fn of_a_lease() {
    run(|| {
        let peer = Peer::new();
        let mut server = leasing(&peer);
        let system = with_original("");
        system.apply(ON).ok();
        server.await_line("DHCPACK", SOON);
        let leased = [
            "search lan a.org b.org",
            "nameserver 192.0.2.53",
            "nameserver 192.0.2.54",
        ];
        become_lines(&system, &leased);
        check::changes_nothing(&system, ON);

        // Static lists take their place, one by one.
        check::apply(&system, "dns-resolver: {config: {server: [192.0.2.9]}}");
        assert_eq!(
            lines(&system),
            ["search lan a.org b.org", "nameserver 192.0.2.9"]
        );
        // Unless both are asked for; what isn't written stays as it was.
        let asked = |auto_dns: bool| {
            let state = format!("interfaces: [{{name: eth1, ipv4: {{auto-dns: {auto_dns}}}}}]");
            check::apply(&system, &state);
        };
        asked(true);
        assert_eq!(
            lines(&system),
            [
                "search lan a.org b.org",
                "nameserver 192.0.2.9",
                "nameserver 192.0.2.53",
                "nameserver 192.0.2.54"
            ]
        );
        asked(false);
        assert_eq!(lines(&system), ["nameserver 192.0.2.9"]);
        asked(true);
        check::apply(&system, PURGE);
        become_lines(&system, &leased);

        // The servers can't be reached any more; with the link they come back.
        peer.run(&["ip", "link", "set", "srv1", "down"]);
        become_lines(&system, &[]);
        peer.run(&["ip", "link", "set", "srv1", "up"]);
        become_lines(&system, &leased);
        system
            .apply("interfaces: [{name: eth1, ipv4: {enabled: true, dhcp: false, address: []}}]")
            .ok();
        assert_eq!(lines(&system), Vec::<String>::new());
    });
}

#[test]
fn a_lease_comes_although_its_servers_cannot_be_written() {
    run(|| {
        let peer = Peer::new();
        let mut server = leasing(&peer);
        let mut system = System::prepare();
        mount_over_itself(&resolv_conf(&system), ORIGINAL);
        system.start_daemon();
        system.apply(ON).ok();
        server.await_line("DHCPACK", SOON);
        eventually("the address", SOON, || {
            ip(&["address", "show", "eth1"])
                .contains("192.0.2.50/24")
                .then_some(())
        });
        eventually("it is said", SOON, || {
            system
                .log()
                .contains("only the names are missing")
                .then_some(())
        });
    });
}
