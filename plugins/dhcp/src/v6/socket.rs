// SPDX-License-Identifier: Apache-2.0

//! The UDP socket of a client, and news of the link's own addresses.
//!
//! DHCPv6 needs a link-local address to speak from (RFC 8415 §17.1). After a link comes up the kernel takes one to two
//! seconds to find out that nobody else has it (duplicate address detection), and nothing can be sent until then:
//!
//! ```text
//!   message ──▶ is there a source? ──yes──────────────────▶ sent
//!                  │ no       ▲
//!                  ▼          │ every message
//!             kept, latest    │
//!             only ──▶ RTNLGRP_IPV6_IFADDR: an address of this link has changed
//! ```
//!
//! * [`Socket`] sends to all servers and relays of the link, and hears what they answer.
//! * `source` asks the kernel what it would send from. Where another address of the link is usable before the link-local
//!   one, the kernel would take that, and servers would answer past the link.
//! * [`AddressNews`] is open only while a message waits.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};

use nipart_sys::filter::Instruction;
use nipart_sys::interface;
use nipart_sys::watched::Watched;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, getsockname,
    recvfrom, sendto, socket_with, sockopt,
};

use crate::bpf::{JUMP_EQUAL, LOAD_WORD_ABSOLUTE, RETURN};
use crate::v6::duplicates::address_changes;

/// Ports of clients and servers (RFC 8415 §7.2).
pub(super) const CLIENT_PORT: u16 = 546;
pub(super) const SERVER_PORT: u16 = 547;
/// All_DHCP_Relay_Agents_and_Servers (RFC 8415 §7.1).
pub(super) const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// Offset of `ifa_index` in a message: `struct nlmsghdr`, then `struct ifaddrmsg`.
const ADDRESS_INDEX: u32 = 16 + 4;

/// A packet from a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// Bytes of the buffer that it fills.
    pub length: usize,
    /// Link-local address of the server or of the relay before it.
    pub sender: Ipv6Addr,
}

/// A UDP socket on the client port of one link.
#[derive(Debug)]
pub struct Socket {
    descriptor: Watched,
    index: u32,
}

impl Socket {
    /// Opens the socket on the link with this index.
    ///
    /// # Errors
    /// `EACCES` without `CAP_NET_BIND_SERVICE`, `ENODEV` when the link is gone, `EAFNOSUPPORT` on a kernel without IPv6.
    pub fn open(index: u32) -> io::Result<Socket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let descriptor = socket_with(AddressFamily::INET6, SocketType::DGRAM, flags, None)?;
        // First the link, so that not one foreign packet gets in.
        interface::bind_to_interface(&descriptor, index)?;
        // Sockets of other links, or of another program, are no obstacle.
        sockopt::set_socket_reuseaddr(&descriptor, true)?;
        sockopt::set_ipv6_v6only(&descriptor, true)?;
        sockopt::set_ipv6_multicast_hops(&descriptor, 1)?;
        let address = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, CLIENT_PORT, 0, 0);
        bind(&descriptor, &address)?;
        Ok(Socket {
            descriptor: Watched::new(descriptor)?,
            index,
        })
    }

    /// Sends a message to all servers and relays of the link. Says from which address. Never waits.
    ///
    /// # Errors
    /// One of which [`has_no_source`] knows when the link has no usable link-local address (yet).
    pub fn send(&self, payload: &[u8]) -> io::Result<Ipv6Addr> {
        let source = source(self.index)?;
        if !source.is_unicast_link_local() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let destination = all_servers(self.index);
        sendto(&self.descriptor, payload, SendFlags::NOSIGNAL, &destination)?;
        Ok(source)
    }

    /// Waits for a packet from a neighbour; others are dropped. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// They mean that the socket is of no more use.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrived> {
        loop {
            let (length, whole, sender) = self
                .descriptor
                .read_with(|descriptor| Ok(recvfrom(descriptor, &mut *buffer, RecvFlags::TRUNC)?))
                .await?;
            let sender = sender.and_then(|sender| SocketAddrV6::try_from(sender).ok());
            let sender = sender.map(|sender| *sender.ip());
            // Servers and relays of the link speak from link-local addresses; what comes from further away is forged.
            if let Some(sender) = sender.filter(Ipv6Addr::is_unicast_link_local)
                && whole <= length
            {
                return Ok(Arrived { length, sender });
            }
        }
    }
}

/// The address that the kernel would send from.
fn source(index: u32) -> io::Result<Ipv6Addr> {
    let flags = SocketFlags::CLOEXEC;
    let descriptor = socket_with(AddressFamily::INET6, SocketType::DGRAM, flags, None)?;
    interface::bind_to_interface(&descriptor, index)?;
    // Of a UDP socket this sends nothing.
    connect(&descriptor, &all_servers(index))?;
    let own = SocketAddrV6::try_from(getsockname(&descriptor)?)?;
    Ok(*own.ip())
}

fn all_servers(index: u32) -> SocketAddrV6 {
    SocketAddrV6::new(ALL_SERVERS, SERVER_PORT, 0, index)
}

/// Whether sending failed because the link has no usable address (yet), or is not quite up.
#[must_use]
pub fn has_no_source(error: &io::Error) -> bool {
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
pub struct AddressNews {
    descriptor: Watched,
}

impl AddressNews {
    /// Listens from now on: what changed before must be looked at after this.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn open(index: u32) -> io::Result<AddressNews> {
        Ok(AddressNews {
            descriptor: address_changes(&about(index))?,
        })
    }

    /// Waits for a change. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// When the runtime is shutting down.
    pub async fn changed(&self) -> io::Result<()> {
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
