// SPDX-License-Identifier: Apache-2.0

//! Time as leases count it: `CLOCK_BOOTTIME`, which goes on while the host sleeps and which nobody can set.
//!
//! tokio's timers stand still during suspend, so a lease could outlive its end by a night. A timerfd on the right clock
//! fires as soon as the host wakes up.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::Duration;

use nipart_sys::watched::Watched;
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

/// Time since boot, suspend included.
#[must_use]
pub fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

/// A timer on `CLOCK_BOOTTIME`.
#[derive(Debug)]
pub struct BootTimer {
    descriptor: Watched,
}

impl BootTimer {
    /// A timer that is not set.
    ///
    /// # Errors
    /// When the process is out of descriptors, or there is no tokio runtime with I/O.
    pub fn new() -> io::Result<BootTimer> {
        let descriptor = timerfd_create(
            TimerfdClockId::Boottime,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        Ok(BootTimer {
            descriptor: Watched::new(descriptor)?,
        })
    }

    /// Sets the timer to go off at `at`, at once when that has passed; `None` unsets it.
    ///
    /// # Errors
    /// What `timerfd_settime(2)` says; not known to happen.
    pub fn set(&self, at: Option<Duration>) -> io::Result<()> {
        // A value of zero would unset the timer.
        let at = at
            .map(|at| at.max(Duration::from_nanos(1)))
            .unwrap_or_default();
        let setting = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec {
                tv_sec: at.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: at.subsec_nanos().into(),
            },
        };
        timerfd_settime(&self.descriptor, TimerfdTimerFlags::ABSTIME, &setting)?;
        Ok(())
    }

    /// Waits until the timer goes off. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// When the descriptor cannot be waited for: the runtime is shutting down.
    pub async fn expired(&self) -> io::Result<()> {
        let mut count = [0; 8];
        self.descriptor
            .read_with(|descriptor| Ok(rustix::io::read(descriptor, &mut count)?))
            .await
            .map(drop)
    }
}

/// Where random numbers come from: transaction identifiers and the jitter of timers. Tests bring their own.
pub trait Random: Send {
    /// A number out of all that 32 bits can hold, each as likely as the other.
    fn number(&mut self) -> u32;
}

/// Random numbers of the kernel.
#[derive(Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn number(&mut self) -> u32 {
        let mut bytes = [0; 4];
        match getrandom(&mut bytes, GetRandomFlags::empty()) {
            Ok(4) => u32::from_ne_bytes(bytes),
            // Not known to happen. The standard library's hash keys are random too, if less freshly.
            _ => RandomState::new().build_hasher().finish() as u32,
        }
    }
}
