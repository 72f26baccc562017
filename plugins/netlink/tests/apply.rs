// SPDX-License-Identifier: Apache-2.0

//! Changes in batches, and what comes back when they fail or take too long.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "failing loudly is how tests report"
)]

#[path = "support/messages.rs"]
mod support;

use std::time::{Duration, Instant};

use nipart_netlink::packet::link::InfoKind;
use nipart_netlink::{ApplyOptions, ApplySocket, NetlinkError, NetlinkRequest, OnFailure};
use nipart_tests::namespace;
use support::*;

#[test]
fn creates_300_veth_pairs() {
    namespace::run(|| {
        block_on(async {
            let results = apply_socket()
                .execute(veth_pairs(0..300), OnFailure::StopAfterBatch)
                .await;
            assert_eq!(results, vec![Ok(()); 300]);
        });
        assert_eq!(ip_json(&["link", "show", "type", "veth"]).len(), 600);
    });
}

#[test]
fn errors_carry_their_position_and_text() {
    namespace::run(|| {
        block_on(async {
            let apply = apply_socket();
            let mut requests = veth_pairs(0..100);
            requests[10] = set_mtu("v9", 20);
            requests[11] = NetlinkRequest::create_link(veth("v3", "other"));
            requests[70] = set_mtu("nonesuch", 1500);
            requests[71] =
                NetlinkRequest::create_link(link("strange", InfoKind::Other("nipart".to_owned())));
            let results = apply.execute(requests, OnFailure::Continue).await;
            let failed: Vec<usize> = (0..100).filter(|index| results[*index].is_err()).collect();
            assert_eq!(failed, [10, 11, 70, 71]);

            let refused = results[10].clone().unwrap_err();
            println!(
                "{refused}\n{}\n{}",
                results[70].clone().unwrap_err(),
                results[71].clone().unwrap_err()
            );
            let kernel = refused.kernel().unwrap();
            assert!(
                kernel
                    .text
                    .as_deref()
                    .unwrap()
                    .to_lowercase()
                    .contains("mtu"),
                "{refused}"
            );
            assert!(results[11].clone().unwrap_err().is_exists());
            assert!(results[70].clone().unwrap_err().is_not_found());
            let unknown = results[71].clone().unwrap_err();
            assert_eq!(
                unknown.to_string(),
                "Operation not supported (EOPNOTSUPP): Unknown device type"
            );
        });
        assert_eq!(ip_json(&["link", "show", "type", "veth"]).len(), 192);
    });
}

#[test]
fn stops_after_the_batch_with_a_failure() {
    namespace::run(|| {
        block_on(async {
            let mut requests = veth_pairs(0..150);
            requests.insert(5, NetlinkRequest::create_link(veth("v1", "other")));
            let results = apply_socket()
                .execute(requests, OnFailure::StopAfterBatch)
                .await;
            assert_eq!(results.len(), 151);
            assert!(results[5].clone().unwrap_err().is_exists());
            assert!(
                results[..64]
                    .iter()
                    .enumerate()
                    .all(|(index, result)| index == 5 || result.is_ok())
            );
            assert!(
                results[64..]
                    .iter()
                    .all(|result| *result == Err(NetlinkError::NotSent))
            );
        });
        assert_eq!(ip_json(&["link", "show", "type", "veth"]).len(), 126);
    });
}

/// Deleting takes the kernel far longer than the limit here.
#[test]
fn late_answers_are_errors_and_the_socket_recovers() {
    namespace::run(|| {
        block_on(async {
            let created = apply_socket()
                .execute(veth_pairs(0..64), OnFailure::Continue)
                .await;
            assert_eq!(created, vec![Ok(()); 64]);

            let hasty = ApplySocket::open(ApplyOptions {
                batch_limit: Duration::from_millis(10),
                ..ApplyOptions::default()
            })
            .unwrap();
            let deletions = (0..64)
                .map(|number| NetlinkRequest::delete_link(named(&format!("v{number}"))))
                .collect();
            let started = Instant::now();
            let results = hasty.execute(deletions, OnFailure::Continue).await;
            let waited = started.elapsed();
            println!("gave up after {waited:?}");
            assert!(waited < Duration::from_millis(600), "{waited:?}");
            assert_eq!(results.len(), 64);
            for result in results {
                let error = result.unwrap_err();
                assert!(matches!(error, NetlinkError::Timeout { .. }), "{error}");
                assert!(error.is_outcome_unknown());
            }

            // The abandoned batch goes on in the kernel; a new socket is served as soon as that lets go.
            let patient = apply_socket();
            patient
                .execute_one(NetlinkRequest::create_link(veth("after", "later")))
                .await
                .unwrap();
            let dump = dump_socket();
            let deadline = Instant::now() + Duration::from_secs(60);
            while dump.links().await.unwrap().len() > 3 {
                assert!(Instant::now() < deadline, "the deletions were lost");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let mut last = Err(NetlinkError::NotSent);
            for _ in 0..50 {
                last = hasty.execute_one(set_mtu("after", 1400)).await;
                if last.is_ok() {
                    break;
                }
            }
            assert_eq!(last, Ok(()));
        });
    });
}

#[test]
fn lost_acks_are_errors_and_no_hang() {
    namespace::run(|| {
        block_on(async {
            let cramped = ApplySocket::open(ApplyOptions {
                receive_buffer: 1,
                ..ApplyOptions::default()
            })
            .unwrap();
            let started = Instant::now();
            let results = cramped
                .execute(veth_pairs(0..64), OnFailure::Continue)
                .await;
            assert!(started.elapsed() < Duration::from_secs(5));
            let answered = results.iter().filter(|result| result.is_ok()).count();
            println!("{answered} of 64 acks fitted");
            assert!(answered < 64);
            for error in results.into_iter().filter_map(Result::err) {
                assert!(matches!(error, NetlinkError::AnswersLost { .. }), "{error}");
            }
            // One ack fits, and the new socket is free of the old one's trouble.
            cramped.execute_one(set_mtu("v0", 1400)).await.unwrap();
        });
        // The changes themselves were made.
        assert_eq!(ip_json(&["link", "show", "type", "veth"]).len(), 128);
    });
}

#[test]
fn event_loop_stays_responsive_and_cancelling_is_harmless() {
    namespace::run(|| {
        block_on(async {
            let apply = apply_socket();
            let mut longest = Duration::ZERO;
            let mut last = Instant::now();
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            let all = async {
                assert!(
                    apply
                        .execute(veth_pairs(0..64), OnFailure::Continue)
                        .await
                        .iter()
                        .all(Result::is_ok)
                );
                let deletions = (0..20)
                    .map(|number| NetlinkRequest::delete_link(named(&format!("v{number}"))))
                    .collect();
                assert!(
                    apply
                        .execute(deletions, OnFailure::Continue)
                        .await
                        .iter()
                        .all(Result::is_ok)
                );
            };
            tokio::pin!(all);
            loop {
                tokio::select! {
                    () = &mut all => break,
                    _ = ticks.tick() => {
                        longest = longest.max(last.elapsed());
                        last = Instant::now();
                    }
                }
            }
            println!("longest pause of the event loop: {longest:?}");
            assert!(longest < Duration::from_millis(500), "{longest:?}");

            let deletions = (20..64)
                .map(|number| NetlinkRequest::delete_link(named(&format!("v{number}"))))
                .collect();
            let cancelled = tokio::time::timeout(
                Duration::from_millis(1),
                apply.execute(deletions, OnFailure::Continue),
            )
            .await;
            assert!(cancelled.is_err());
            apply
                .execute_one(NetlinkRequest::create_link(veth("after", "later")))
                .await
                .unwrap();
        });
    });
}

#[test]
fn oversized_requests_are_refused_by_the_socket() {
    namespace::run(|| {
        block_on(async {
            let apply = apply_socket();
            let huge = NetlinkRequest::raw(16, 0, vec![0; 4 << 20]);
            let error = apply.execute_one(huge).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "sending to the kernel: Message too long (EMSGSIZE)"
            );
            apply.execute_one(set_up("lo")).await.unwrap();
        });
    });
}
