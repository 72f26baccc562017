// SPDX-License-Identifier: Apache-2.0

//! What a dump is narrowed down to. The kernel filters, thanks to strict checking, so a narrow dump is a cheap
//! one. Every field left out means "any": headers start out as zeroes, which the kernel reads the same way.

use netlink_packet_core::NLM_F_DUMP;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkExtentMask, LinkInfo, LinkMessage};
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::request::NetlinkRequest;

/// Which links, and how much about each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkFilter {
    /// Only links of this kind (`IFLA_INFO_KIND`).
    pub kind: Option<InfoKind>,
    /// Only ports of the controller with this index (`IFLA_MASTER`).
    pub controller: Option<u32>,
    /// Include the IPv6 counters (without `RTEXT_FILTER_SKIP_STATS`); those of the interface itself are always
    /// there.
    pub ipv6_statistics: bool,
    /// Include SR-IOV virtual functions (`RTEXT_FILTER_VF`).
    pub virtual_functions: bool,
}

impl LinkFilter {
    pub(super) fn request(&self) -> NetlinkRequest {
        let mut message = LinkMessage::default();
        message.attributes.extend(self.extent());
        if let Some(controller) = self.controller {
            message
                .attributes
                .push(LinkAttribute::Controller(controller));
        }
        if let Some(kind) = &self.kind {
            message
                .attributes
                .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind.clone())]));
        }
        NetlinkRequest::new(RouteNetlinkMessage::GetLink(message), NLM_F_DUMP)
    }

    /// `IFLA_EXT_MASK`, `None` when it would be zero.
    pub(super) fn extent(&self) -> Option<LinkAttribute> {
        let mut extent = Vec::new();
        if !self.ipv6_statistics {
            extent.push(LinkExtentMask::SkipStats);
        }
        if self.virtual_functions {
            extent.push(LinkExtentMask::Vf);
        }
        (!extent.is_empty()).then_some(LinkAttribute::ExtMask(extent))
    }
}

/// Which routes. IPv4 and IPv6 both, unless a family is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouteFilter {
    /// Only `Inet` or `Inet6`; other families yield nothing.
    pub family: Option<AddressFamily>,
    /// Only this table (`RTA_TABLE`); 254 is main, 255 local.
    pub table: Option<u32>,
    /// Only routes through the interface with this index (`RTA_OIF`).
    pub interface: Option<u32>,
    /// Only routes installed by this protocol.
    pub protocol: Option<RouteProtocol>,
}

impl RouteFilter {
    /// The families to dump, each on its own: a dump of family 0 would add multicast and MPLS routes, whose
    /// handlers refuse some of the filters.
    pub(super) fn families(&self) -> Vec<AddressFamily> {
        [AddressFamily::Inet, AddressFamily::Inet6]
            .into_iter()
            .filter(|family| self.family.is_none_or(|wanted| wanted == *family))
            .collect()
    }

    pub(super) fn request(&self, family: AddressFamily) -> NetlinkRequest {
        let mut message = RouteMessage::default();
        message.header.address_family = family;
        message.header.protocol = self.protocol.unwrap_or(RouteProtocol::Unspec);
        if let Some(table) = self.table {
            // The header's field holds eight bits only.
            message.attributes.push(RouteAttribute::Table(table));
        }
        if let Some(interface) = self.interface {
            message.attributes.push(RouteAttribute::Oif(interface));
        }
        NetlinkRequest::new(RouteNetlinkMessage::GetRoute(message), NLM_F_DUMP)
    }
}
