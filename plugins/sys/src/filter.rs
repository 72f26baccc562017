// SPDX-License-Identifier: Apache-2.0

//! Classic BPF programs on a socket, so that packets that nobody asked for wake nobody up.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// One instruction of a classic BPF program (`struct sock_filter` in `linux/filter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to skip when a comparison holds.
    pub jump_true: u8,
    /// How many instructions to skip when a comparison does not hold.
    pub jump_false: u8,
    /// The operand.
    pub operand: u32,
}

/// Attaches `program` to `socket` (`SO_ATTACH_FILTER`), replacing a program that it had.
///
/// # Errors
/// `InvalidInput` for more than 4096 instructions; the kernel's own error when it refuses the program.
pub fn attach_filter(socket: impl AsFd, program: &[Instruction]) -> io::Result<()> {
    let mut raw: Vec<libc::sock_filter> = program
        .iter()
        .map(|instruction| libc::sock_filter {
            code: instruction.code,
            jt: instruction.jump_true,
            jf: instruction.jump_false,
            k: instruction.operand,
        })
        .collect();
    // BPF_MAXINSNS of the kernel.
    let length = u16::try_from(raw.len())
        .ok()
        .filter(|length| *length <= 4096);
    let Some(length) = length else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the filter program is too long",
        ));
    };
    let descriptor = libc::sock_fprog {
        len: length,
        filter: raw.as_mut_ptr(),
    };
    // SAFETY: `descriptor` is a valid sock_fprog that lives across the call, its pointer names `length` initialised
    // instructions in `raw`, which lives as long; the kernel copies both and keeps no pointer.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const descriptor).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    crate::check(result)
}
