// SPDX-License-Identifier: Apache-2.0

use nipart_plugin_sdk::codec;
use nipart_schemas::event::{EventData, NipartEvent, Role};

use super::*;

fn push(ring: &mut TraceRing, event: &NipartEvent, at_us: u64) {
    ring.push(Arc::new(record(&codec::envelope(event), 100, at_us)));
}

/// A client's question, one that follows from it, and both answers.
fn chain() -> [NipartEvent; 4] {
    let root = NipartEvent::root(Role::Client, Role::Commander, EventData::Cancel);
    let part = root.follow_up(Role::Commander, Role::Kernel, EventData::QueryLeases);
    let parted = part.answer(EventData::Done);
    let done = root.answer(EventData::Done);
    [root, part, parted, done]
}

#[test]
fn a_chain_is_remembered_and_summed_up() {
    let mut ring = TraceRing::new(100, 1 << 20);
    let events = chain();
    for (event, at_us) in events.iter().zip([1000, 1010, 1500, 2000]) {
        push(&mut ring, event, at_us);
        let [summary] = &ring.summaries(10)[..] else {
            panic!("one chain");
        };
        let open = at_us < 2000;
        assert_eq!(
            summary.state,
            if open {
                EventState::Todo
            } else {
                EventState::Done
            }
        );
    }
    let summary = &ring.summaries(10)[0];
    assert_eq!(summary.id, events[0].uuid.to_string());
    assert_eq!(
        (summary.kind.as_str(), summary.events, summary.bytes),
        ("cancel", 4, 400)
    );
    assert_eq!((summary.started_us, summary.duration_us), (1000, 1000));
    let records = ring.chain(events[0].chain);
    assert_eq!(records.len(), 4);
    assert_eq!(records[1].receiver, Role::Kernel);
}

#[test]
fn the_newest_chains_come_first() {
    let mut ring = TraceRing::new(100, 1 << 20);
    let chains: Vec<_> = (0..5).map(|_| chain()).collect();
    for (event, at_us) in chains.iter().map(|chain| &chain[0]).zip(0..) {
        push(&mut ring, event, at_us);
    }
    let ids: Vec<_> = ring
        .summaries(2)
        .into_iter()
        .map(|summary| summary.id)
        .collect();
    assert_eq!(
        ids,
        [chains[4][0].uuid.to_string(), chains[3][0].uuid.to_string()]
    );
}

#[test]
fn the_ring_is_bounded_by_count_and_by_memory() {
    let events: Vec<_> = (0..50).flat_map(|_| chain()).collect();
    let mut by_count = TraceRing::new(10, 1 << 20);
    let mut by_memory = TraceRing::new(1000, 4096);
    for event in &events {
        push(&mut by_count, event, 0);
        push(&mut by_memory, event, 0);
    }
    assert_eq!(by_count.records.len(), 10);
    assert!(by_memory.records.len() < 30 && by_memory.memory <= 4096);
    let memory: usize = by_memory
        .records
        .iter()
        .map(|record| memory_of(record))
        .sum();
    assert_eq!(memory, by_memory.memory);
}
