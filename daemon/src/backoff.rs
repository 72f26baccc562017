// SPDX-License-Identifier: Apache-2.0

//! When a plugin that ended is started again. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::settings::RestartSettings;

/// The restarts of one plugin.
#[derive(Debug)]
pub(crate) struct Backoff {
    settings: RestartSettings,
    /// Since it last ran for long enough.
    in_a_row: u32,
    /// Within the window.
    recent: VecDeque<Instant>,
}

impl Backoff {
    pub(crate) fn new(settings: RestartSettings) -> Self {
        Self {
            settings,
            in_a_row: 0,
            recent: VecDeque::new(),
        }
    }

    /// How long to wait before the next start, or none if the plugin is given up.
    pub(crate) fn next(&mut self, now: Instant, ran_for: Duration) -> Option<Duration> {
        if ran_for >= Duration::from_millis(self.settings.stable_after_ms) {
            self.in_a_row = 0;
        }
        let window = Duration::from_millis(self.settings.window_ms);
        while self
            .recent
            .front()
            .is_some_and(|restart| now.saturating_duration_since(*restart) > window)
        {
            self.recent.pop_front();
        }
        if self.recent.len() >= self.settings.limit as usize {
            return None;
        }
        self.recent.push_back(now);
        let delay = match self.in_a_row {
            0 => 0,
            restarts => self
                .settings
                .first_delay_ms
                .saturating_mul(1_u64.checked_shl(restarts - 1).unwrap_or(u64::MAX))
                .min(self.settings.longest_delay_ms),
        };
        self.in_a_row += 1;
        Some(Duration::from_millis(delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(backoff: &mut Backoff, ran_for: Duration, count: usize) -> Vec<Option<u64>> {
        let now = Instant::now();
        (0..count)
            .map(|_| {
                backoff
                    .next(now, ran_for)
                    .map(|delay| u64::try_from(delay.as_millis()).unwrap())
            })
            .collect()
    }

    #[test]
    fn first_restart_is_at_once_then_delays_double_until_given_up() {
        let mut backoff = Backoff::new(RestartSettings {
            limit: 6,
            longest_delay_ms: 500,
            ..RestartSettings::default()
        });
        assert_eq!(
            delays(&mut backoff, Duration::ZERO, 7),
            [
                Some(0),
                Some(100),
                Some(200),
                Some(400),
                Some(500),
                Some(500),
                None
            ]
        );
    }

    #[test]
    fn a_plugin_that_ran_for_long_starts_afresh() {
        let mut backoff = Backoff::new(RestartSettings::default());
        delays(&mut backoff, Duration::ZERO, 3);
        assert_eq!(delays(&mut backoff, Duration::from_secs(60), 1), [Some(0)]);
    }

    #[test]
    fn old_restarts_leave_the_window() {
        let mut backoff = Backoff::new(RestartSettings {
            limit: 1,
            ..RestartSettings::default()
        });
        let now = Instant::now();
        assert!(backoff.next(now, Duration::ZERO).is_some());
        assert!(backoff.next(now, Duration::ZERO).is_none());
        let later = now + Duration::from_secs(301);
        assert!(backoff.next(later, Duration::ZERO).is_some());
    }
}
