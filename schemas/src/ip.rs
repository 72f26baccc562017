// SPDX-License-Identifier: Apache-2.0

//! The `ipv4` and `ipv6` sections of an interface.

mod address;
mod life_time;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::address::Address;
use crate::lenient;
use crate::overlay::overlay;
use crate::route::{DEFAULT_METRIC_IPV6, MAIN_TABLE};
use crate::word::words;

/// `IFA_PROTO` and route protocol number of everything static that Nipart adds: how it knows its own objects again.
/// Free in iproute2's `rt_protos`.
pub const PROTOCOL_NIPART: u8 = 110;

/// `RTPROT_DHCP` (`linux/rtnetlink.h`), also put on leased addresses.
pub const PROTOCOL_DHCP: u8 = 16;

/// `IFAPROT_KERNEL_RA`, `linux/if_addr.h`: made from a router advertisement.
pub const PROTOCOL_ADVERTISED: u8 = 2;

/// `IFAPROT_KERNEL_LL`, `linux/if_addr.h`: a link-local address that the kernel has made. Linux 5.18.
pub const PROTOCOL_LINK_LOCAL: u8 = 3;

/// `RTPROT_RA` (`linux/rtnetlink.h`): routes of router advertisements, the kernel's and ours.
pub const PROTOCOL_ROUTER_ADVERTISEMENT: u8 = 9;

/// Metric of leased IPv4 routes when the user writes none: behind static ones, as NetworkManager's for wired links.
pub const DEFAULT_METRIC_OF_LEASES: u32 = 100;

/// A version of the Internet Protocol.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IpFamily {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl IpFamily {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];
}

impl From<IpAddr> for IpFamily {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
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
    /// What the client calls itself: `ll` (default: type and MAC address of the link), `iaid+duid` (RFC 4361), hexadecimal
    /// bytes such as `01:52:54:00:aa:bb:cc`, or other text.
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
    /// Pass on packets that come in over this interface (`net.ipv4.conf.*.forwarding`).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub forwarding: Option<bool>,
    /// Metric of the routes that the kernel makes for the networks of the addresses (`IFA_RT_PRIORITY`). 0: the kernel's
    /// default, 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub prefix_route_metric: Option<u32>,
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
    forwarding,
    prefix_route_metric,
    allow_extra_address,
});

impl Ipv4 {
    /// Whether it says what to do with a lease.
    pub fn uses_leases(&self) -> bool {
        let switches = [self.auto_dns, self.auto_gateway, self.auto_routes];
        switches.iter().any(Option::is_some)
            || self.auto_route_table_id.is_some()
            || self.auto_route_metric.is_some()
    }
}

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
    /// Get an address, or settings alone, from a DHCPv6 server (RFC 8415). The default route comes from router
    /// advertisements only: `autoconf`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub dhcp: Option<bool>,
    /// Configure from router advertisements: addresses (RFC 4862), done by the kernel, routes and name servers.
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
    /// Use the default route of router advertisements. Default true. Where this, `auto-route-metric` and
    /// `auto-route-table-id` are as by default, the kernel makes it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_gateway: Option<bool>,
    /// Use the other routes of router advertisements (RFC 4191). Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_routes: Option<bool>,
    /// Route table for routes of router advertisements. Default 254 (main).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub auto_route_table_id: Option<u32>,
    /// Metric of routes of router advertisements. Default 1024, as the kernel's.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub auto_route_metric: Option<u32>,
    /// Shown only, where it is false: the kernel leaves the default route of router advertisements to others
    /// (`accept_ra_defrtr`).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub accept_ra_defrtr: Option<bool>,
    /// What the DHCPv6 client calls itself (DUID, RFC 8415 §11): `uuid` (of the machine, the default), `ll`, `llt`, or bytes
    /// as `00:03:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp_duid: Option<String>,
    /// Send the host name to the DHCPv6 server. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub dhcp_send_hostname: Option<bool>,
    /// Send this host name instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp_custom_hostname: Option<String>,
    /// How addresses are made of prefixes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr_gen_mode: Option<AddrGenMode>,
    /// The last 64 bits of addresses from router advertisements (`IFLA_INET6_TOKEN`), the first 64 zero. Turns `autoconf`
    /// on. `::`: made as `addr-gen-mode` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Ipv6Addr>,
    /// Pass on packets that come in over this interface (`net.ipv6.conf.*.forwarding`).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub forwarding: Option<bool>,
    /// Metric of the routes that the kernel makes for the networks of the addresses (`IFA_RT_PRIORITY`). 0: the kernel's
    /// default, 256.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub prefix_route_metric: Option<u32>,
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
    accept_ra_defrtr,
    dhcp_duid,
    dhcp_send_hostname,
    dhcp_custom_hostname,
    addr_gen_mode,
    token,
    forwarding,
    prefix_route_metric,
    allow_extra_address,
});

impl Ipv6 {
    /// Whether it says what to do with a lease, or with what routers advertise.
    pub fn uses_leases(&self) -> bool {
        self.auto_dns.is_some() || self.uses_advertised_routes()
    }

    /// Whether it says what to do with routes that are advertised.
    pub fn uses_advertised_routes(&self) -> bool {
        self.auto_gateway.is_some()
            || self.auto_routes.is_some()
            || self.auto_route_table_id.is_some()
            || self.auto_route_metric.is_some()
    }

    /// Whether router advertisements are to be listened to: a token is of no use without.
    pub fn listens_to_routers(&self) -> bool {
        self.enabled != Some(false) && self.autoconf.unwrap_or_else(|| self.has_token())
    }

    /// Whether it asks for another default route than the kernel would make of an advertisement: none, or one with
    /// another metric or in another table.
    pub fn asks_for_own_default_route(&self) -> bool {
        let is_other = |number: Option<u32>, default: u32| {
            number.is_some_and(|number| number != 0 && number != default)
        };
        self.auto_gateway == Some(false)
            || is_other(self.auto_route_table_id, MAIN_TABLE)
            || is_other(self.auto_route_metric, DEFAULT_METRIC_IPV6)
    }

    /// Whether the default route of router advertisements is Nipart's, and the kernel is to leave it alone.
    pub fn takes_default_route(&self) -> bool {
        self.listens_to_routers() && self.asks_for_own_default_route()
    }

    /// Whether it asks for something that comes only where the protocol is on.
    pub fn needs_protocol(&self) -> bool {
        self.autoconf == Some(true)
            || self.dhcp == Some(true)
            || self.has_token()
            || self.address.as_ref().is_some_and(|list| !list.is_empty())
    }

    /// Whether it says how addresses end.
    pub fn has_token(&self) -> bool {
        self.token.is_some_and(|token| !token.is_unspecified())
    }
}

words! {
    /// How the kernel makes the last 64 bits of IPv6 addresses: `IN6_ADDR_GEN_MODE_*` of `linux/if_link.h`.
    AddrGenMode {
        /// From the MAC address (RFC 4291).
        Eui64 = 0 "eui64",
        /// No address at all, not even a link-local one.
        None = 1 "none",
        /// From a secret, the same at each place and different at others (RFC 7217).
        StablePrivacy = 2 "stable-privacy",
        /// As `stable-privacy`, with a secret that is new whenever this mode is set.
        Random = 3 "random",
    }
}
