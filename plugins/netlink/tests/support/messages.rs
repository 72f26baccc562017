// SPDX-License-Identifier: Apache-2.0

//! Messages and sockets that the tests share; not every test file needs all of them.

#![allow(
    dead_code,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "each test binary compiles this file for itself"
)]

use std::net::Ipv4Addr;

use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::address::{AddressAttribute, AddressMessage};
use nipart_netlink::packet::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use nipart_netlink::packet::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use nipart_netlink::{
    ApplyOptions, ApplySocket, DumpOptions, DumpSocket, LinkFilter, NetlinkRequest,
};

pub fn apply_socket() -> ApplySocket {
    ApplySocket::open(ApplyOptions::default()).unwrap()
}

pub fn dump_socket() -> DumpSocket {
    DumpSocket::open(DumpOptions::default()).unwrap()
}

/// The runtime of the plugins.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message
        .attributes
        .push(LinkAttribute::IfName(name.to_owned()));
    message
}

pub fn link(name: &str, kind: InfoKind) -> LinkMessage {
    let mut message = named(name);
    message
        .attributes
        .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]));
    message
}

pub fn veth(name: &str, peer: &str) -> LinkMessage {
    let mut message = named(name);
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(named(peer)))),
    ]));
    message
}

/// Requests for the pairs `v<n>`–`p<n>`.
pub fn veth_pairs(numbers: std::ops::Range<u32>) -> Vec<NetlinkRequest> {
    numbers
        .map(|number| {
            NetlinkRequest::create_link(veth(&format!("v{number}"), &format!("p{number}")))
        })
        .collect()
}

pub fn set_mtu(name: &str, mtu: u32) -> NetlinkRequest {
    let mut message = named(name);
    message.attributes.push(LinkAttribute::Mtu(mtu));
    NetlinkRequest::change_link(message)
}

pub fn set_up(name: &str) -> NetlinkRequest {
    let mut message = named(name);
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    NetlinkRequest::change_link(message)
}

pub fn address(index: u32, address: Ipv4Addr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.prefix_len = 32;
    message.header.index = index;
    message
        .attributes
        .push(AddressAttribute::Local(address.into()));
    message
}

pub fn route(
    destination: Ipv4Addr,
    index: u32,
    table: u32,
    protocol: RouteProtocol,
) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = 32;
    message.header.kind = RouteType::Unicast;
    message.header.scope = RouteScope::Link;
    message.header.protocol = protocol;
    message.attributes = vec![
        RouteAttribute::Destination(RouteAddress::Inet(destination)),
        RouteAttribute::Oif(index),
        RouteAttribute::Table(table),
    ];
    message
}

pub fn name_of(message: &LinkMessage) -> &str {
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.as_str()),
            _ => None,
        })
        .unwrap()
}

pub async fn index_of(dump: &DumpSocket, name: &str) -> u32 {
    let link = dump.link(name, LinkFilter::default()).await.unwrap();
    link.unwrap().header.index
}

/// What `ip -j` prints for these arguments.
pub fn ip_json(arguments: &[&str]) -> Vec<serde_json::Value> {
    let mut all = vec!["-j", "-d"];
    all.extend(arguments);
    let printed = nipart_tests::namespace::ip(&all);
    if printed.trim().is_empty() {
        return Vec::new();
    }
    serde_json::from_str(&printed).unwrap()
}
