// SPDX-License-Identifier: Apache-2.0

//! Messages about routes.

use std::net::IpAddr;

use nipart_netlink::NetlinkRequest;
use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType, RouteVia,
};
use nipart_schemas::error::NipartError;
use nipart_schemas::ip::PROTOCOL_NIPART;
use nipart_schemas::route::{IpNetwork, Route};

use super::{Names, Step};

/// Adds the route; one with the same destination, table and metric makes the kernel refuse it.
pub(super) fn add(route: &Route, names: &Names) -> Result<Step, NipartError> {
    let link = match &route.next_hop_interface {
        Some(name) => Some(names.index(name)?),
        None => None,
    };
    let mut message = about(route, link)?;
    message.header.kind = RouteType::Unicast;
    message.header.protocol = RouteProtocol::from(route.protocol.unwrap_or(PROTOCOL_NIPART));
    message.header.scope = match (route.next_hop_address, message.header.address_family) {
        // Reached without a gateway; IPv6 knows no scopes of routes.
        (None, AddressFamily::Inet) => RouteScope::Link,
        _ => RouteScope::Universe,
    };
    Ok(Step::send(NetlinkRequest::add_route(message)))
}

/// Removes the route; gone already, alone or with its link, counts as removed.
pub(super) fn remove(route: &Route, names: &Names) -> Result<Vec<Step>, NipartError> {
    let link = match &route.next_hop_interface {
        Some(name) => match names.find(name) {
            Some(link) => Some(link),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let mut message = about(route, link)?;
    message.header.kind = RouteType::Unicast;
    // Any scope: the kernel's name for "not given" is "nowhere".
    message.header.scope = RouteScope::NoWhere;
    message.header.protocol = route
        .protocol
        .map_or(RouteProtocol::Unspec, RouteProtocol::from);
    let request = NetlinkRequest::delete_route(message);
    Ok(vec![Step::send_forgiving(request, |error| {
        error.is_not_found()
    })])
}

/// What names the route: destination, table, metric, gateway, interface, source.
fn about(route: &Route, link: Option<u32>) -> Result<RouteMessage, NipartError> {
    let Some(destination) = route.destination else {
        let text = "a route needs a destination";
        return Err(NipartError::invalid("routes.config", text));
    };
    let mut message = RouteMessage::default();
    message.header.destination_prefix_length = destination.prefix_length;
    message.header.address_family = family(&destination);
    let table = route.key().table_id;
    // The header's field holds eight bits only; zero there means that the attribute counts.
    message.header.table = u8::try_from(table).unwrap_or(0);
    let attributes = &mut message.attributes;
    if !destination.is_default() {
        attributes.push(RouteAttribute::Destination(destination.address.into()));
    }
    attributes.push(RouteAttribute::Table(table));
    attributes.extend(
        route
            .metric
            .filter(|metric| *metric != 0)
            .map(RouteAttribute::Priority),
    );
    attributes.extend(
        route
            .next_hop_address
            .map(|gateway| to_gateway(&destination, gateway)),
    );
    attributes.extend(link.map(RouteAttribute::Oif));
    let source = route.source.map(RouteAddress::from);
    attributes.extend(source.map(RouteAttribute::PrefSource));
    Ok(message)
}

fn family(destination: &IpNetwork) -> AddressFamily {
    match destination.address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// A gateway of the other family goes into `RTA_VIA` (RFC 5549).
fn to_gateway(destination: &IpNetwork, gateway: IpAddr) -> RouteAttribute {
    match gateway {
        IpAddr::V6(gateway) if destination.address.is_ipv4() => {
            RouteAttribute::Via(RouteVia::Inet6(gateway))
        }
        gateway => RouteAttribute::Gateway(gateway.into()),
    }
}
