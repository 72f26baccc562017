// SPDX-License-Identifier: Apache-2.0

//! The ICMPv6 socket of a client: it asks all routers of the link, and hears what they advertise.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};

use nipart_sys::filter::{Instruction, attach_filter};
use nipart_sys::interface;
use nipart_sys::watched::Watched;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with, sockopt};

use super::codec::ADVERTISEMENT;
use crate::bpf::{JUMP_EQUAL, LOAD_BYTE_ABSOLUTE, RETURN};
use crate::neighbours::LinkSocket;

/// All routers of the link (RFC 4291 §2.7.1).
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// No router forwards a packet with it: who hears it is a neighbour of who sent it (RFC 4861 §6.1.2).
const HOP_LIMIT: u8 = 255;
/// `SKF_NET_OFF` (`linux/filter.h`): offsets from here on count from the IPv6 header, those below from the ICMPv6 one.
const IPV6_HEADER: u32 = 0xfff0_0000;
/// Offset of the hop limit in it (RFC 8200 §3).
const HOP_LIMIT_OFFSET: u32 = 7;

/// `SKF_AD_OFF` and `SKF_AD_PKTTYPE` (`linux/filter.h`): where a packet comes from.
const PACKET_TYPE: u32 = 0xffff_f000 + 4;
/// `PACKET_LOOPBACK` (`linux/if_packet.h`): a multicast of this host's own. A router doesn't listen to itself.
const PACKET_LOOPBACK: u8 = 5;

/// A raw socket for router discovery on one link.
#[derive(Debug)]
pub struct Socket {
    descriptor: Watched,
    index: u32,
}

impl Socket {
    /// Opens the socket on the link with this index.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`, `ENODEV` when the link is gone, `EAFNOSUPPORT` on a kernel without IPv6.
    pub fn open(index: u32) -> io::Result<Socket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let protocol = Some(ipproto::ICMPV6);
        let descriptor = socket_with(AddressFamily::INET6, SocketType::RAW, flags, protocol)?;
        attach_filter(&descriptor, &FILTER)?;
        interface::bind_to_interface(&descriptor, index)?;
        sockopt::set_ipv6_multicast_hops(&descriptor, HOP_LIMIT.into())?;
        // What came in before all of that is of nobody.
        drain(&descriptor);
        Ok(Socket {
            descriptor: Watched::new(descriptor)?,
            index,
        })
    }
}

/// Between its birth and its binding, a socket hears all links.
fn drain(descriptor: &impl std::os::fd::AsFd) {
    let mut buffer = [0; 1];
    // As many as one moment can bring, so that nobody can keep it here.
    for _ in 0..1000 {
        let flags = rustix::net::RecvFlags::DONTWAIT;
        if rustix::net::recv(descriptor, &mut buffer[..], flags).is_err() {
            return;
        }
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
        // Raw sockets have no ports.
        SocketAddrV6::new(ALL_ROUTERS, 0, 0, self.index)
    }
}

/// Lets router advertisements of neighbours through.
const FILTER: [Instruction; 8] = [
    load_byte(0),
    unless_equal(ADVERTISEMENT, 4),
    load_byte(IPV6_HEADER + HOP_LIMIT_OFFSET),
    unless_equal(HOP_LIMIT, 2),
    load_byte(PACKET_TYPE),
    unless_equal(PACKET_LOOPBACK, 1),
    plain(RETURN, 0),
    plain(RETURN, u32::MAX),
];

const fn load_byte(offset: u32) -> Instruction {
    plain(LOAD_BYTE_ABSOLUTE, offset)
}

/// Goes on if they are equal, else so many instructions further.
const fn unless_equal(value: u8, skip: u8) -> Instruction {
    Instruction {
        jump_false: skip,
        ..plain(JUMP_EQUAL, value as u32)
    }
}

const fn plain(code: u16, operand: u32) -> Instruction {
    Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        operand,
    }
}
