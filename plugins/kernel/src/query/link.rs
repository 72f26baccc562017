// SPDX-License-Identifier: Apache-2.0

//! From `RTM_NEWLINK` to an interface: what is common to all kinds.

use nipart_netlink::packet::link::{
    BridgeVlanInfo, InfoData, InfoKind, InfoPortData, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage, Prop,
};
use nipart_schemas::interface::{AltName, Interface, InterfaceState};
use nipart_schemas::ip::{Ipv4, Ipv6};
use nipart_schemas::mac_address::MacAddress;

use super::{device, ip_stack};
use crate::kind;

/// One link, read but not yet related to the others.
#[derive(Debug)]
pub(crate) struct Link {
    /// What needs no other link to be told. Boxed: it is large, and moved around until all is sorted.
    pub(crate) interface: Box<Interface>,
    /// The rest.
    pub(crate) facts: LinkFacts,
}

/// What the kind and the relations of a link are told from.
#[derive(Debug)]
pub(crate) struct LinkFacts {
    /// `ifindex`.
    pub(crate) index: u32,
    /// Kernel name.
    pub(crate) name: String,
    /// `IFLA_INFO_KIND`; none for a physical link.
    pub(crate) kind: Option<InfoKind>,
    /// `IFLA_INFO_DATA`.
    pub(crate) data: Option<InfoData>,
    /// `IFLA_INFO_SLAVE_DATA`: what its controller keeps about it.
    pub(crate) port_data: Option<InfoPortData>,
    /// `IFLA_MASTER`.
    pub(crate) controller: Option<u32>,
    /// `IFLA_LINK`, unless that is in another network namespace.
    pub(crate) base: Option<u32>,
    /// More than one queue in any direction (`IFLA_NUM_TX_QUEUES`, `IFLA_NUM_RX_QUEUES`), used or not.
    pub(crate) has_several_queues: bool,
    /// What its bridge lets pass; empty where that doesn't look at VLANs.
    pub(crate) vlans: Vec<BridgeVlanInfo>,
}

impl LinkFacts {
    /// All links that its section and its controller name.
    pub(crate) fn references(&self) -> Vec<u32> {
        let own = self
            .kind
            .as_ref()
            .and_then(kind::of_kernel)
            .map_or_else(Vec::new, |kind| kind.references(self));
        self.controller
            .into_iter()
            .chain(self.base)
            .chain(own)
            .collect()
    }
}

impl Link {
    /// None for a message without a name, which the kernel doesn't send about links.
    pub(crate) fn from_message(message: LinkMessage) -> Option<Self> {
        let header = message.header;
        let is_up = header.flags.contains(LinkFlags::Up);
        let mut interface = Box::new(Interface {
            state: Some(if is_up {
                InterfaceState::Up
            } else {
                InterfaceState::Down
            }),
            accept_all_mac_addresses: Some(header.flags.contains(LinkFlags::Promisc)),
            ipv4: Some(Ipv4::default()),
            // A kernel without IPv6, or a link whose MTU is too small for it, shows nothing of it.
            ipv6: Some(Ipv6 {
                enabled: Some(false),
                ..Ipv6::default()
            }),
            ..Interface::default()
        });
        let mut facts = LinkFacts {
            index: header.index,
            name: String::new(),
            kind: None,
            data: None,
            port_data: None,
            controller: None,
            base: None,
            has_several_queues: false,
            vlans: Vec::new(),
        };
        let mut is_base_elsewhere = false;
        let (mut bus, mut device) = (None, None);
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => facts.name = name,
                LinkAttribute::Mtu(mtu) => interface.mtu = Some(mtu),
                LinkAttribute::MinMtu(mtu) => interface.min_mtu = Some(mtu),
                // Zero says that there is no limit.
                LinkAttribute::MaxMtu(mtu) => interface.max_mtu = (mtu != 0).then_some(mtu),
                LinkAttribute::Address(bytes) => interface.mac_address = mac_address(&bytes),
                LinkAttribute::PermAddress(bytes) => {
                    interface.permanent_mac_address = mac_address(&bytes);
                }
                LinkAttribute::ParentDevBusName(name) => bus = Some(name),
                LinkAttribute::ParentDevName(name) => device = Some(name),
                LinkAttribute::IfAlias(text) => interface.description = Some(text),
                LinkAttribute::PropList(properties) => interface.alt_names = alt_names(properties),
                LinkAttribute::Controller(index) => facts.controller = Some(index),
                LinkAttribute::Link(index) => facts.base = (index != 0).then_some(index),
                LinkAttribute::LinkNetNsId(_) => is_base_elsewhere = true,
                LinkAttribute::NumTxQueues(number) | LinkAttribute::NumRxQueues(number) => {
                    facts.has_several_queues |= number > 1;
                }
                LinkAttribute::LinkInfo(info) => facts.take_info(info),
                LinkAttribute::AfSpecUnspec(families) => {
                    ip_stack::observe(&families, &mut interface)
                }
                _ => {}
            }
        }
        if is_base_elsewhere {
            facts.base = None;
        }
        if interface.permanent_mac_address.is_none() {
            let kept = facts
                .port_data
                .as_ref()
                .and_then(kind::address_kept_by_bond);
            interface.permanent_mac_address = kept.and_then(mac_address);
        }
        if facts.name.is_empty() {
            return None;
        }
        let observed_type = kind::observed_type(facts.kind.as_ref(), header.link_layer_type);
        interface.interface_type = Some(observed_type);
        if let (Some(bus), Some(device)) = (bus, device) {
            device::observe(&bus, &device, &mut interface);
        }
        interface.name.clone_from(&facts.name);
        Some(Self { interface, facts })
    }
}

impl LinkFacts {
    fn take_info(&mut self, info: Vec<LinkInfo>) {
        for item in info {
            match item {
                LinkInfo::Kind(kind) => self.kind = Some(kind),
                LinkInfo::Data(data) => self.data = Some(data),
                LinkInfo::PortData(data) => self.port_data = Some(data),
                _ => {}
            }
        }
    }
}

/// Tunnels have link-layer addresses of other lengths, which are IP addresses really.
fn mac_address(bytes: &[u8]) -> Option<MacAddress> {
    matches!(bytes.len(), 6 | 20).then(|| MacAddress::new(bytes))
}

fn alt_names(properties: Vec<Prop>) -> Option<Vec<AltName>> {
    let names: Vec<AltName> = properties
        .into_iter()
        .filter_map(|property| match property {
            Prop::AltIfName(name) => Some(AltName { name, state: None }),
            _ => None,
        })
        .collect();
    (!names.is_empty()).then_some(names)
}
