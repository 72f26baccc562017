// SPDX-License-Identifier: Apache-2.0

//! What systemd is told. Without systemd nothing of it happens.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// All plugins have run.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The end has begun.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// We don't hang.
pub(crate) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// When to say that we don't hang: twice in the time that systemd allows.
pub(crate) fn watchdog() -> Option<Interval> {
    let allowed = sd_notify::watchdog_enabled()?;
    let mut interval = interval((allowed / 2).max(Duration::from_millis(1)));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(interval)
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot notify systemd: {error}");
    }
}
