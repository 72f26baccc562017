// SPDX-License-Identifier: Apache-2.0

//! Leases of seconds, from a server of our own: renewal, NAK and expiry in real time.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use nipart_dhcp::client::ClientHandle;
use nipart_dhcp::events::LeaseEvent;
use nipart_dhcp::v4::client;
use nipart_schemas::lease::{Dhcpv4Lease, Lease, LeaseLoss, LeaseProtocol};
use nipart_tests::namespace;
use tokio::sync::mpsc;

use super::peer::{
    Peer, SERVER, SERVER_LINK, Server, acquired, block_on, config, next, script, set_address,
};

const SOON: Duration = Duration::from_secs(10);

fn short_leases(peer: &Peer, more: &[&str]) -> Server {
    let script = script();
    let command = [
        &[
            "python3",
            &script,
            "--interface",
            SERVER_LINK,
            "--server",
            SERVER,
            "--range",
            "192.0.2.50-192.0.2.60",
        ],
        more,
    ]
    .concat();
    peer.serve(&command, "ready")
}

fn held(client: &ClientHandle) -> Option<Dhcpv4Lease> {
    client.status().lease().map(|lease| match lease {
        Lease::Ipv4(lease) => lease,
        other => panic!("{other:?}"),
    })
}

fn lost(reason: LeaseLoss) -> LeaseEvent {
    LeaseEvent::Lost {
        interface: "client0".to_owned(),
        protocol: LeaseProtocol::Dhcpv4,
        reason,
    }
}

#[test]
fn renewed_by_unicast_then_refused() {
    namespace::run(|| {
        let peer = Peer::new();
        let server = short_leases(&peer, &["--lease", "4", "--nak-after", "2"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let client = client::spawn(config(), true, sender).unwrap();
            let lease = acquired(next(&mut events, SOON).await);
            let started = Instant::now();
            assert_eq!(
                (lease.lease_time, lease.renewal_time, lease.rebinding_time),
                (4, 2, 3)
            );
            set_address(&lease);
            server.printed();

            let LeaseEvent::Renewed(Lease::Ipv4(renewed)) = next(&mut events, SOON).await else {
                panic!()
            };
            assert_eq!(renewed.address, lease.address);
            let after = started.elapsed().as_secs_f64();
            assert!((1.8..2.9).contains(&after), "T1 is 2 s: {after}");
            let request = server.await_line("\"request\"");
            for part in [
                format!("\"to\": \"{SERVER}\""),
                format!("\"source\": \"{}\"", lease.address),
                format!("\"ciaddr\": \"{}\"", lease.address),
                "\"requested\": null".to_owned(),
                "\"server\": null".to_owned(),
            ] {
                assert!(request.contains(&part), "{part}: {request}");
            }

            // The NAK is broadcast; another lease follows at once.
            assert_eq!(next(&mut events, SOON).await, lost(LeaseLoss::Refused));
            let another = acquired(next(&mut events, SOON).await);
            assert_ne!(another.address, lease.address);
            client.stop(true).await.unwrap();
            server.await_line("\"release\"");
        });
    });
}

#[test]
fn expired_when_nobody_extends_it() {
    namespace::run(|| {
        let peer = Peer::new();
        let server = short_leases(&peer, &["--lease", "4", "--ignore-renewals"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let started = Instant::now();
            let client = client::spawn(config(), true, sender).unwrap();
            let lease = acquired(next(&mut events, SOON).await);
            set_address(&lease);
            server.printed();

            assert_eq!(next(&mut events, SOON).await, lost(LeaseLoss::Expired));
            let after = started.elapsed().as_secs_f64();
            assert!(after >= 4.0, "the lease lasts 4 s: {after}");
            let asked: Vec<String> = server
                .printed()
                .into_iter()
                .filter(|line| line.contains("\"request\""))
                .collect();
            assert!(
                asked
                    .iter()
                    .any(|line| line.contains(&format!("\"to\": \"{SERVER}\""))),
                "{asked:#?}"
            );
            assert!(
                asked
                    .iter()
                    .any(|line| line.contains("\"to\": \"255.255.255.255\"")),
                "{asked:#?}"
            );
            // It goes on at once, with the same wish.
            assert_eq!(
                acquired(next(&mut events, SOON).await).address,
                lease.address
            );
            client.stop(false).await.unwrap();
        });
    });
}

#[test]
fn renewed_by_broadcast_when_the_address_is_not_on_the_link() {
    namespace::run(|| {
        let peer = Peer::new();
        let server = short_leases(&peer, &["--lease", "4"]);
        // The server answers to an address that nobody has: without this it would wait for ARP.
        let hardware = std::fs::read_to_string("/sys/class/net/client0/address").unwrap();
        let first = Ipv4Addr::new(192, 0, 2, 50).to_string();
        peer.run(&[
            "ip",
            "neigh",
            "replace",
            &first,
            "lladdr",
            hardware.trim(),
            "dev",
            SERVER_LINK,
        ]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let _client = client::spawn(config(), true, sender).unwrap();
            acquired(next(&mut events, SOON).await);
            let started = Instant::now();
            assert!(matches!(
                next(&mut events, SOON).await,
                LeaseEvent::Renewed(_)
            ));
            let after = started.elapsed().as_secs_f64();
            assert!((3.4..3.9).contains(&after), "T2 is 3.5 s: {after}");
            assert!(
                server
                    .printed()
                    .join("\n")
                    .contains("\"to\": \"255.255.255.255\"")
            );
        });
    });
}

#[test]
fn replies_from_another_vlan_are_not_heard() {
    namespace::run(|| {
        let peer = Peer::new();
        let server = short_leases(&peer, &["--reply-vlan", "10"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let _client = client::spawn(config(), true, sender).unwrap();
            let heard = tokio::time::timeout(Duration::from_millis(700), events.recv()).await;
            assert!(heard.is_err(), "{heard:?}");
            server.await_line("\"offer\"");
        });
    });
}

#[test]
fn a_priority_tag_is_no_vlan() {
    namespace::run(|| {
        let peer = Peer::new();
        let _server = short_leases(&peer, &["--reply-vlan", "0"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let _client = client::spawn(config(), true, sender).unwrap();
            acquired(next(&mut events, SOON).await);
        });
    });
}

#[test]
fn a_listener_that_does_not_listen_hears_the_latest() {
    namespace::run(|| {
        let peer = Peer::new();
        let _server = short_leases(&peer, &["--lease", "4"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(1);
            // Somebody else's news fill the queue.
            sender.send(lost(LeaseLoss::Released)).await.unwrap();
            let client = client::spawn(config(), true, sender).unwrap();
            let mut acquired_at = None;
            let began = Instant::now();
            while acquired_at.is_none() && began.elapsed() < SOON {
                tokio::time::sleep(Duration::from_millis(10)).await;
                acquired_at = held(&client).map(|lease| set_address(&lease));
            }
            // Long enough for a renewal.
            tokio::time::sleep(Duration::from_millis(2500)).await;
            assert_eq!(next(&mut events, SOON).await, lost(LeaseLoss::Released));
            let lease = acquired(next(&mut events, SOON).await);
            assert_eq!(
                Some(lease.address),
                held(&client).map(|lease| lease.address)
            );
        });
    });
}
