// SPDX-License-Identifier: Apache-2.0

//! What a client must know of its link.

use std::fmt;
use std::os::fd::OwnedFd;

use nipart_sys::interface;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::error::DhcpError;

/// A hardware address of 6 bytes (Ethernet and everything that looks like it).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkAddress(pub [u8; 6]);

impl LinkAddress {
    /// Everybody on the link.
    pub const BROADCAST: LinkAddress = LinkAddress([0xff; 6]);
}

impl fmt::Display for LinkAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(formatter, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for LinkAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// ARP hardware type of Ethernet and all that looks like it: veth, bridge, bond, VLAN, Wi-Fi.
const ETHERNET: u16 = 1;

/// What the client must know of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Kernel index.
    pub index: u32,
    /// Hardware address.
    pub hardware: LinkAddress,
    /// MTU in bytes.
    pub mtu: u16,
}

impl Link {
    /// Asks the kernel about the link called `name`.
    ///
    /// # Errors
    /// [`DhcpError::System`] when there is no such link; [`DhcpError::UnsupportedHardware`] when it isn't Ethernet-like.
    pub fn read(name: &str) -> Result<Link, DhcpError> {
        let (any_socket, index) = look_up(name)?;
        let hardware = interface::hardware_address(&any_socket, name)
            .map_err(DhcpError::system(name, "reading the hardware address"))?;
        if hardware.kind != ETHERNET {
            return Err(DhcpError::UnsupportedHardware {
                interface: name.to_owned(),
                kind: hardware.kind,
            });
        }
        let mtu = interface::mtu(&any_socket, name)
            .map_err(DhcpError::system(name, "reading the MTU"))?;
        let [a, b, c, d, e, f, ..] = hardware.bytes;
        Ok(Link {
            index,
            hardware: LinkAddress([a, b, c, d, e, f]),
            mtu: u16::try_from(mtu).unwrap_or(u16::MAX),
        })
    }
}

/// The kernel index of the link called `name`, whatever its hardware.
///
/// # Errors
/// [`DhcpError::System`] when there is no such link.
pub(crate) fn index(name: &str) -> Result<u32, DhcpError> {
    look_up(name).map(|(_, index)| index)
}

fn look_up(name: &str) -> Result<(OwnedFd, u32), DhcpError> {
    let flags = SocketFlags::CLOEXEC;
    let any_socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)
        .map_err(DhcpError::system(name, "opening a socket"))?;
    let index = rustix::net::netdevice::name_to_index(&any_socket, name)
        .map_err(DhcpError::system(name, "looking up the link"))?;
    Ok((any_socket, index))
}
