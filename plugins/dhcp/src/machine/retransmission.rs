// SPDX-License-Identifier: Apache-2.0

//! Waits that do not depend on the version of the protocol.

use std::time::Duration;

use crate::clock::Random;

/// Longest wait after refusals or conflicts.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Shortest wait after a conflict.
const CONFLICT_WAIT: Duration = Duration::from_secs(10);
/// The wait is longer by up to this, in milliseconds: servers that come back are not asked by everybody at once.
const JITTER: u32 = 1000;

/// Wait after the `refusals`-th refusal in a row: none, then about 2, 4, 8 … 300 s.
///
/// The first refusal is an ordinary answer to a stale address. A server that goes on refusing is misconfigured, and must
/// not be asked in a tight loop.
pub(crate) fn wait_after_refusal(refusals: u32, random: &mut dyn Random) -> Duration {
    match refusals {
        0 | 1 => Duration::ZERO,
        _ => {
            let wait = Duration::from_secs(1 << (refusals - 1).min(16)).min(LONGEST_WAIT);
            wait + Duration::from_millis((random.number() % JITTER).into())
        }
    }
}

/// Wait after another host turned out to have a leased address for the `conflicts`-th time in a row, before one is asked
/// for again: about 10 s (RFC 2131 §3.1, step 5; RFC 8415 says nothing), 20, 40 … 300 s. Where somebody answers for every
/// address, each try costs the server one.
pub(crate) fn wait_after_conflict(conflicts: u32, random: &mut dyn Random) -> Duration {
    let wait = CONFLICT_WAIT * (1 << conflicts.saturating_sub(1).min(8));
    wait.min(LONGEST_WAIT) + Duration::from_millis((random.number() % JITTER).into())
}

/// The earlier of two times, where `None` is never.
pub(crate) fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
