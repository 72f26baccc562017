// SPDX-License-Identifier: Apache-2.0

//! Dumps that are disturbed: by changes, by each other, by their deadline.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "failing loudly is how tests report"
)]

#[path = "support/messages.rs"]
mod support;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nipart_netlink::{
    DumpOptions, DumpSocket, LinkFilter, NetlinkError, NetlinkRequest, OnFailure,
};
use nipart_tests::namespace;
use support::*;

/// Tells the disturbing thread to stop, also when the test fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A second thread keeps changing addresses while the first dumps them.
#[test]
fn interrupted_dumps_are_repeated() {
    namespace::run(|| {
        let stop = AtomicBool::new(false);
        block_on(async {
            let apply = apply_socket();
            let requests = (0..3000u16)
                .map(|number| {
                    let [high, low] = number.to_be_bytes();
                    NetlinkRequest::add_address(address(1, Ipv4Addr::new(10, 0, high, low)))
                })
                .collect();
            assert!(
                apply
                    .execute(requests, OnFailure::Continue)
                    .await
                    .iter()
                    .all(Result::is_ok)
            );
        });
        std::thread::scope(|scope| {
            scope.spawn(|| {
                block_on(async {
                    let apply = apply_socket();
                    while !stop.load(Ordering::Relaxed) {
                        let extra = address(1, Ipv4Addr::new(10, 9, 9, 9));
                        apply
                            .execute_one(NetlinkRequest::add_address(extra.clone()))
                            .await
                            .unwrap();
                        apply
                            .execute_one(NetlinkRequest::delete_address(extra))
                            .await
                            .unwrap();
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                });
            });
            let _stop = StopOnDrop(&stop);
            block_on(async {
                let once = DumpSocket::open(DumpOptions {
                    attempts: 1,
                    ..DumpOptions::default()
                })
                .unwrap();
                let mut interrupted = 0;
                for _ in 0..100 {
                    match once.addresses(None).await {
                        Ok(_) => {}
                        Err(NetlinkError::Interrupted { attempts: 1, .. }) => interrupted += 1,
                        Err(other) => panic!("{other}"),
                    }
                }
                println!("{interrupted} of 100 dumps were interrupted");
                assert!(interrupted > 0);

                let patient = DumpSocket::open(DumpOptions {
                    attempts: 100,
                    ..DumpOptions::default()
                })
                .unwrap();
                for _ in 0..20 {
                    let count = patient.addresses(None).await.unwrap().len();
                    assert!((3000..=3001).contains(&count), "{count}");
                }
                let careless = DumpSocket::open(DumpOptions {
                    attempts: 1,
                    accept_interrupted: true,
                    ..DumpOptions::default()
                })
                .unwrap();
                for _ in 0..20 {
                    careless.addresses(None).await.unwrap();
                }
            });
        });
    });
}

#[test]
fn concurrent_questions_queue_up() {
    namespace::run(|| {
        block_on(async {
            let apply = apply_socket();
            assert!(
                apply
                    .execute(veth_pairs(0..100), OnFailure::Continue)
                    .await
                    .iter()
                    .all(Result::is_ok)
            );
            let dump = dump_socket();
            let (links, addresses, more, one) = tokio::join!(
                dump.links(),
                dump.addresses(None),
                dump.links(),
                dump.link("v7", LinkFilter::default())
            );
            assert_eq!(links.unwrap().len(), 201);
            assert_eq!(addresses.unwrap().len(), 0);
            assert_eq!(more.unwrap().len(), 201);
            assert!(one.unwrap().is_some());
        });
    });
}

#[test]
fn dump_deadline_passes_and_the_socket_recovers() {
    namespace::run(|| {
        block_on(async {
            assert!(
                apply_socket()
                    .execute(veth_pairs(0..300), OnFailure::Continue)
                    .await
                    .iter()
                    .all(Result::is_ok)
            );
            let hasty = DumpSocket::open(DumpOptions {
                limit: Duration::from_micros(200),
                ..DumpOptions::default()
            })
            .unwrap();
            let mut timeouts = 0;
            for _ in 0..10 {
                match hasty.links().await {
                    Err(
                        NetlinkError::Timeout { .. }
                        | NetlinkError::Stuck { .. }
                        | NetlinkError::Busy { .. },
                    ) => timeouts += 1,
                    Err(other) => panic!("{other}"),
                    Ok(links) => assert_eq!(links.len(), 601),
                }
            }
            println!("{timeouts} of 10 timed out");
            assert!(timeouts > 0);
            assert_eq!(dump_socket().links().await.unwrap().len(), 601);
        });
    });
}
