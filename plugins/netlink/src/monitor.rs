// SPDX-License-Identifier: Apache-2.0

//! The socket that listens: changes to links, addresses, routes and rules as the kernel announces them.
//!
//! The kernel drops announcements when nobody reads them in time. That is no error but an event of its own,
//! [`MonitorEvent::Overrun`], after which the owner has to dump everything and compare.

use std::io;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::Socket;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{RecvFlags, SocketAddrAny};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::error::NetlinkError;
use crate::parse::parse_message;
use crate::sockopt::{self, RECEIVE_BUFFER};
use crate::wire::messages;

/// Size in bytes of the buffer for one announcement; only a link with very many virtual functions needs more.
const DATAGRAM_BUFFER: usize = 64 * 1024;
/// The buffer never grows beyond this.
const DATAGRAM_BUFFER_MAX: usize = 16 * 1024 * 1024;
/// Datagrams thrown away at most before an overrun is reported, as a safeguard against never reaching the end.
const DISCARD_MAX: usize = 1 << 20;

/// What to listen to (`RTNLGRP_*`, `linux/rtnetlink.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MonitorGroup {
    /// Links. Mind the family: with `AF_BRIDGE` the message is about a bridge port, and `DelLink` then means
    /// that it left the bridge, not that the link is gone.
    Link,
    /// IPv4 addresses.
    Ipv4Address,
    /// IPv6 addresses.
    Ipv6Address,
    /// IPv4 routes. The kernel does not announce those it drops because a link went down.
    Ipv4Route,
    /// IPv6 routes.
    Ipv6Route,
    /// IPv4 routing rules.
    Ipv4Rule,
    /// IPv6 routing rules.
    Ipv6Rule,
    /// Neighbours, bridge forwarding entries included: can be a flood.
    Neighbour,
}

impl MonitorGroup {
    /// Links and the addresses and routes of both families.
    pub const USUAL: [Self; 5] = [
        Self::Link,
        Self::Ipv4Address,
        Self::Ipv6Address,
        Self::Ipv4Route,
        Self::Ipv6Route,
    ];

    fn number(self) -> u32 {
        match self {
            Self::Link => libc::RTNLGRP_LINK,
            Self::Ipv4Address => libc::RTNLGRP_IPV4_IFADDR,
            Self::Ipv6Address => libc::RTNLGRP_IPV6_IFADDR,
            Self::Ipv4Route => libc::RTNLGRP_IPV4_ROUTE,
            Self::Ipv6Route => libc::RTNLGRP_IPV6_ROUTE,
            Self::Ipv4Rule => libc::RTNLGRP_IPV4_RULE,
            Self::Ipv6Rule => libc::RTNLGRP_IPV6_RULE,
            Self::Neighbour => libc::RTNLGRP_NEIGH,
        }
    }
}

/// How a [`MonitorSocket`] listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorOptions {
    /// What to listen to.
    pub groups: Vec<MonitorGroup>,
    /// Receive buffer in bytes, granted beyond `net.core.rmem_max` with `CAP_NET_ADMIN`.
    pub receive_buffer: usize,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self {
            groups: MonitorGroup::USUAL.to_vec(),
            receive_buffer: RECEIVE_BUFFER,
        }
    }
}

/// One thing heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MonitorEvent {
    /// An announcement of the kernel.
    Message(Box<RouteNetlinkMessage>),
    /// Announcements were lost. Those that were still queued are dropped with them, so whatever is dumped after
    /// this event is newer than all that went missing.
    Overrun,
}

/// Listens to the kernel. Needs a tokio runtime with I/O enabled, whose thread it stays on.
pub struct MonitorSocket {
    socket: AsyncFd<Socket>,
    buffer: Vec<u8>,
}

impl MonitorSocket {
    /// Opens the socket and joins the groups, in the network namespace of the calling thread. Dump only after
    /// this, else what happens in between is missed.
    ///
    /// # Errors
    /// [`NetlinkError::Socket`] when the system refuses.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn open(options: &MonitorOptions) -> Result<Self, NetlinkError> {
        let groups: Vec<u32> = options.groups.iter().map(|group| group.number()).collect();
        let socket = sockopt::open_multicast_socket(options.receive_buffer, &groups)?;
        // An overrun is an error condition of the socket, which may come without anything to read.
        let interest = Interest::READABLE | Interest::ERROR;
        #[expect(
            deprecated,
            reason = "the successor is unsafe, for types that may close or swap their descriptor: this one does not"
        )]
        let watched = AsyncFd::with_interest(socket, interest);
        Ok(Self {
            socket: watched
                .map_err(|error| NetlinkError::from_io("watching the netlink socket", &error))?,
            buffer: vec![0; DATAGRAM_BUFFER],
        })
    }

    /// Waits until there is news, then returns up to `limit` events (at least one), oldest first.
    ///
    /// Waits for as long as nothing happens. Safe to drop while waiting: nothing is lost.
    ///
    /// # Errors
    /// Only when the socket itself fails; it should be opened anew then.
    pub async fn receive(&mut self, limit: usize) -> Result<Vec<MonitorEvent>, NetlinkError> {
        self.receive_matching(limit, |_, _| true).await
    }

    /// As [`Self::receive`], but parses only what `matches` wants, given the type of the message (`RTM_*`) and what
    /// follows its netlink header. Announcements that nobody waits for cost little then.
    pub async fn receive_matching(
        &mut self,
        limit: usize,
        mut matches: impl FnMut(u16, &[u8]) -> bool,
    ) -> Result<Vec<MonitorEvent>, NetlinkError> {
        let mut events = Vec::new();
        loop {
            let mut ready = self
                .socket
                .ready(Interest::READABLE | Interest::ERROR)
                .await
                .map_err(|error| NetlinkError::from_io("waiting for the kernel", &error))?;
            let buffer = &mut self.buffer;
            let outcome = ready.try_io(|socket| {
                read_queued(socket.get_ref(), buffer, limit, &mut matches, &mut events)
            });
            if !events.is_empty() {
                return Ok(events);
            }
            if let Ok(Err(error)) = outcome {
                return Err(NetlinkError::from_io("reading from the kernel", &error));
            }
        }
    }
}

/// Reads up to `limit` datagrams; `WouldBlock` when there are no more, whatever was read before.
fn read_queued(
    socket: &Socket,
    buffer: &mut Vec<u8>,
    limit: usize,
    matches: &mut impl FnMut(u16, &[u8]) -> bool,
    events: &mut Vec<MonitorEvent>,
) -> io::Result<()> {
    for _ in 0..limit.max(1) {
        match rustix::net::recvfrom(socket, &mut buffer[..], RecvFlags::TRUNC) {
            Ok((_, length, _)) if length > buffer.len() => {
                tracing::debug!(length, "announcement longer than the buffer");
                buffer.resize(length.next_power_of_two().min(DATAGRAM_BUFFER_MAX), 0);
                events.push(MonitorEvent::Overrun);
            }
            Ok((_, length, sender)) if is_kernel(sender.as_ref()) => {
                events.extend(
                    messages(&buffer[..length])
                        .filter(|message| matches(message.message_type, message.payload))
                        .filter_map(|message| parse_message(message.message_type, message.payload))
                        .map(|message| MonitorEvent::Message(Box::new(message))),
                );
            }
            Ok(_) => tracing::debug!("announcement not from the kernel, ignored"),
            Err(Errno::INTR) => {}
            Err(Errno::NOBUFS) => {
                let discarded = discard_queued(socket, buffer)?;
                tracing::debug!(discarded, "overrun: announcements were lost");
                events.push(MonitorEvent::Overrun);
                return Ok(());
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Empties the queue. From an overrun until the queue has been empty once, the kernel drops every announcement
/// without saying so again: a dump before that moment could miss changes for good.
fn discard_queued(socket: &Socket, buffer: &mut [u8]) -> io::Result<usize> {
    for discarded in 0..DISCARD_MAX {
        match rustix::net::recv(socket, &mut *buffer, RecvFlags::TRUNC) {
            Ok(_) | Err(Errno::INTR | Errno::NOBUFS) => {}
            Err(Errno::WOULDBLOCK) => return Ok(discarded),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(DISCARD_MAX)
}

/// Port 0 is the kernel; a process with `CAP_NET_ADMIN` may send to the groups as well.
fn is_kernel(sender: Option<&SocketAddrAny>) -> bool {
    sender
        .and_then(|address| SocketAddrNetlink::try_from(address.clone()).ok())
        .is_some_and(|address| address.pid() == 0)
}
