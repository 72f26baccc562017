// SPDX-License-Identifier: Apache-2.0

//! Tun and tap devices, which only `/dev/net/tun` makes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use crate::interface::named_request;

const DEVICE: &str = "/dev/net/tun";

/// What a device is. All that opens one must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TunFlags {
    /// Ethernet frames (`IFF_TAP`) rather than IP packets (`IFF_TUN`).
    pub is_tap: bool,
    /// Several queues (`IFF_MULTI_QUEUE`).
    pub multi_queue: bool,
}

/// Whether there may be one of the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is attached to.
    Taken,
    /// It is refused (`IFF_TUN_EXCL`).
    Refused,
}

/// Attaches to the device called `name` in the network namespace of the calling thread, and makes it if there is none
/// (`TUNSETIFF`). One that isn't made persistent goes with the file.
///
/// # Errors
/// `NotFound` where the kernel has no such devices; `EBUSY` while a program has the only queue, or for one that is there and refused; `EINVAL` when the link
/// of this name is something else; `EPERM` without `CAP_NET_ADMIN`.
pub fn attach(name: &str, flags: TunFlags, existing: Existing) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(DEVICE)?;
    let kind = if flags.is_tap {
        libc::IFF_TAP
    } else {
        libc::IFF_TUN
    };
    let queues = if flags.multi_queue {
        libc::IFF_MULTI_QUEUE
    } else {
        0
    };
    let exclusive = match existing {
        Existing::Taken => 0,
        Existing::Refused => libc::IFF_TUN_EXCL,
    };
    let mut request = named_request(name)?;
    // The kernel takes the 16 bits of a short; `IFF_TUN_EXCL` is its sign.
    let flags = kind | queues | exclusive | libc::IFF_NO_PI;
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes an ifreq; `request` is a valid one that lives across the call and is borrowed
    // by nobody else.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    crate::check(result)?;
    Ok(file)
}

/// Keeps the device when the file is closed (`TUNSETPERSIST`).
///
/// # Errors
/// What `ioctl(2)` says.
pub fn make_persistent(device: impl AsFd) -> io::Result<()> {
    set(&device, libc::TUNSETPERSIST, 1)
}

/// Lets this user attach to the device (`TUNSETOWNER`).
///
/// # Errors
/// `EINVAL` for a number that no user can have.
pub fn set_owner(device: impl AsFd, user: u32) -> io::Result<()> {
    set(&device, libc::TUNSETOWNER, user)
}

/// Lets this group attach to the device (`TUNSETGROUP`).
///
/// # Errors
/// `EINVAL` for a number that no group can have.
pub fn set_group(device: impl AsFd, group: u32) -> io::Result<()> {
    set(&device, libc::TUNSETGROUP, group)
}

fn set(device: &impl AsFd, what: libc::Ioctl, value: u32) -> io::Result<()> {
    // SAFETY: these requests take their argument by value.
    let result =
        unsafe { libc::ioctl(device.as_fd().as_raw_fd(), what, libc::c_ulong::from(value)) };
    crate::check(result)
}
