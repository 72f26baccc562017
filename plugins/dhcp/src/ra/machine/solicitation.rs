// SPDX-License-Identifier: Apache-2.0

//! When routers are asked, and asked again.

use std::time::Duration;

use crate::clock::Random;

/// RTR_SOLICITATION_INTERVAL and IRT (RFC 4861 §10, RFC 7559 §2): after the first and the second time.
const INTERVAL: Duration = Duration::from_secs(4);
/// MAX_RTR_SOLICITATIONS (RFC 4861 §10): asked so often, a router would have answered.
const PATIENT: u32 = 3;
/// MRT (RFC 7559 §2).
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Asking under way.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    sent: u32,
    /// When to ask next.
    pub(super) again_at: Duration,
    wait: Duration,
}

impl Asking {
    /// To be asked at `now`, for the first time.
    pub(super) fn from(now: Duration) -> Asking {
        Asking {
            sent: 0,
            again_at: now,
            wait: INTERVAL,
        }
    }

    /// It is asked at `now`.
    pub(super) fn asked(&mut self, now: Duration, random: &mut dyn Random) {
        self.sent = self.sent.saturating_add(1);
        if self.sent > PATIENT {
            // From 1.9 to 2.1 times as long as before.
            let jitter = (f64::from(random.number() % 2001) - 1000.0) / 10_000.0;
            self.wait = self.wait.mul_f64(2.0 + jitter).min(LONGEST_WAIT);
        }
        self.again_at = now + self.wait;
    }

    /// Whether it is time to believe that there is no router, for the first time.
    pub(super) fn is_in_vain(&self) -> bool {
        self.sent == PATIENT
    }
}
