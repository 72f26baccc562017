// SPDX-License-Identifier: Apache-2.0

//! Messages about addresses.

use std::net::IpAddr;

use nipart_netlink::NetlinkRequest;
use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
};
use nipart_schemas::ip::{Address, PROTOCOL_DHCP};

use super::Step;

/// `INFINITY_LIFE_TIME`, `net/addrconf.h`.
const FOREVER: u32 = u32::MAX;

/// Adds the address, or gives the one that is there new life times, another owner or metric.
///
/// As `ip address add` does without `brd`, no broadcast address is set: the kernel sends to that of the network all
/// the same.
pub(super) fn add(link: u32, address: &Address) -> Step {
    let mut message = about(link, address);
    let attributes = &mut message.attributes;
    let protocol = address.protocol.map(AddressProtocol::from);
    attributes.extend(protocol.map(AddressAttribute::Protocol));
    let metric = address.prefix_route_metric;
    attributes.extend(metric.map(AddressAttribute::RoutePriority));
    // What is lent is on no network of its own, and the kernel would keep the route when it takes the address away
    // (`ipv6_del_addr` looks after those that live for ever).
    if address.ip.is_ipv6() && address.protocol == Some(PROTOCOL_DHCP) {
        attributes.push(AddressAttribute::Flags(AddressFlags::Noprefixroute));
    }
    // Always, since a replaced address keeps limits that aren't named.
    let mut times = CacheInfo::default();
    times.ifa_valid = address.valid_life_time.unwrap_or(FOREVER);
    times.ifa_preferred = address.preferred_life_time.unwrap_or(times.ifa_valid);
    attributes.push(AddressAttribute::CacheInfo(times));
    Step::send(NetlinkRequest::replace_address(message))
}

/// Removes the address; gone already counts as removed.
pub(super) fn remove(link: u32, address: &Address) -> Step {
    let request = NetlinkRequest::delete_address(about(link, address));
    Step::send_forgiving(request, |error| error.is_not_found())
}

fn about(link: u32, address: &Address) -> AddressMessage {
    let mut message = AddressMessage::default();
    let header = &mut message.header;
    header.index = link;
    header.prefix_len = address.prefix_length;
    header.family = match address.ip {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    // IPv6 finds the scope itself; IPv4 believes what it is told.
    if address.ip.is_loopback() {
        header.scope = AddressScope::Host;
    }
    message.attributes = vec![
        AddressAttribute::Local(address.ip),
        AddressAttribute::Address(address.ip),
    ];
    message
}
