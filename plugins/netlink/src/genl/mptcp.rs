// SPDX-License-Identifier: Apache-2.0

//! Endpoints of multipath TCP: family `mptcp_pm` (`linux/mptcp.h`, `linux/mptcp_pm.h`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::NLM_F_ACK;

use super::attribute::{Attributes, read, read_u8, read_u16, read_u32};
use super::{Command, GenericSocket};
use crate::error::NetlinkError;

const FAMILY: &str = "mptcp_pm";
/// `MPTCP_PM_VER`.
const VERSION: u8 = 1;
const MPTCP_PM_CMD_ADD_ADDR: u8 = 1;
const MPTCP_PM_CMD_DEL_ADDR: u8 = 2;
const MPTCP_PM_CMD_GET_ADDR: u8 = 3;
const MPTCP_PM_CMD_SET_FLAGS: u8 = 7;
const MPTCP_PM_ATTR_ADDR: u16 = 1;
const MPTCP_PM_ADDR_ATTR_FAMILY: u16 = 1;
const MPTCP_PM_ADDR_ATTR_ID: u16 = 2;
const MPTCP_PM_ADDR_ATTR_ADDR4: u16 = 3;
const MPTCP_PM_ADDR_ATTR_ADDR6: u16 = 4;
const MPTCP_PM_ADDR_ATTR_PORT: u16 = 5;
const MPTCP_PM_ADDR_ATTR_FLAGS: u16 = 6;
const MPTCP_PM_ADDR_ATTR_IF_IDX: u16 = 7;
/// `AF_INET`, `linux/socket.h`.
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// An address that the path manager may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The kernel's number of it; given by the kernel when it is added with 0.
    pub id: u8,
    /// The address.
    pub ip: IpAddr,
    /// Number of the link; 0 for none.
    pub link: u32,
    /// Port to listen at; 0 for that of the connection.
    pub port: u16,
    /// `MPTCP_PM_ADDR_FLAG_*`.
    pub flags: u32,
}

/// The family, known by its number.
pub struct Mptcp<'s> {
    socket: &'s GenericSocket,
    family: u16,
}

impl GenericSocket {
    /// None when the kernel hasn't got it: asked once, for it is no module.
    pub async fn mptcp(&self) -> Result<Option<Mptcp<'_>>, NetlinkError> {
        let ask = || self.family_if_any(FAMILY);
        let family = *self.mptcp.get_or_try_init(ask).await?;
        Ok(family.map(|family| Mptcp {
            socket: self,
            family,
        }))
    }
}

impl Mptcp<'_> {
    /// All endpoints of the network namespace.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, NetlinkError> {
        let command = self.command(MPTCP_PM_CMD_GET_ADDR, Attributes::default());
        let answers = self.socket.dump(command).await?;
        Ok(answers.iter().filter_map(|answer| parse(answer)).collect())
    }

    /// Adds one. Fails when the address is one already, and when there are as many as the kernel takes (8 up to Linux
    /// 6.18).
    pub async fn add(&self, endpoint: &Endpoint) -> Result<(), NetlinkError> {
        self.change(MPTCP_PM_CMD_ADD_ADDR, addition(endpoint)).await
    }

    /// Removes the one with this number; its subflows are closed.
    pub async fn remove(&self, id: u8) -> Result<(), NetlinkError> {
        let mut address = Attributes::default();
        address.value(MPTCP_PM_ADDR_ATTR_ID, &[id]);
        self.change(MPTCP_PM_CMD_DEL_ADDR, address).await
    }

    /// Sets `backup` and `fullmesh` of the one with this number as in `flags`; the others stay, and so do its subflows.
    pub async fn set_flags(&self, id: u8, flags: u32) -> Result<(), NetlinkError> {
        let mut address = Attributes::default();
        address.value(MPTCP_PM_ADDR_ATTR_ID, &[id]);
        address.value(MPTCP_PM_ADDR_ATTR_FLAGS, &flags.to_ne_bytes());
        self.change(MPTCP_PM_CMD_SET_FLAGS, address).await
    }

    async fn change(&self, command: u8, address: Attributes) -> Result<(), NetlinkError> {
        let mut attributes = Attributes::default();
        attributes.nested(MPTCP_PM_ATTR_ADDR, &address);
        let command = self.command(command, attributes);
        self.socket.request(command).await.map(|_| ())
    }

    fn command(&self, command: u8, attributes: Attributes) -> Command {
        Command {
            family: self.family,
            command,
            version: VERSION,
            flags: NLM_F_ACK,
            attributes: attributes.bytes(),
        }
    }
}

fn addition(endpoint: &Endpoint) -> Attributes {
    let mut address = Attributes::default();
    let family = if endpoint.ip.is_ipv4() {
        AF_INET
    } else {
        AF_INET6
    };
    address.value(MPTCP_PM_ADDR_ATTR_FAMILY, &family.to_ne_bytes());
    match endpoint.ip {
        IpAddr::V4(ip) => address.value(MPTCP_PM_ADDR_ATTR_ADDR4, &ip.octets()),
        IpAddr::V6(ip) => address.value(MPTCP_PM_ADDR_ATTR_ADDR6, &ip.octets()),
    }
    address.value(MPTCP_PM_ADDR_ATTR_FLAGS, &endpoint.flags.to_ne_bytes());
    address.value(MPTCP_PM_ADDR_ATTR_IF_IDX, &endpoint.link.to_ne_bytes());
    address
}

/// One message of the answer; none for one without an address.
fn parse(answer: &[u8]) -> Option<Endpoint> {
    let answer = read(answer).into_iter();
    let mut addresses = answer.filter(|attribute| attribute.kind == MPTCP_PM_ATTR_ADDR);
    let mut ip = None;
    let (mut id, mut link, mut port, mut flags) = (None, None, None, None);
    for attribute in read(addresses.next()?.value) {
        let value = attribute.value;
        match attribute.kind {
            MPTCP_PM_ADDR_ATTR_ID => id = read_u8(value),
            MPTCP_PM_ADDR_ATTR_ADDR4 => {
                ip = Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into())
            }
            MPTCP_PM_ADDR_ATTR_ADDR6 => {
                ip = Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into())
            }
            MPTCP_PM_ADDR_ATTR_PORT => port = read_u16(value),
            MPTCP_PM_ADDR_ATTR_FLAGS => flags = read_u32(value),
            MPTCP_PM_ADDR_ATTR_IF_IDX => link = read_u32(value),
            _ => {}
        }
    }
    Some(Endpoint {
        id: id?,
        ip: ip?,
        link: link.unwrap_or(0),
        port: port.unwrap_or(0),
        flags: flags.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_written() {
        for ip in ["192.0.2.1", "2001:db8::1"] {
            let endpoint = Endpoint {
                id: 7,
                ip: ip.parse().unwrap(),
                link: 3,
                port: 0,
                flags: 5,
            };
            let mut address = addition(&endpoint);
            address.value(MPTCP_PM_ADDR_ATTR_ID, &[endpoint.id]);
            let mut answer = Attributes::default();
            answer.nested(MPTCP_PM_ATTR_ADDR, &address);
            assert_eq!(parse(&answer.bytes()), Some(endpoint));
        }
        assert_eq!(parse(&[]), None);
    }
}
