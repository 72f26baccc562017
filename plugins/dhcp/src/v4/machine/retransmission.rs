// SPDX-License-Identifier: Apache-2.0

//! How long to wait before saying something again.

use std::time::Duration;

use super::Context;
use crate::clock::Random;

/// First wait for an answer (RFC 2131 §4.1).
const FIRST_WAIT: Duration = Duration::from_secs(4);
/// How often the wait doubles: 4, 8, 16, 32, 64 s.
const DOUBLINGS: u32 = 4;
/// The wait varies by this much to either side (RFC 2131 §4.1), in milliseconds.
const JITTER: u32 = 1000;

/// A try so shortly before the end of a phase leaves no time for an answer, and is left out.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Shortest wait before a renewal is tried again (RFC 2131 §4.4.5).
const SHORTEST_RENEWAL_WAIT: Duration = Duration::from_secs(60);
/// Shortest wait when the lease is so short that 60 s would leave it one try.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Wait after transmission number `attempt`, counted from 0: 4, 8, 16, 32, 64, 64 … seconds, each ± 1 s.
pub(super) fn wait_for_answer(attempt: u32, random: &mut dyn Random) -> Duration {
    let wait = FIRST_WAIT * (1 << attempt.min(DOUBLINGS));
    wait - Duration::from_millis(JITTER.into())
        + Duration::from_millis(below(2 * JITTER + 1, random))
}

/// When to ask again for more time: after half of what is left until `end`, but not within 60 s (RFC 2131 §4.4.5).
///
/// The 60 s are meant for leases of hours. When the whole phase from `began` to `end` is shorter than 4 minutes, a
/// quarter of it (and at least 1 s) takes their place: one lost packet must not cost a short lease.
pub(super) fn next_renewal(began: Duration, end: Option<Duration>, context: &Context) -> Duration {
    let Some(end) = end else {
        // Does not happen: a lease without end is never renewed.
        return context.now + SHORTEST_RENEWAL_WAIT;
    };
    let phase = end.saturating_sub(began);
    let shortest = (phase / 4).clamp(SHORTEST_WAIT, SHORTEST_RENEWAL_WAIT);
    let left = end.saturating_sub(context.now);
    let wait = (left / 2).max(shortest);
    if wait + LAST_CALL >= left {
        return end;
    }
    context.now + wait
}

/// A number from 0 to `bound` - 1. Slightly uneven, which jitter does not mind.
fn below(bound: u32, random: &mut dyn Random) -> u64 {
    u64::from(random.number() % bound)
}
