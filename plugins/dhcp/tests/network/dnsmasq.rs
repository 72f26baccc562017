// SPDX-License-Identifier: Apache-2.0

//! dnsmasq as the server: what a lease brings, how fast it comes, NAK, release, links that flap.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use nipart_dhcp::events::LeaseEvent;
use nipart_dhcp::v4::client;
use nipart_dhcp::v4::machine::StateName;
use nipart_schemas::lease::{Dhcpv4Config, Lease, LeaseLoss, LeaseProtocol, LeaseRoute};
use nipart_tests::namespace;
use tokio::sync::mpsc;

use super::peer::{LeaseFile, Peer, SERVER, Server, acquired, block_on, config, next};

const SOON: Duration = Duration::from_secs(10);

fn dnsmasq(peer: &Peer, leases: &LeaseFile, range: &str, more: &[&str]) -> Server {
    let range = format!("--dhcp-range={range},255.255.255.0,120");
    let more = [&["--no-ping", &range], more].concat();
    peer.dnsmasq(leases, &more, "DHCP, IP range")
}

#[test]
fn a_lease_with_everything() {
    namespace::run(|| {
        let peer = Peer::new();
        let leases = LeaseFile::new();
        let server = dnsmasq(
            &peer,
            &leases,
            "192.0.2.50,192.0.2.99",
            &[
                "--dhcp-option=option:router,192.0.2.1",
                "--dhcp-option=121,198.51.100.0/24,192.0.2.9,0.0.0.0/0,192.0.2.1",
                "--dhcp-option=option:dns-server,192.0.2.53,192.0.2.54",
                "--dhcp-option=option:domain-name,example.com",
                "--dhcp-option=option:domain-search,eng.example.com,example.org",
                "--dhcp-option=option:mtu,1400",
            ],
        );
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let config = Dhcpv4Config {
                hostname: Some("tester".to_owned()),
                ..config()
            };
            let client = client::spawn(config, true, sender).unwrap();
            let lease = acquired(next(&mut events, SOON).await);
            assert_eq!(lease.interface, "client0");
            assert_eq!(lease.address.octets()[..3], [192, 0, 2]);
            assert_eq!(lease.prefix_length, 24);
            assert_eq!(lease.server.to_string(), SERVER);
            let route = |destination: [u8; 4], prefix_length, gateway: [u8; 4]| LeaseRoute {
                destination: destination.into(),
                prefix_length,
                gateway: gateway.into(),
            };
            assert_eq!(
                lease.classless_routes,
                [
                    route([198, 51, 100, 0], 24, [192, 0, 2, 9]),
                    route([0, 0, 0, 0], 0, [192, 0, 2, 1])
                ]
            );
            assert!(lease.routers.is_empty(), "option 121 overrides option 3");
            assert_eq!(
                lease.dns_servers,
                [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(192, 0, 2, 54)]
            );
            assert_eq!(
                lease.dns_search,
                ["example.com", "eng.example.com", "example.org"]
            );
            assert_eq!(lease.mtu, Some(1400));
            assert_eq!(
                (lease.lease_time, lease.renewal_time, lease.rebinding_time),
                (120, 60, 105)
            );
            assert!(lease.remaining_time <= 120 && lease.remaining_time >= 118);

            let status = client.status();
            assert_eq!(status.state, StateName::Bound);
            let Some(Lease::Ipv4(held)) = status.lease() else {
                panic!("{status:?}")
            };
            assert_eq!(held.address, lease.address);
            assert!(
                leases.text().contains(&format!("{} tester", lease.address)),
                "{}",
                leases.text()
            );

            client.stop(true).await.unwrap();
            let expected = LeaseEvent::Lost {
                interface: "client0".to_owned(),
                protocol: LeaseProtocol::Dhcpv4,
                reason: LeaseLoss::Released,
            };
            assert_eq!(next(&mut events, SOON).await, expected);
            server.await_line("DHCPRELEASE");
            let address = lease.address.to_string();
            leases.until(|text| !text.contains(&address)).await;
        });
    });
}

/// Prints the time from start to lease, in milliseconds; checks no more than that it comes at once.
#[test]
fn time_to_lease() {
    namespace::run(|| {
        let peer = Peer::new();
        let leases = LeaseFile::new();
        let _server = dnsmasq(
            &peer,
            &leases,
            "192.0.2.50,192.0.2.99",
            &["--dhcp-authoritative"],
        );
        block_on(async {
            let (mut fresh, mut again) = (Vec::new(), Vec::new());
            let mut previous_address = None;
            for round in 0..40 {
                let (sender, mut events) = mpsc::channel(4);
                let config = Dhcpv4Config {
                    previous_address,
                    ..config()
                };
                let started = Instant::now();
                let client = client::spawn(config, true, sender).unwrap();
                let lease = acquired(next(&mut events, SOON).await);
                let elapsed = started.elapsed().as_secs_f64() * 1000.0;
                // In turns: from nothing, and with an address of before.
                if round % 2 == 0 {
                    &mut fresh
                } else {
                    &mut again
                }
                .push(elapsed);
                previous_address = (round % 2 == 0).then_some(lease.address);
                client.stop(false).await.unwrap();
            }
            for (name, times) in [("four messages", &mut fresh), ("two messages", &mut again)] {
                times.sort_by(f64::total_cmp);
                let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
                println!("time to lease, {name}: median {median:.2} ms, worst {worst:.2} ms");
                assert!(median < 1000.0, "a wait of seconds must have crept in");
            }
        });
    });
}

#[test]
fn a_refused_address_is_replaced_at_once() {
    namespace::run(|| {
        let peer = Peer::new();
        let leases = LeaseFile::new();
        let first = dnsmasq(
            &peer,
            &leases,
            "192.0.2.50,192.0.2.59",
            &["--dhcp-authoritative"],
        );
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let client = client::spawn(config(), true, sender).unwrap();
            let lease = acquired(next(&mut events, SOON).await);
            assert!((50..60).contains(&lease.address.octets()[3]));
            client.stop(false).await.unwrap();

            // The range moves; the server knows nothing of the old leases.
            drop(first);
            std::fs::remove_file(&leases.0).unwrap();
            let second = dnsmasq(
                &peer,
                &leases,
                "192.0.2.150,192.0.2.159",
                &["--dhcp-authoritative"],
            );
            let (sender, mut events) = mpsc::channel(4);
            let config = Dhcpv4Config {
                previous_address: Some(lease.address),
                ..config()
            };
            let started = Instant::now();
            let client = client::spawn(config, true, sender).unwrap();
            let event = next(&mut events, SOON).await;
            let reason = LeaseLoss::Refused;
            assert!(
                matches!(event, LeaseEvent::Lost { reason: lost, .. } if lost == reason),
                "{event:?}"
            );
            let lease = acquired(next(&mut events, SOON).await);
            println!(
                "NAK, then another lease: {:.2} ms",
                started.elapsed().as_secs_f64() * 1000.0
            );
            second.await_line("DHCPNAK");
            assert!((150..160).contains(&lease.address.octets()[3]), "{lease:?}");
            client.stop(true).await.unwrap();
        });
    });
}

#[test]
fn a_link_that_flaps_keeps_its_address() {
    namespace::run(|| {
        let peer = Peer::new();
        let leases = LeaseFile::new();
        let server = dnsmasq(&peer, &leases, "192.0.2.50,192.0.2.99", &[]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let client = client::spawn(config(), true, sender).unwrap();
            let lease = acquired(next(&mut events, SOON).await);

            namespace::ip(&["link", "set", "client0", "down"]);
            client.link_down().unwrap();
            let expected = LeaseEvent::Lost {
                interface: "client0".to_owned(),
                protocol: LeaseProtocol::Dhcpv4,
                reason: LeaseLoss::LinkLost,
            };
            assert_eq!(next(&mut events, SOON).await, expected);
            assert_eq!(client.status().state, StateName::Unlinked);

            server.printed();
            namespace::ip(&["link", "set", "client0", "up"]);
            client.link_up().unwrap();
            assert_eq!(
                acquired(next(&mut events, SOON).await).address,
                lease.address
            );
            let log = server.printed().join("\n");
            assert!(
                !log.contains("DHCPDISCOVER"),
                "confirmed without a new search: {log}"
            );
        });
    });
}

#[test]
fn a_client_that_waits_for_its_link() {
    namespace::run(|| {
        let peer = Peer::new();
        let leases = LeaseFile::new();
        namespace::ip(&["link", "set", "client0", "down"]);
        block_on(async {
            let (sender, mut events) = mpsc::channel(4);
            let client = client::spawn(config(), false, sender).unwrap();
            // The link is made anew meanwhile: another index, another hardware address.
            namespace::ip(&["link", "delete", "client0"]);
            drop(peer);
            let peer = Peer::new();
            let _server = dnsmasq(&peer, &leases, "192.0.2.50,192.0.2.99", &[]);
            assert_eq!(client.status().state, StateName::Unlinked);
            client.link_up().unwrap();
            acquired(next(&mut events, SOON).await);
        });
    });
}
