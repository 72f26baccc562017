// SPDX-License-Identifier: Apache-2.0

//! When two routes are the same, and when one has what another asks for.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use super::{DEFAULT_METRIC_IPV6, IpNetwork, MAIN_TABLE, Route, RouteType};

/// What makes two routes the same for the kernel: the metric belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    /// Destination.
    pub destination: Option<IpNetwork>,
    /// Table, main where none was written.
    pub table_id: u32,
    /// Metric, the kernel's default where none was written.
    pub metric: u32,
    /// VRF, where it was written instead of the table.
    pub vrf_name: Option<String>,
    /// None for one with a next hop.
    pub route_type: Option<RouteType>,
    /// Outgoing interface.
    pub next_hop_interface: Option<String>,
    /// Gateway.
    pub next_hop_address: Option<IpAddr>,
}

/// What the kernel has but one route for, which may have several next hops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteSlot {
    /// Destination.
    pub destination: Option<IpNetwork>,
    /// Table, main where none was written.
    pub table_id: u32,
    /// Metric, the kernel's default where none was written.
    pub metric: u32,
    /// VRF, where it was written instead of the table.
    pub vrf_name: Option<String>,
}

/// Routes in one place are few: what tells those apart isn't hashed, for lists may be long.
impl Hash for RouteKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_place(self.destination, self.table_id, self.metric, state);
    }
}

impl Hash for RouteSlot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_place(self.destination, self.table_id, self.metric, state);
    }
}

fn hash_place<H: Hasher>(
    destination: Option<IpNetwork>,
    table_id: u32,
    metric: u32,
    state: &mut H,
) {
    if let Some(destination) = destination {
        match destination.address {
            IpAddr::V4(address) => state.write_u32(address.to_bits()),
            IpAddr::V6(address) => state.write_u128(address.to_bits()),
        }
        state.write_u8(destination.prefix_length);
    }
    state.write_u64(u64::from(table_id) << 32 | u64::from(metric));
}

impl Route {
    /// The table, main where none was written.
    pub fn table(&self) -> u32 {
        match self.table_id {
            None | Some(0) => MAIN_TABLE,
            Some(table) => table,
        }
    }

    /// The metric, the kernel's default where none was written.
    pub fn effective_metric(&self) -> u32 {
        match self.metric {
            // An IPv6 route of metric 0 gets the default too (fib6_config, net/ipv6/route.c).
            None | Some(0) if self.is_ipv6() => DEFAULT_METRIC_IPV6,
            other => other.unwrap_or(0),
        }
    }

    /// Its identity, with the kernel's defaults filled in.
    pub fn key(&self) -> RouteKey {
        RouteKey {
            destination: self.destination,
            table_id: self.table(),
            metric: self.effective_metric(),
            vrf_name: self.vrf_name.clone(),
            route_type: self.route_type,
            next_hop_interface: self.next_hop_interface.clone(),
            next_hop_address: self.next_hop_address,
        }
    }

    /// Its place in the kernel's tables.
    pub fn slot(&self) -> RouteSlot {
        RouteSlot {
            destination: self.destination,
            table_id: self.table(),
            metric: self.effective_metric(),
            vrf_name: self.vrf_name.clone(),
        }
    }

    /// Whether `present`, a route with the same identity, has all the properties that are written here.
    pub fn is_satisfied_by(&self, present: &Self) -> bool {
        fn number(wanted: Option<u32>, present: Option<u32>) -> bool {
            wanted.is_none_or(|wanted| wanted == present.unwrap_or(0))
        }
        fn switch(wanted: Option<bool>, present: Option<bool>) -> bool {
            wanted.is_none_or(|wanted| wanted == present.unwrap_or(false))
        }
        (self.source.is_none() || self.source == present.source)
            && number(self.mtu, present.mtu)
            && number(self.advmss, present.advmss)
            && number(self.cwnd, present.cwnd)
            && number(self.initcwnd, present.initcwnd)
            && number(self.initrwnd, present.initrwnd)
            && switch(self.lock_mtu, present.lock_mtu)
            && switch(self.quickack, present.quickack)
            && switch(self.onlink, present.onlink)
    }

    /// Whether both have the same properties.
    pub fn is_like(&self, other: &Self) -> bool {
        self.is_satisfied_by(other) && other.is_satisfied_by(self) && self.source == other.source
    }

    /// Whether `self`, as an `absent` entry, means `route`: each key that is left out matches anything.
    pub fn matches(&self, route: &Self) -> bool {
        fn open_or_equal<T: PartialEq>(pattern: Option<&T>, value: Option<&T>) -> bool {
            pattern.is_none() || pattern == value
        }
        open_or_equal(self.destination.as_ref(), route.destination.as_ref())
            && open_or_equal(
                self.next_hop_interface.as_ref(),
                route.next_hop_interface.as_ref(),
            )
            && open_or_equal(
                self.next_hop_address.as_ref(),
                route.next_hop_address.as_ref(),
            )
            && open_or_equal(self.route_type.as_ref(), route.route_type.as_ref())
            && open_or_equal(self.vrf_name.as_ref(), route.vrf_name.as_ref())
            && open_or_equal(self.weight.as_ref(), route.weight.as_ref())
            && self
                .metric
                .is_none_or(|metric| metric == route.effective_metric())
            && self
                .table_id
                .is_none_or(|_| self.table() == route.table() && route.vrf_name.is_none())
            && self.is_satisfied_by(route)
    }
}
