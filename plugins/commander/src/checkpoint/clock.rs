// SPDX-License-Identifier: Apache-2.0

//! When a checkpoint ends, by the clock that goes on while no process of ours runs.

use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::{Checkpoint, Moment};
use tokio::time::Instant;

/// Now, by the clock that counts suspend.
///
/// # Errors
/// When `/proc` can't be read.
pub fn now() -> Result<Moment, NipartError> {
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("read /proc/sys/kernel/random/boot_id: {error}"),
        )
    })?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let milliseconds = u64::try_from(now.tv_sec).unwrap_or(0) * 1000
        + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
    Ok(Moment {
        boot_id: boot_id.trim().to_string(),
        milliseconds,
    })
}

/// When a checkpoint that was found on disk ends: none when its boot is over, or its time.
pub fn deadline_of(checkpoint: &Checkpoint) -> Option<Instant> {
    let now = now().ok()?;
    let left = checkpoint.deadline_ms.checked_sub(now.milliseconds)?;
    (checkpoint.boot_id == now.boot_id).then(|| Instant::now() + Duration::from_millis(left))
}

/// How long ago that was; for ever, when it was in another boot.
pub fn time_since(moment: &Moment) -> Duration {
    match now() {
        Ok(now) if now.boot_id == moment.boot_id => {
            Duration::from_millis(now.milliseconds.saturating_sub(moment.milliseconds))
        }
        _ => Duration::MAX,
    }
}
