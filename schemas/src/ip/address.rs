// SPDX-License-Identifier: Apache-2.0

//! One address, as it is wanted and as the kernel has it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PROTOCOL_ADVERTISED, PROTOCOL_DHCP, life_time};
use crate::interface::mptcp::MptcpAddressFlags;
use crate::lenient;
use crate::overlay::overlay_leaf;

/// One address of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Address<A = IpAddr> {
    /// The address itself.
    pub ip: A,
    /// Length of the network prefix in bits: up to 32 for IPv4, up to 128 for IPv6.
    #[serde(deserialize_with = "lenient::prefix_length")]
    pub prefix_length: u8,
    /// Shown only: seconds until the kernel removes the address; none is for ever.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "life_time",
        alias = "valid-left",
        alias = "valid-lft"
    )]
    #[schemars(schema_with = "life_time::schema")]
    pub valid_life_time: Option<u32>,
    /// Shown only: seconds until the kernel prefers other addresses; none is for ever.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "life_time",
        alias = "preferred-left",
        alias = "preferred-lft"
    )]
    #[schemars(schema_with = "life_time::schema")]
    pub preferred_life_time: Option<u32>,
    /// Shown only: who added it (`IFA_PROTO`, `linux/if_addr.h`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// Shown only: metric of the route to its network (`IFA_RT_PRIORITY`); none is the kernel's default. Set for all
    /// addresses of a section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_route_metric: Option<u32>,
    /// Shown only: what multipath TCP uses it for. Set for all addresses of an interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mptcp_flags: Option<MptcpAddressFlags>,
}

impl<A: Copy + Into<IpAddr>> Address<A> {
    /// An address without limits of time.
    pub fn new(ip: A, prefix_length: u8) -> Self {
        Self {
            ip,
            prefix_length,
            valid_life_time: None,
            preferred_life_time: None,
            protocol: None,
            prefix_route_metric: None,
            mptcp_flags: None,
        }
    }

    /// All but the address itself for another one.
    pub fn with_ip<B>(&self, ip: B) -> Address<B> {
        Address {
            ip,
            prefix_length: self.prefix_length,
            valid_life_time: self.valid_life_time,
            preferred_life_time: self.preferred_life_time,
            protocol: self.protocol,
            prefix_route_metric: self.prefix_route_metric,
            mptcp_flags: self.mptcp_flags,
        }
    }

    /// The same for either family.
    pub fn any_family(&self) -> Address {
        self.with_ip(self.ip.into())
    }

    /// The metric that the route to its network really has: 0 is the default, for IPv6 256 (`IP6_RT_PRIO_ADDRCONF`,
    /// `net/addrconf.h`).
    pub fn route_metric(&self) -> u32 {
        let default = if self.ip.into().is_ipv6() { 256 } else { 0 };
        self.prefix_route_metric
            .filter(|metric| *metric != 0)
            .unwrap_or(default)
    }

    /// Whether the kernel has made it from a router advertisement.
    pub fn is_advertised(&self) -> bool {
        self.protocol == Some(PROTOCOL_ADVERTISED)
    }

    /// Whether it is there by a lease or a router advertisement, which may be for ever.
    pub fn comes_and_goes(&self) -> bool {
        self.valid_life_time.is_some()
            || self.is_advertised()
            || self.protocol == Some(PROTOCOL_DHCP)
    }

    /// What makes it the same address for the kernel.
    pub fn key(&self) -> (IpAddr, u8) {
        (self.ip.into(), self.prefix_length)
    }
}

impl<A: fmt::Display> fmt::Display for Address<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.ip, self.prefix_length)
    }
}

overlay_leaf!(Address<Ipv4Addr>, Address<Ipv6Addr>, Address<IpAddr>);
