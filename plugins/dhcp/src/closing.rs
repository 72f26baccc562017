// SPDX-License-Identifier: Apache-2.0

//! Closing what takes long to close.

use std::os::fd::OwnedFd;

/// Closes a packet socket, which waits for an RCU grace period (8 to 27 ms), on a thread for blocking work. Without a runtime
/// it is closed here and now.
pub(crate) fn elsewhere(descriptor: OwnedFd) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(move || drop(descriptor))),
        Err(_) => drop(descriptor),
    }
}
