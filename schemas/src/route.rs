// SPDX-License-Identifier: Apache-2.0

//! Routes.

mod absent;
mod identity;
mod ip_network;

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ip::PROTOCOL_ROUTER_ADVERTISEMENT;
use crate::lenient;
use crate::overlay::overlay_leaf;

pub use self::absent::AbsentRoutes;
pub use self::identity::{RouteKey, RouteSlot};
pub use self::ip_network::IpNetwork;

/// Number of the main route table (`RT_TABLE_MAIN`).
pub const MAIN_TABLE: u32 = 254;

/// Metric that the kernel gives an IPv6 route without one (`IP6_RT_PRIO_USER`).
pub const DEFAULT_METRIC_IPV6: u32 = 1024;

/// `RTPROT_KERNEL` (`linux/rtnetlink.h`).
const PROTOCOL_KERNEL: u8 = 2;

/// Section `routes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Routes {
    /// Shown only: every route of the kernel but those of the local table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Vec<Route>>,
    /// Static routes. Added to those that are there; an entry with `state: absent` removes all that match it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Vec<Route>>,
}

impl Routes {
    /// The section with these static routes; none without any.
    pub fn of(config: Vec<Route>) -> Option<Self> {
        (!config.is_empty()).then_some(Self {
            running: None,
            config: Some(config),
        })
    }
}

/// The only state that a route can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RouteState {
    /// To be removed, with every key that is left out matching anything.
    Absent,
}

/// What becomes of packets that don't leave by an interface.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RouteType {
    /// They are dropped silently.
    Blackhole,
    /// They are dropped, and the sender is told that the destination can't be reached.
    Unreachable,
    /// They are dropped, and the sender is told that it is prohibited.
    Prohibit,
    /// The search goes on in the table of the next rule.
    Throw,
}

impl RouteType {
    /// Its name, in users' files and `ip route`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
            Self::Throw => "throw",
        }
    }
}

/// One route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Route {
    /// `absent` to remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RouteState>,
    /// Where it leads; `0.0.0.0/0` and `::/0` are the default routes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<IpNetwork>,
    /// The interface that packets leave by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_hop_interface: Option<String>,
    /// The gateway; none for what is on the link itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_hop_address: Option<IpAddr>,
    /// The lowest wins. Default 0 for IPv4 and 1024 for IPv6, as the kernel's; nmstate's -1 means the same.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::metric"
    )]
    pub metric: Option<u32>,
    /// Route table. Default 254 (main).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub table_id: Option<u32>,
    /// The VRF whose table it is in, instead of `table-id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vrf_name: Option<String>,
    /// Packets are dropped instead: such a route has no next hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_type: Option<RouteType>,
    /// Makes it one of several next hops of one route (ECMP): all entries with the same destination, table and metric. 1 to 256; that much more traffic goes this way.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub weight: Option<u16>,
    /// Preferred source address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// The gateway is on the link, whatever the addresses there say.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub onlink: Option<bool>,
    /// Largest packet.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub mtu: Option<u32>,
    /// Path MTU discovery leaves `mtu` alone.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub lock_mtu: Option<bool>,
    /// Largest segment that TCP announces.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub advmss: Option<u32>,
    /// Largest congestion window, in segments.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub cwnd: Option<u32>,
    /// First congestion window of a TCP connection, in segments.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub initcwnd: Option<u32>,
    /// First receive window of a TCP connection, in segments.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub initrwnd: Option<u32>,
    /// TCP acknowledges at once.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub quickack: Option<bool>,
    /// Shown only: who added it (`rtm_protocol`, `linux/rtnetlink.h`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// Shown only, where it is true: the kernel takes it away by itself in time (`rta_expires`), as it does with what it
    /// made of router advertisements.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub expires: Option<bool>,
}

impl Route {
    /// Whether it is of the IPv6 family. An IPv4 route may have an IPv6 gateway (RFC 5549).
    pub fn is_ipv6(&self) -> bool {
        let destination = self.destination.map(|network| network.address);
        let named = destination.or(self.next_hop_address).or(self.source);
        named.is_some_and(|address| address.is_ipv6())
    }

    /// Whether it is to be removed.
    pub fn is_absent(&self) -> bool {
        self.state == Some(RouteState::Absent)
    }

    /// Whether the kernel keeps it for an address: it comes and goes with that.
    pub fn is_connected(&self) -> bool {
        self.protocol == Some(PROTOCOL_KERNEL)
    }

    /// Whether it came with router advertisements, by way of the kernel or of us.
    pub fn is_advertised(&self) -> bool {
        self.protocol == Some(PROTOCOL_ROUTER_ADVERTISEMENT)
    }

    /// Whether the kernel itself keeps it: for an address, or because a router has advertised it. What Nipart makes of
    /// advertisements doesn't expire.
    pub fn is_kernels(&self) -> bool {
        self.is_connected() || self.is_advertised() && self.expires == Some(true)
    }

    /// Whether it is one of several next hops of a route.
    pub fn is_hop(&self) -> bool {
        self.weight.is_some()
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(route_type) = self.route_type {
            write!(formatter, "{} ", route_type.as_str())?;
        }
        match self.destination {
            Some(network) => write!(formatter, "{network}")?,
            None => formatter.write_str("any")?,
        }
        if let Some(gateway) = self.next_hop_address {
            write!(formatter, " via {gateway}")?;
        }
        if let Some(interface) = &self.next_hop_interface {
            write!(formatter, " dev {interface}")?;
        }
        if let Some(metric) = self.metric {
            write!(formatter, " metric {metric}")?;
        }
        if let Some(table) = self.table_id {
            write!(formatter, " table {table}")?;
        }
        if let Some(vrf) = &self.vrf_name {
            write!(formatter, " vrf {vrf}")?;
        }
        if let Some(weight) = self.weight {
            write!(formatter, " weight {weight}")?;
        }
        if self.onlink == Some(true) {
            formatter.write_str(" onlink")?;
        }
        if let Some(mtu) = self.mtu {
            write!(formatter, " mtu {mtu}")?;
        }
        Ok(())
    }
}

overlay_leaf!(Route);
