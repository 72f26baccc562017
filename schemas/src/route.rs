// SPDX-License-Identifier: Apache-2.0

//! Routes.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::overlay_leaf;

/// Number of the main route table (`RT_TABLE_MAIN`).
pub const MAIN_TABLE: u32 = 254;

/// Metric that the kernel gives an IPv6 route without one (`IP6_RT_PRIO_USER`).
pub const DEFAULT_METRIC_IPV6: u32 = 1024;

/// A network in CIDR notation. Host bits are zero.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct IpNetwork {
    /// Network address.
    pub address: IpAddr,
    /// Prefix length in bits.
    pub prefix_length: u8,
}

impl IpNetwork {
    /// The network that `address` is in; host bits are cleared.
    pub fn containing(address: IpAddr, prefix_length: u8) -> Self {
        let address = match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(prefix_length.min(32)))
                    .unwrap_or(0);
                IpAddr::V4((v4.to_bits() & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(prefix_length.min(128)))
                    .unwrap_or(0);
                IpAddr::V6((v6.to_bits() & mask).into())
            }
        };
        Self {
            address,
            prefix_length,
        }
    }

    /// Whether `address` is inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && Self::containing(address, self.prefix_length) == *self
    }

    /// Whether it is the whole address space.
    pub fn is_default(&self) -> bool {
        self.prefix_length == 0
    }
}

impl FromStr for IpNetwork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "{text:?} is not a network: expected an address with a prefix length such as 192.0.2.0/24 or 2001:db8::/64"
            )
        };
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_length = match length {
            Some(length) => length.parse().map_err(|_| refuse())?,
            None => longest,
        };
        if prefix_length > longest {
            return Err(format!("{text:?}: the prefix length is at most {longest}"));
        }
        let network = Self::containing(address, prefix_length);
        if network.address != address {
            return Err(format!(
                "{text:?} has host bits set: the network is {network}"
            ));
        }
        Ok(network)
    }
}

impl TryFrom<String> for IpNetwork {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<IpNetwork> for String {
    fn from(network: IpNetwork) -> Self {
        network.to_string()
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}

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

/// The only state that a route can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RouteState {
    /// To be removed, with every key that is left out matching anything.
    Absent,
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
    /// Preferred source address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// Shown only: who added it (`rtm_protocol`, `linux/rtnetlink.h`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
}

/// What makes two routes the same for the kernel: the metric belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey {
    /// Destination.
    pub destination: Option<IpNetwork>,
    /// Table, main where none was written.
    pub table_id: u32,
    /// Metric, the kernel's default where none was written.
    pub metric: u32,
    /// Outgoing interface.
    pub next_hop_interface: Option<String>,
    /// Gateway.
    pub next_hop_address: Option<IpAddr>,
}

impl Route {
    /// Whether it is of the IPv6 family.
    pub fn is_ipv6(&self) -> bool {
        self.destination
            .is_some_and(|network| network.address.is_ipv6())
            || self
                .next_hop_address
                .is_some_and(|address| address.is_ipv6())
    }

    /// Whether it is to be removed.
    pub fn is_absent(&self) -> bool {
        self.state == Some(RouteState::Absent)
    }

    /// Its identity, with the kernel's defaults filled in.
    pub fn key(&self) -> RouteKey {
        let default_metric = if self.is_ipv6() {
            DEFAULT_METRIC_IPV6
        } else {
            0
        };
        RouteKey {
            destination: self.destination,
            table_id: match self.table_id {
                None | Some(0) => MAIN_TABLE,
                Some(table) => table,
            },
            metric: match self.metric {
                // An IPv6 route of metric 0 gets the default too (fib6_config, net/ipv6/route.c).
                None => default_metric,
                Some(0) if self.is_ipv6() => default_metric,
                Some(metric) => metric,
            },
            next_hop_interface: self.next_hop_interface.clone(),
            next_hop_address: self.next_hop_address,
        }
    }

    /// Whether `self`, as an `absent` entry, means `route`: each key that is left out matches anything.
    pub fn matches(&self, route: &Self) -> bool {
        fn open_or_equal<T: PartialEq>(pattern: Option<&T>, value: Option<&T>) -> bool {
            pattern.is_none() || pattern == value
        }
        let key = route.key();
        open_or_equal(self.destination.as_ref(), route.destination.as_ref())
            && open_or_equal(
                self.next_hop_interface.as_ref(),
                route.next_hop_interface.as_ref(),
            )
            && open_or_equal(
                self.next_hop_address.as_ref(),
                route.next_hop_address.as_ref(),
            )
            && open_or_equal(self.source.as_ref(), route.source.as_ref())
            && self.metric.is_none_or(|metric| metric == key.metric)
            && self
                .table_id
                .is_none_or(|_| self.key().table_id == key.table_id)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        Ok(())
    }
}

overlay_leaf!(Route);
