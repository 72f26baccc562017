// SPDX-License-Identifier: Apache-2.0

//! Messages about routes.

use std::net::IpAddr;

use nipart_netlink::NetlinkRequest;
use nipart_netlink::builder::{RouteMessageBuilder, RouteNextHopBuilder};
use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::route::{
    RouteAttribute, RouteMessage, RouteMetric, RouteNextHop, RouteProtocol, RouteScope,
    RouteType as KernelType,
};
use nipart_schemas::error::NipartError;
use nipart_schemas::ip::{PROTOCOL_DHCP, PROTOCOL_NIPART};
use nipart_schemas::route::{Route, RouteType};

use super::{Names, Step};

type Builder = RouteMessageBuilder<IpAddr>;

/// `RTAX_LOCK` has a bit for each metric, numbered as the metrics are: this is `RTAX_MTU`.
const LOCK_MTU: u32 = 1 << 2;

/// Adds the route; one with the same destination, table and metric makes the kernel refuse it. A leased or advertised one
/// is added behind it.
pub(super) fn add(route: &Route, names: &Names) -> Result<Step, NipartError> {
    let message = single(route, names)?;
    let is_learned = route.protocol == Some(PROTOCOL_DHCP) || route.is_advertised();
    Ok(Step::send(if is_learned {
        NetlinkRequest::append_route(message)
    } else {
        NetlinkRequest::add_route(message)
    }))
}

/// Adds one route with several next hops.
pub(super) fn add_multipath(hops: &[Route], names: &Names) -> Result<Step, NipartError> {
    Ok(Step::send(NetlinkRequest::add_route(multipath(
        hops, names,
    )?)))
}

/// Puts a route in the place of the one with the same destination, table and metric, if there is any.
pub(super) fn replace(hops: &[Route], names: &Names) -> Result<Step, NipartError> {
    let message = match hops {
        [hop] => single(hop, names)?,
        hops => multipath(hops, names)?,
    };
    Ok(Step::send(NetlinkRequest::replace_route(message)))
}

fn single(route: &Route, names: &Names) -> Result<RouteMessage, NipartError> {
    let mut builder = new(route)?
        .kind(kind(route))
        .scope(scope(route))
        .protocol(protocol(route));
    if let Some(name) = &route.next_hop_interface {
        builder = builder.output_interface(names.index(name)?);
    }
    if let Some(gateway) = route.next_hop_address {
        builder = builder.gateway(gateway).map_err(|error| bad(&error))?;
    }
    if route.onlink == Some(true) {
        builder = builder.onlink();
    }
    with_properties(builder, route)
}

fn multipath(hops: &[Route], names: &Names) -> Result<RouteMessage, NipartError> {
    let Some(first) = hops.first() else {
        return Err(bad(&"a route without next hops"));
    };
    let next_hops: Result<Vec<RouteNextHop>, NipartError> =
        hops.iter().map(|hop| next_hop(hop, names)).collect();
    let builder = new(first)?
        .kind(KernelType::Unicast)
        .protocol(protocol(first))
        .multipath(next_hops?);
    with_properties(builder, first)
}

fn next_hop(hop: &Route, names: &Names) -> Result<RouteNextHop, NipartError> {
    let family = if hop.is_ipv6() {
        AddressFamily::Inet6
    } else {
        AddressFamily::Inet
    };
    let mut builder = RouteNextHopBuilder::new(family);
    if let Some(name) = &hop.next_hop_interface {
        builder = builder.interface(names.index(name)?);
    }
    if let Some(gateway) = hop.next_hop_address {
        builder = builder.via(gateway).map_err(|error| bad(&error))?;
    }
    if hop.onlink == Some(true) {
        builder = builder.onlink();
    }
    // The kernel counts from zero.
    let weight = hop.weight.unwrap_or(1).clamp(1, 256) - 1;
    Ok(builder
        .weight(u8::try_from(weight).unwrap_or(u8::MAX))
        .build())
}

/// Removes the route; gone already, alone or with its link, counts as removed.
pub(super) fn remove(route: &Route, names: &Names) -> Result<Vec<Step>, NipartError> {
    let mut builder = to_remove(route)?.kind(kind(route));
    if let Some(name) = &route.next_hop_interface {
        match names.find(name) {
            Some(link) => builder = builder.output_interface(link),
            None => return Ok(Vec::new()),
        }
    }
    if let Some(gateway) = route.next_hop_address {
        builder = builder.gateway(gateway).map_err(|error| bad(&error))?;
    }
    if let Some(source) = route.source {
        builder = builder.pref_source(source).map_err(|error| bad(&error))?;
    }
    Ok(vec![forgiving(builder.build())])
}

/// Removes a route with all its next hops: none is named.
pub(super) fn remove_multipath(hops: &[Route]) -> Result<Vec<Step>, NipartError> {
    let Some(first) = hops.first() else {
        return Ok(Vec::new());
    };
    let builder = to_remove(first)?.kind(KernelType::Unicast);
    Ok(vec![forgiving(builder.build())])
}

fn forgiving(message: RouteMessage) -> Step {
    let request = NetlinkRequest::delete_route(message);
    Step::send_forgiving(request, |error| error.is_not_found())
}

/// Destination, table and metric, of any owner and scope.
fn to_remove(route: &Route) -> Result<Builder, NipartError> {
    let protocol = route
        .protocol
        .map_or(RouteProtocol::Unspec, RouteProtocol::from);
    // The kernel's name for "not given" is "nowhere".
    Ok(new(route)?.scope(RouteScope::NoWhere).protocol(protocol))
}

/// What names the route: destination, table, metric.
fn new(route: &Route) -> Result<Builder, NipartError> {
    let Some(destination) = route.destination else {
        let text = "a route needs a destination";
        return Err(NipartError::invalid("routes.config", text));
    };
    let builder = Builder::new()
        .destination_prefix(destination.address, destination.prefix_length)
        .map_err(|error| bad(&error))?
        .table_id(route.table());
    Ok(match route.metric {
        None | Some(0) => builder,
        Some(metric) => builder.priority(metric),
    })
}

fn protocol(route: &Route) -> RouteProtocol {
    RouteProtocol::from(route.protocol.unwrap_or(PROTOCOL_NIPART))
}

fn kind(route: &Route) -> KernelType {
    match route.route_type {
        None => KernelType::Unicast,
        Some(RouteType::Blackhole) => KernelType::BlackHole,
        Some(RouteType::Unreachable) => KernelType::Unreachable,
        Some(RouteType::Prohibit) => KernelType::Prohibit,
        Some(RouteType::Throw) => KernelType::Throw,
    }
}

/// What is reached without a gateway is on the link; IPv6 knows no scopes of routes.
fn scope(route: &Route) -> RouteScope {
    if route.route_type.is_none() && route.next_hop_address.is_none() && !route.is_ipv6() {
        RouteScope::Link
    } else {
        RouteScope::Universe
    }
}

fn with_properties(mut builder: Builder, route: &Route) -> Result<RouteMessage, NipartError> {
    if let Some(source) = route.source {
        builder = builder.pref_source(source).map_err(|error| bad(&error))?;
    }
    let number = |value: Option<u32>, metric: fn(u32) -> RouteMetric| {
        value.filter(|value| *value != 0).map(metric)
    };
    let switch = |value: Option<bool>, metric: RouteMetric| (value == Some(true)).then_some(metric);
    let metrics: Vec<RouteMetric> = [
        switch(route.lock_mtu, RouteMetric::Lock(LOCK_MTU)),
        number(route.mtu, RouteMetric::Mtu),
        number(route.advmss, RouteMetric::Advmss),
        number(route.cwnd, RouteMetric::Cwnd),
        number(route.initcwnd, RouteMetric::InitCwnd),
        number(route.initrwnd, RouteMetric::InitRwnd),
        switch(route.quickack, RouteMetric::QuickAck(1)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut message = builder.build();
    if !metrics.is_empty() {
        message.attributes.push(RouteAttribute::Metrics(metrics));
    }
    Ok(message)
}

fn bad(error: &impl std::fmt::Display) -> NipartError {
    NipartError::invalid("routes.config", error.to_string())
}
