// SPDX-License-Identifier: Apache-2.0

//! VXLAN (`drivers/net/vxlan/vxlan_core.c`): a change keeps what it doesn't name.

use std::net::IpAddr;

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoVxlan};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

/// The port assigned by IANA; the kernel's own default, 8472, is older than the assignment.
const DEFAULT_PORT: u16 = 4789;

pub(super) struct Vxlan;

impl LinkKind for Vxlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Vxlan
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Vxlan
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let mut section = interface::Vxlan::default();
        let Some(InfoData::Vxlan(attributes)) = &link.data else {
            return;
        };
        for attribute in attributes {
            match attribute {
                InfoVxlan::Id(id) => section.id = Some(*id),
                InfoVxlan::Link(index) => section.base_iface = surroundings.name(*index),
                InfoVxlan::Learning(on) => section.learning = Some(*on),
                InfoVxlan::Local(address) => section.local = Some((*address).into()),
                InfoVxlan::Local6(address) => section.local = Some((*address).into()),
                InfoVxlan::Group(address) => section.remote = Some((*address).into()),
                InfoVxlan::Group6(address) => section.remote = Some((*address).into()),
                InfoVxlan::Port(port) => section.destination_port = Some(*port),
                _ => {}
            }
        }
        interface.vxlan = Some(Box::new(section));
    }

    fn references(&self, link: &LinkFacts) -> Vec<u32> {
        let Some(InfoData::Vxlan(attributes)) = &link.data else {
            return Vec::new();
        };
        let link = attributes.iter().find_map(|attribute| match attribute {
            InfoVxlan::Link(index) => Some(*index),
            _ => None,
        });
        link.into_iter().collect()
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.vxlan.clone().unwrap_or_default();
        let base = match &section.base_iface {
            Some(name) => Some(order.names.index(name)?),
            None => None,
        };
        let port = section
            .destination_port
            .or(order.is_new.then_some(DEFAULT_PORT));
        let attributes = [
            section.id.map(InfoVxlan::Id),
            base.map(InfoVxlan::Link),
            section.learning.map(InfoVxlan::Learning),
            section.local.map(|address| match address {
                IpAddr::V4(address) => InfoVxlan::Local(address),
                IpAddr::V6(address) => InfoVxlan::Local6(address),
            }),
            section.remote.map(|address| match address {
                IpAddr::V4(address) => InfoVxlan::Group(address),
                IpAddr::V6(address) => InfoVxlan::Group6(address),
            }),
            port.map(InfoVxlan::Port),
        ];
        Ok(Composed {
            data: Some(InfoData::Vxlan(attributes.into_iter().flatten().collect())),
            ..Composed::default()
        })
    }
}
