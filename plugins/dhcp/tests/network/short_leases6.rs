// SPDX-License-Identifier: Apache-2.0

//! DHCPv6 leases of seconds, from a server of our own: renewal, rebinding, expiry and a server that forgets in real time.

use std::time::{Duration, Instant};

use nipart_dhcp::events::LeaseEvent;
use nipart_dhcp::machine::StateName;
use nipart_dhcp::v6::client;
use nipart_schemas::lease::{Lease, LeaseLoss};
use nipart_tests::namespace;
use tokio::sync::mpsc;

use super::peer::{Peer, SERVER_LINK, Server, acquired6, block_on, config6, lost6, next};

const SOON: Duration = Duration::from_secs(10);

fn short_leases(peer: &Peer, more: &[&str]) -> Server {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/network/dhcpd6.py");
    let command = [&["python3", script, "--interface", SERVER_LINK], more].concat();
    peer.serve(&command, "ready")
}

#[test]
fn renewed_by_its_server() {
    namespace::run(|| {
        let peer = Peer::with_ipv6();
        let server = short_leases(&peer, &["--times", "1,2,4,6"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let client = client::spawn(config6(), true, sender).unwrap();
            let lease = acquired6(next(&mut events, SOON).await);
            let started = Instant::now();
            assert_eq!((lease.renewal_time, lease.rebinding_time), (1, 2));
            assert!(lease.addresses[0].preferred_time <= 4);
            assert!(lease.addresses[0].valid_time <= 6);
            for round in 1..=2 {
                let LeaseEvent::Renewed(Lease::Ipv6(renewed)) = next(&mut events, SOON).await
                else {
                    panic!()
                };
                assert_eq!(renewed.addresses[0].address, lease.addresses[0].address);
                let after = started.elapsed().as_secs_f64();
                let due = f64::from(round);
                assert!(
                    (due - 0.1..due + 0.6).contains(&after),
                    "T1 is 1 s: {after}"
                );
            }
            let log = server.printed().join("\n");
            assert!(log.contains("\"renew\""), "{log}");
            assert!(!log.contains("\"rebind\""), "{log}");
            client.stop(true).await.unwrap();
            let release = server.await_line("\"release\"");
            let address = lease.addresses[0].address.to_string();
            assert!(release.contains(&address), "{release}");
        });
    });
}

#[test]
fn rebound_then_expired_when_nobody_extends_it() {
    namespace::run(|| {
        let peer = Peer::with_ipv6();
        let server = short_leases(&peer, &["--times", "1,2,3,4", "--ignore", "renew,rebind"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let started = Instant::now();
            let client = client::spawn(config6(), true, sender).unwrap();
            acquired6(next(&mut events, SOON).await);
            assert_eq!(next(&mut events, SOON).await, lost6(LeaseLoss::Expired));
            let after = started.elapsed().as_secs_f64();
            assert!((3.9..5.0).contains(&after), "the lease lasts 4 s: {after}");
            let log = server.printed().join("\n");
            assert!(
                log.contains("\"renew\"") && log.contains("\"rebind\""),
                "{log}"
            );
            // It goes on at once.
            acquired6(next(&mut events, SOON).await);
            client.stop(false).await.unwrap();
        });
    });
}

#[test]
fn a_server_that_has_forgotten_the_lease_is_asked_for_it_again() {
    namespace::run(|| {
        let peer = Peer::with_ipv6();
        let server = short_leases(&peer, &["--times", "1,2,4,6", "--forget"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let client = client::spawn(config6(), true, sender).unwrap();
            acquired6(next(&mut events, SOON).await);
            let event = next(&mut events, SOON).await;
            assert!(matches!(event, LeaseEvent::Renewed(_)), "{event:?}");
            server.await_line("\"renew\"");
            server.await_line("\"request\"");
            assert_eq!(client.status().state, StateName::Bound);
        });
    });
}
