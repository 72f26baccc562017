// SPDX-License-Identifier: Apache-2.0

//! The UDP socket of a client: it sends to all servers and relays of the link, and hears what they answer.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};

use nipart_sys::interface;
use nipart_sys::watched::Watched;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

use crate::neighbours::LinkSocket;

/// Ports of clients and servers (RFC 8415 §7.2).
pub(super) const CLIENT_PORT: u16 = 546;
pub(super) const SERVER_PORT: u16 = 547;
/// All_DHCP_Relay_Agents_and_Servers (RFC 8415 §7.1).
pub(super) const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

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
}

impl LinkSocket for Socket {
    fn index(&self) -> u32 {
        self.index
    }

    fn descriptor(&self) -> &Watched {
        &self.descriptor
    }

    fn everybody(&self) -> SocketAddrV6 {
        SocketAddrV6::new(ALL_SERVERS, SERVER_PORT, 0, self.index)
    }
}
