// SPDX-License-Identifier: Apache-2.0

//! Listening, and listening too late.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "failing loudly is how tests report"
)]

#[path = "support/messages.rs"]
mod support;

use std::net::Ipv4Addr;
use std::time::Duration;

use nipart_netlink::packet::RouteNetlinkMessage;
use nipart_netlink::packet::link::InfoKind;
use nipart_netlink::{
    MonitorEvent, MonitorGroup, MonitorOptions, MonitorSocket, NetlinkRequest, OnFailure,
};
use nipart_tests::namespace;
use support::*;

/// Everything heard until nothing comes for a while.
async fn hear(monitor: &mut MonitorSocket) -> Vec<MonitorEvent> {
    let mut all = Vec::new();
    while let Ok(events) =
        tokio::time::timeout(Duration::from_millis(300), monitor.receive(100)).await
    {
        let events = events.unwrap();
        assert!(!events.is_empty());
        all.extend(events);
    }
    all
}

fn new_links(events: &[MonitorEvent]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match event {
            MonitorEvent::Message(message) => match message.as_ref() {
                RouteNetlinkMessage::NewLink(link) => Some(name_of(link)),
                _ => None,
            },
            MonitorEvent::Overrun => None,
        })
        .collect()
}

#[test]
fn hears_links_addresses_and_routes() {
    namespace::run(|| {
        block_on(async {
            let mut monitor = MonitorSocket::open(&MonitorOptions::default()).unwrap();
            let apply = apply_socket();
            apply.execute_one(set_up("lo")).await.unwrap();
            apply
                .execute_one(NetlinkRequest::create_link(link("br0", InfoKind::Bridge)))
                .await
                .unwrap();
            apply
                .execute_one(NetlinkRequest::add_address(address(
                    1,
                    Ipv4Addr::new(10, 0, 0, 1),
                )))
                .await
                .unwrap();
            apply
                .execute_one(NetlinkRequest::delete_link(named("br0")))
                .await
                .unwrap();
            let events = hear(&mut monitor).await;
            assert!(new_links(&events).contains(&"br0"));
            let heard = |wanted: fn(&RouteNetlinkMessage) -> bool| {
                events
                    .iter()
                    .any(|event| matches!(event, MonitorEvent::Message(message) if wanted(message)))
            };
            assert!(heard(RouteNetlinkMessage::is_new_address));
            assert!(heard(RouteNetlinkMessage::is_new_route));
            assert!(heard(RouteNetlinkMessage::is_del_link));
            assert!(!events.contains(&MonitorEvent::Overrun));
        });
    });
}

#[test]
fn hears_only_the_groups_asked_for() {
    namespace::run(|| {
        block_on(async {
            let mut monitor = MonitorSocket::open(&MonitorOptions {
                groups: vec![MonitorGroup::Ipv4Address],
                ..MonitorOptions::default()
            })
            .unwrap();
            let apply = apply_socket();
            apply.execute_one(set_up("lo")).await.unwrap();
            apply
                .execute_one(NetlinkRequest::add_address(address(
                    1,
                    Ipv4Addr::new(10, 0, 0, 1),
                )))
                .await
                .unwrap();
            let events = hear(&mut monitor).await;
            assert!(!events.is_empty());
            assert!(events.iter().all(|event| matches!(
                event,
                MonitorEvent::Message(message) if matches!(message.as_ref(), RouteNetlinkMessage::NewAddress(_))
            )));
        });
    });
}

#[test]
fn starved_monitor_reports_an_overrun_and_goes_on() {
    namespace::run(|| {
        block_on(async {
            let mut monitor = MonitorSocket::open(&MonitorOptions {
                groups: vec![MonitorGroup::Link],
                receive_buffer: 16 * 1024,
            })
            .unwrap();
            let apply = apply_socket();
            for round in 0..3u32 {
                let first = round * 100;
                let results = apply
                    .execute(veth_pairs(first..first + 50), OnFailure::Continue)
                    .await;
                assert!(results.iter().all(Result::is_ok));
                let events = hear(&mut monitor).await;
                println!("round {round}: {} events", events.len());
                let overruns = events
                    .iter()
                    .filter(|event| **event == MonitorEvent::Overrun)
                    .count();
                assert_eq!(overruns, 1);

                // What happens after the overrun is heard, each and every one.
                let name = format!("after{round}");
                apply
                    .execute_one(NetlinkRequest::create_link(link(&name, InfoKind::Bridge)))
                    .await
                    .unwrap();
                let events = hear(&mut monitor).await;
                assert_eq!(new_links(&events), [name]);
            }
        });
    });
}
