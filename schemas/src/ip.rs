// SPDX-License-Identifier: Apache-2.0

//! The `ipv4` and `ipv6` sections of an interface.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// `IFA_PROTO` and route protocol number of everything static that Nipart adds: how it knows its own objects again.
/// Free in iproute2's `rt_protos`.
pub const PROTOCOL_NIPART: u8 = 110;

/// `RTPROT_DHCP` (`linux/rtnetlink.h`), also put on leased addresses.
pub const PROTOCOL_DHCP: u8 = 16;

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
        alias = "valid-left",
        alias = "valid-lft"
    )]
    pub valid_life_time: Option<u32>,
    /// Shown only: seconds until the kernel prefers other addresses; none is for ever.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        alias = "preferred-left",
        alias = "preferred-lft"
    )]
    pub preferred_life_time: Option<u32>,
    /// Shown only: who added it (`IFA_PROTO`, `linux/if_addr.h`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
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
        }
    }

    /// The same for either family.
    pub fn any_family(&self) -> Address {
        Address {
            ip: self.ip.into(),
            prefix_length: self.prefix_length,
            valid_life_time: self.valid_life_time,
            preferred_life_time: self.preferred_life_time,
            protocol: self.protocol,
        }
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

/// IPv4 on one interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ipv4 {
    /// `false` drops addresses and DHCP. Omitted: as it is.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub enabled: Option<bool>,
    /// Get an address from a DHCPv4 server.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub dhcp: Option<bool>,
    /// Static addresses, the primary one first. Replaces the list that was applied before; addresses of others stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Vec<Address<Ipv4Addr>>>,
    /// Use the DNS servers of the lease. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_dns: Option<bool>,
    /// Use the default route of the lease. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_gateway: Option<bool>,
    /// Use the routes of the lease. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_routes: Option<bool>,
    /// Route table for the routes of the lease. Default 254 (main).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub auto_route_table_id: Option<u32>,
    /// Metric of the routes of the lease. Default 100.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub auto_route_metric: Option<u32>,
    /// Client identifier to send: `ll`, or hexadecimal bytes such as `01:52:54:00:aa:bb:cc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp_client_id: Option<String>,
    /// Send a host name to the server. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub dhcp_send_hostname: Option<bool>,
    /// Send this host name instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp_custom_hostname: Option<String>,
    /// `false`: verification fails when there are other addresses. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub allow_extra_address: Option<bool>,
}

overlay!(Ipv4 {
    enabled,
    dhcp,
    address,
    auto_dns,
    auto_gateway,
    auto_routes,
    auto_route_table_id,
    auto_route_metric,
    dhcp_client_id,
    dhcp_send_hostname,
    dhcp_custom_hostname,
    allow_extra_address,
});

/// IPv6 on one interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ipv6 {
    /// `false` drops addresses, link-local ones too, and turns the protocol off. Omitted: as it is.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub enabled: Option<bool>,
    /// Get an address from a DHCPv6 server. Not supported yet.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub dhcp: Option<bool>,
    /// Configure from router advertisements (RFC 4862), done by the kernel.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub autoconf: Option<bool>,
    /// Static addresses. Replaces the list that was applied before; addresses of others stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Vec<Address<Ipv6Addr>>>,
    /// Use DNS servers that were learned. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_dns: Option<bool>,
    /// Use the default route of router advertisements. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_gateway: Option<bool>,
    /// Use the routes of router advertisements. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_routes: Option<bool>,
    /// Route table for learned routes. Default 254 (main).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub auto_route_table_id: Option<u32>,
    /// Metric of learned routes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub auto_route_metric: Option<u32>,
    /// `false`: verification fails when there are other addresses. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub allow_extra_address: Option<bool>,
}

overlay!(Ipv6 {
    enabled,
    dhcp,
    autoconf,
    address,
    auto_dns,
    auto_gateway,
    auto_routes,
    auto_route_table_id,
    auto_route_metric,
    allow_extra_address,
});

overlay_leaf!(Address<Ipv4Addr>, Address<Ipv6Addr>, Address<IpAddr>);
