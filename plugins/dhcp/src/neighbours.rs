// SPDX-License-Identifier: Apache-2.0

//! Talking to neighbours over IPv6: to all servers or all routers of a link, from the link's own address.
//!
//! DHCPv6 and router discovery need a link-local address to speak from (RFC 8415 §17.1, RFC 4861 §6.3.7). After a link
//! comes up the kernel takes one to two seconds to find out that nobody else has it (duplicate address detection), and
//! nothing can be sent until then:
//!
//! ```text
//!   message ──▶ is there a source? ──yes──────────────────▶ sent
//!                  │ no       ▲
//!                  ▼          │ every message
//!             kept, latest    │
//!             only ──▶ RTNLGRP_IPV6_IFADDR: an address of this link has changed
//! ```
//!
//! * [`LinkSocket`] is a socket that is tied to a link.
//! * `source` asks the kernel what it would send from. Where another address of the link is usable before the link-local
//!   one, the kernel would take that, and servers would answer past the link.
//! * [`Neighbours`] keeps a message that cannot be sent for want of an address; a later one takes its place.
//! * `AddressNews` is open only while a message waits.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};

use nipart_sys::filter::Instruction;
use nipart_sys::interface;
use nipart_sys::watched::Watched;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, getsockname, recvfrom,
    sendto, socket_with,
};

use crate::bpf::{JUMP_EQUAL, LOAD_WORD_ABSOLUTE, RETURN};
use crate::v6::duplicates::address_changes;

/// Offset of `ifa_index` in a message: `struct nlmsghdr`, then `struct ifaddrmsg`.
const ADDRESS_INDEX: u32 = 16 + 4;

/// A packet from a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Bytes of the buffer that it fills.
    pub(crate) length: usize,
    /// Link-local address of the server or of the relay before it.
    pub(crate) sender: Ipv6Addr,
}

/// A socket that is tied to one link and talks to those who are on it.
pub(crate) trait LinkSocket {
    /// Kernel index of the link.
    fn index(&self) -> u32;
    /// The socket.
    fn descriptor(&self) -> &Watched;
    /// Whom messages go to.
    fn everybody(&self) -> SocketAddrV6;

    /// Sends a message, and says from which address. Never waits.
    ///
    /// # Errors
    /// One of which [`has_no_source`] knows when the link has no usable link-local address (yet).
    fn send(&self, payload: &[u8]) -> io::Result<Ipv6Addr> {
        let destination = self.everybody();
        let source = source(self.index(), destination)?;
        if !source.is_unicast_link_local() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        sendto(
            self.descriptor(),
            payload,
            SendFlags::NOSIGNAL,
            &destination,
        )?;
        Ok(source)
    }

    /// Waits for a packet from a neighbour; others are dropped. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// They mean that the socket is of no more use.
    fn receive(&self, buffer: &mut [u8]) -> impl Future<Output = io::Result<Arrived>> + Send
    where
        Self: Sync,
    {
        async {
            loop {
                let (length, whole, sender) = self
                    .descriptor()
                    .read_with(|descriptor| {
                        Ok(recvfrom(descriptor, &mut *buffer, RecvFlags::TRUNC)?)
                    })
                    .await?;
                let sender = sender.and_then(|sender| SocketAddrV6::try_from(sender).ok());
                let sender = sender.map(|sender| *sender.ip());
                // Who is on the link speaks from a link-local address; what comes from further away is forged.
                if let Some(sender) = sender.filter(Ipv6Addr::is_unicast_link_local)
                    && whole <= length
                {
                    return Ok(Arrived { length, sender });
                }
            }
        }
    }
}

/// The neighbours of a link, and the message that waits for an address to be sent from.
#[derive(Debug)]
pub(crate) struct Neighbours<S> {
    socket: S,
    waiting: Option<Waiting>,
    spoken_from: Option<Ipv6Addr>,
}

#[derive(Debug)]
struct Waiting {
    payload: Vec<u8>,
    news: AddressNews,
}

impl<S: LinkSocket + Sync> Neighbours<S> {
    /// Those that the socket reaches.
    pub(crate) fn over(socket: S) -> Neighbours<S> {
        Neighbours {
            socket,
            waiting: None,
            spoken_from: None,
        }
    }

    /// Kernel index of their link.
    pub(crate) fn index(&self) -> u32 {
        self.socket.index()
    }

    /// The link's own address that was spoken from last.
    pub(crate) fn spoken_from(&self) -> Option<Ipv6Addr> {
        self.spoken_from
    }

    /// Sends, or waits for an address to send from. Says whether it is sent.
    ///
    /// # Errors
    /// They mean that the socket is of no more use.
    pub(crate) fn send(&mut self, payload: Vec<u8>) -> io::Result<bool> {
        match &mut self.waiting {
            Some(waiting) => waiting.payload = payload,
            None => match self.socket.send(&payload) {
                Err(error) if has_no_source(&error) => {
                    let news = AddressNews::open(self.socket.index())?;
                    self.waiting = Some(Waiting { payload, news });
                }
                sent => return self.sent(sent),
            },
        }
        // Also the first time: the address may have become usable before the news were listened to.
        self.try_again()
    }

    /// Waits for a packet, and sends meanwhile what waits. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// They mean that the socket is of no more use.
    pub(crate) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Arrived> {
        loop {
            let Some(waiting) = &self.waiting else {
                return self.socket.receive(buffer).await;
            };
            tokio::select! {
                arrived = self.socket.receive(buffer) => return arrived,
                changed = waiting.news.changed() => changed?,
            }
            self.try_again()?;
        }
    }

    /// Sends what waits, if there is an address now. Says whether nothing waits any more.
    fn try_again(&mut self) -> io::Result<bool> {
        let Some(waiting) = &self.waiting else {
            return Ok(true);
        };
        match self.socket.send(&waiting.payload) {
            Err(error) if has_no_source(&error) => Ok(false),
            sent => {
                self.waiting = None;
                self.sent(sent)
            }
        }
    }

    fn sent(&mut self, sent: io::Result<Ipv6Addr>) -> io::Result<bool> {
        self.spoken_from = Some(sent?);
        Ok(true)
    }
}

/// The address that the kernel would send from, over the link with this index.
fn source(index: u32, destination: SocketAddrV6) -> io::Result<Ipv6Addr> {
    let flags = SocketFlags::CLOEXEC;
    let descriptor = socket_with(AddressFamily::INET6, SocketType::DGRAM, flags, None)?;
    interface::bind_to_interface(&descriptor, index)?;
    // Of a UDP socket this sends nothing.
    connect(&descriptor, &destination)?;
    let own = SocketAddrV6::try_from(getsockname(&descriptor)?)?;
    Ok(*own.ip())
}

/// Whether sending failed because the link has no usable address (yet), or is not quite up.
fn has_no_source(error: &io::Error) -> bool {
    let later = [
        Errno::ADDRNOTAVAIL,
        Errno::NETUNREACH,
        Errno::HOSTUNREACH,
        Errno::NETDOWN,
    ];
    let errno = Errno::from_io_error(error);
    error.kind() == io::ErrorKind::AddrNotAvailable
        || errno.is_some_and(|errno| later.contains(&errno))
}

/// Tells whenever an IPv6 address of one link has changed, its state included.
#[derive(Debug)]
struct AddressNews {
    descriptor: Watched,
}

impl AddressNews {
    /// Listens from now on: what changed before must be looked at after this.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    fn open(index: u32) -> io::Result<AddressNews> {
        Ok(AddressNews {
            descriptor: address_changes(&about(index))?,
        })
    }

    /// Waits for a change. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// When the runtime is shutting down.
    async fn changed(&self) -> io::Result<()> {
        // What has changed is not read: the next try to send tells all that matters.
        let mut buffer = [0; 16];
        self.descriptor
            .read_with(|descriptor| {
                match recvfrom(descriptor, &mut buffer, RecvFlags::TRUNC) {
                    // Too many at once is a change as well.
                    Ok(_) | Err(Errno::NOBUFS) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            })
            .await
    }
}

/// Lets through news of the link with this index: thousands of links that come up together would wake each other.
fn about(index: u32) -> [Instruction; 4] {
    let instruction = |code, operand| Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        operand,
    };
    // The filter reads big-endian what the kernel wrote in its own order.
    let index = u32::from_be_bytes(index.to_ne_bytes());
    [
        instruction(LOAD_WORD_ABSOLUTE, ADDRESS_INDEX),
        Instruction {
            jump_false: 1,
            ..instruction(JUMP_EQUAL, index)
        },
        instruction(RETURN, u32::MAX),
        instruction(RETURN, 0),
    ]
}
