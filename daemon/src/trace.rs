// SPDX-License-Identifier: Apache-2.0

//! The trace ring: the events that passed lately, within bounds.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nipart_plugin_sdk::codec::Envelope;
use nipart_schemas::event::EventState;
use nipart_schemas::trace::{TraceRecord, TraceSummary};
use tokio::time::Instant;
use uuid::Uuid;

/// Wall-clock time that never steps back: read once, then counted on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    epoch_us: u64,
    base: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self {
            epoch_us: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX),
            base: Instant::now(),
        }
    }

    pub(crate) fn microseconds(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.base).as_micros();
        self.epoch_us
            .saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }
}

/// The record of an event that passes.
pub(crate) fn record(envelope: &Envelope, bytes: usize, at_us: u64) -> TraceRecord {
    TraceRecord {
        uuid: envelope.uuid,
        ref_uuid: envelope.ref_uuid,
        chain: envelope.chain,
        kind: envelope.kind.clone(),
        state: envelope.state,
        sender: envelope.sender.clone(),
        receiver: envelope.receiver.clone(),
        bytes,
        at_us,
    }
}

/// The newest records, bounded by their count and by the memory that they take.
#[derive(Debug)]
pub(crate) struct TraceRing {
    records: VecDeque<Arc<TraceRecord>>,
    memory: usize,
    max_records: usize,
    max_memory: usize,
}

impl TraceRing {
    pub(crate) fn new(max_records: usize, max_memory: usize) -> Self {
        Self {
            records: VecDeque::new(),
            memory: 0,
            max_records,
            max_memory,
        }
    }

    /// Remembers one more, and forgets the oldest ones for it.
    pub(crate) fn push(&mut self, record: Arc<TraceRecord>) {
        self.memory += memory_of(&record);
        self.records.push_back(record);
        while self.records.len() > self.max_records || self.memory > self.max_memory {
            let Some(oldest) = self.records.pop_front() else {
                return;
            };
            self.memory -= memory_of(&oldest);
        }
    }

    /// The events of a chain, oldest first.
    pub(crate) fn chain(&self, chain: Uuid) -> Vec<TraceRecord> {
        self.records
            .iter()
            .filter(|record| record.chain == chain)
            .map(|record| record.as_ref().clone())
            .collect()
    }

    /// The newest chains, newest first, at most `limit`.
    pub(crate) fn summaries(&self, limit: usize) -> Vec<TraceSummary> {
        let mut places: HashMap<Uuid, usize> = HashMap::new();
        let mut summaries: Vec<TraceSummary> = Vec::new();
        for record in &self.records {
            let place = *places.entry(record.chain).or_insert_with(|| {
                summaries.push(TraceSummary {
                    id: record.chain.to_string(),
                    kind: record.kind.clone(),
                    started_us: record.at_us,
                    duration_us: 0,
                    state: record.state,
                    events: 0,
                    bytes: 0,
                });
                summaries.len() - 1
            });
            if let Some(summary) = summaries.get_mut(place) {
                summary.events += 1;
                summary.bytes += record.bytes;
                summary.duration_us = record.at_us.saturating_sub(summary.started_us);
                let about_root = record.ref_uuid == Some(record.chain);
                let closes = matches!(
                    record.state,
                    EventState::Done | EventState::Failed | EventState::Cancelled
                );
                if about_root && closes {
                    summary.state = record.state;
                }
            }
        }
        summaries.reverse();
        summaries.truncate(limit);
        summaries
    }
}

fn memory_of(record: &TraceRecord) -> usize {
    size_of::<TraceRecord>()
        + record.kind.capacity()
        + record.sender.as_str().len()
        + record.receiver.as_str().len()
}

#[cfg(test)]
mod tests;
