// SPDX-License-Identifier: Apache-2.0

//! The few system calls that Nipart needs and no safe crate offers.
//!
//! This is the only crate of the project that may contain `unsafe` code. It stays small enough to be read in one
//! sitting: every function wraps one system call, takes borrowed descriptors, and gives back plain values. What
//! `rustix` can do is done with `rustix`, elsewhere.
//!
//! * [`filter`]: classic BPF programs on a socket (`SO_ATTACH_FILTER`).
//! * [`memory`]: giving freed memory back.
//! * [`machine_id`]: what stays the same on one machine.
//! * [`packet`]: packet sockets: bind, send, receive with `PACKET_AUXDATA`.
//! * [`interface`]: hardware address and MTU of a link, and tying a socket to a link.
//! * [`tun`]: making tun and tap devices.
//! * [`watched`]: a descriptor that tokio watches.

pub mod filter;
pub mod interface;
pub mod machine_id;
pub mod memory;
pub mod packet;
pub mod tun;
pub mod watched;

use std::io;

/// Turns the `-1` convention of the C library into an error with the thread's `errno`.
pub(crate) fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
