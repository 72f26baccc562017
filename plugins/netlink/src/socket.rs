// SPDX-License-Identifier: Apache-2.0

//! A socket that is asked things: send a batch, read answers until a deadline. Used on a worker's thread only.

use std::time::{Duration, Instant};

use netlink_sys::Socket;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use crate::error::NetlinkError;
use crate::sockopt;

/// Size in bytes of the buffer that datagrams are read into. The kernel fills at most 32 KiB of it in a dump,
/// unless a single message is longer.
const DATAGRAM_BUFFER: usize = 64 * 1024;
/// The buffer never grows beyond this: no message of the kernel is that long.
const DATAGRAM_BUFFER_MAX: usize = 16 * 1024 * 1024;

/// How a request socket is opened, kept to open the next one the same way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SocketOptions {
    /// Receive buffer in bytes.
    pub(crate) receive_buffer: usize,
    /// Whether the kernel checks the headers of questions strictly and honours filters.
    pub(crate) strict: bool,
    /// `NETLINK_*` of `linux/netlink.h`.
    pub(crate) protocol: isize,
}

/// An open socket, its sequence counter and its buffer.
pub(crate) struct RequestSocket {
    socket: Socket,
    buffer: Vec<u8>,
    sequence: u32,
    broken: bool,
}

/// What one attempt to read gave.
pub(crate) enum Received<'a> {
    /// One datagram of one or more messages.
    Datagram(&'a [u8]),
    /// The kernel had to drop answers (`ENOBUFS`); those queued before can still be read.
    Overrun,
    /// The datagram was longer than the buffer and is lost; the buffer has grown for the next.
    Truncated,
    /// Nothing is queued.
    Empty,
}

impl RequestSocket {
    pub(crate) fn open(options: SocketOptions) -> Result<Self, NetlinkError> {
        Ok(Self {
            socket: sockopt::open_request_socket(options)?,
            buffer: vec![0; DATAGRAM_BUFFER],
            sequence: 0,
            broken: false,
        })
    }

    /// A sequence number that no earlier request of this socket had, barring 4 billion requests.
    pub(crate) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Answers may still be on their way or lost: the socket must not be used for another request.
    pub(crate) fn mark_broken(&mut self) {
        self.broken = true;
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Hands a batch to the kernel, which processes it before this returns. On error nothing was processed.
    pub(crate) fn send(&mut self, batch: &[u8]) -> Result<(), NetlinkError> {
        loop {
            match rustix::net::send(&self.socket, batch, SendFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => {
                    return Err(NetlinkError::from_io(
                        "sending to the kernel",
                        &errno.into(),
                    ));
                }
            }
        }
    }

    /// Reads one datagram without waiting.
    pub(crate) fn receive(&mut self) -> Result<Received<'_>, NetlinkError> {
        loop {
            match rustix::net::recv(&self.socket, &mut self.buffer[..], RecvFlags::TRUNC) {
                Ok((_, length)) if length > self.buffer.len() => {
                    let size = length.next_power_of_two().min(DATAGRAM_BUFFER_MAX);
                    self.buffer.resize(size, 0);
                    return Ok(Received::Truncated);
                }
                Ok((_, length)) => return Ok(Received::Datagram(&self.buffer[..length])),
                Err(Errno::INTR) => {}
                Err(Errno::NOBUFS) => return Ok(Received::Overrun),
                // `EAGAIN` is the same number.
                Err(Errno::WOULDBLOCK) => return Ok(Received::Empty),
                Err(errno) => {
                    self.broken = true;
                    return Err(NetlinkError::from_io(
                        "reading from the kernel",
                        &errno.into(),
                    ));
                }
            }
        }
    }

    /// Waits until something can be read; `false` when the deadline passed first.
    pub(crate) fn wait(&self, deadline: Instant) -> Result<bool, NetlinkError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let mut descriptors = [PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut descriptors, Some(&timespec(left))) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(errno) => {
                    return Err(NetlinkError::from_io(
                        "waiting for the kernel",
                        &errno.into(),
                    ));
                }
            }
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
