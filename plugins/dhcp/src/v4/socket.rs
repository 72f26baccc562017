// SPDX-License-Identifier: Apache-2.0

//! The two sockets of a client.
//!
//! * [`PacketSocket`] receives everything and sends what goes to everybody, or to a known hardware address: it works
//!   without an address on the link, before any firewall.
//! * [`RoutedSocket`] sends to the server through routing and ARP while there is a lease. It receives nothing: the packet
//!   socket hears the answer as well, and a NAK, which is broadcast, would not reach a socket bound to one address. Being
//!   there, it keeps the kernel from telling the server that the port is unreachable.
//!
//! Closing a packet socket takes long: dropping a [`PacketSocket`] does that on a thread for blocking work. Opening one costs microseconds as long as it is bound once ([`nipart_sys::packet::open`]).

mod filter;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use nipart_sys::filter::attach_filter;
use nipart_sys::interface;
use nipart_sys::packet::{self, Addressee, PROTOCOL_IPV4, Received};
use nipart_sys::watched::Watched;
use rustix::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, bind, sendto, socket_with, sockopt,
};

use crate::closing;
use crate::link::{Link, LinkAddress};
use crate::v4::frame::{CLIENT_PORT, ChecksumState, SERVER_PORT};

/// A packet that may be for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// Bytes of the buffer that it fills, from the IPv4 header on.
    pub length: usize,
    /// Hardware address of the sender.
    pub sender: LinkAddress,
    /// Whether its UDP checksum means something.
    pub checksum: ChecksumState,
}

/// A packet socket that hears DHCP replies to this link's hardware address, and nothing else.
#[derive(Debug)]
pub struct PacketSocket {
    /// There until the socket is dropped.
    descriptor: Option<Watched>,
    index: u32,
}

impl PacketSocket {
    /// Opens the socket: filter first, then the link, so that not one foreign packet gets in.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`, `ENETDOWN` when the link is down, `ENODEV` when it is gone.
    pub fn open(link: &Link) -> io::Result<PacketSocket> {
        let descriptor = packet::open()?;
        attach_filter(&descriptor, &filter::replies_to(link.hardware))?;
        packet::enable_auxiliary_data(&descriptor)?;
        packet::bind(&descriptor, link.index, PROTOCOL_IPV4)?;
        Ok(PacketSocket {
            descriptor: Some(Watched::new(descriptor)?),
            index: link.index,
        })
    }

    /// Sends an IPv4 packet to a hardware address of the link. Never waits.
    ///
    /// # Errors
    /// `WouldBlock` or `ENOBUFS` when the queue is full, `ENETDOWN` or `ENXIO` when the link is not there.
    pub fn send(&self, destination: LinkAddress, frame: &[u8]) -> io::Result<()> {
        packet::send(
            self.descriptor()?,
            self.index,
            PROTOCOL_IPV4,
            &destination.0,
            frame,
        )
    }

    /// Waits for a packet that may be for us; others are dropped. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// `ENETDOWN` once after the link went down; others mean that the socket is of no more use.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Arrived> {
        loop {
            let received = self
                .descriptor()?
                .read_with(|descriptor| packet::receive(descriptor, buffer))
                .await?;
            if let Some(arrived) = arrived(&received) {
                return Ok(arrived);
            }
        }
    }

    fn descriptor(&self) -> io::Result<&Watched> {
        self.descriptor
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for PacketSocket {
    fn drop(&mut self) {
        if let Some(descriptor) = self.descriptor.take() {
            closing::elsewhere(descriptor.into_descriptor());
        }
    }
}

/// Sorts out what is not for us although it passed the filter.
fn arrived(received: &Received) -> Option<Arrived> {
    // A tag that is still there belongs to a VLAN which is not this link's own network. VLAN 0 is only a priority.
    let foreign_vlan = received.vlan.is_some_and(|vlan| vlan != 0);
    let for_us = matches!(
        received.addressee,
        Addressee::Host | Addressee::Broadcast | Addressee::Multicast
    );
    if received.truncated || foreign_vlan || !for_us || received.sender_length != 6 {
        return None;
    }
    let [a, b, c, d, e, f, ..] = received.sender;
    Some(Arrived {
        length: received.length,
        sender: LinkAddress([a, b, c, d, e, f]),
        checksum: match received.checksum_not_ready {
            true => ChecksumState::NotReady,
            false => ChecksumState::Present,
        },
    })
}

/// A UDP socket from the leased address that only sends.
#[derive(Debug)]
pub struct RoutedSocket {
    descriptor: OwnedFd,
}

impl RoutedSocket {
    /// Opens the socket on the link, bound to `address` and the client port.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` when the address is not on the host, `EACCES` without `CAP_NET_BIND_SERVICE`.
    pub fn open(link: &Link, address: Ipv4Addr) -> io::Result<RoutedSocket> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let descriptor = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
        attach_filter(&descriptor, &filter::nothing())?;
        interface::bind_to_interface(&descriptor, link.index)?;
        // Another program's socket on the port, bound to all addresses, is no obstacle.
        sockopt::set_socket_reuseaddr(&descriptor, true)?;
        bind(&descriptor, &SocketAddrV4::new(address, CLIENT_PORT))?;
        Ok(RoutedSocket { descriptor })
    }

    /// Sends a DHCP message to the server port of `server`. Never waits.
    ///
    /// # Errors
    /// `ENETUNREACH` without a route, `WouldBlock` when the queue is full.
    pub fn send(&self, server: Ipv4Addr, payload: &[u8]) -> io::Result<()> {
        sendto(
            &self.descriptor,
            payload,
            SendFlags::NOSIGNAL,
            &SocketAddrV4::new(server, SERVER_PORT),
        )?;
        Ok(())
    }
}
