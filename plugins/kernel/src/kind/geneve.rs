// SPDX-License-Identifier: Apache-2.0

//! GENEVE (`drivers/net/geneve.c`): a change keeps what it doesn't name.

use std::net::IpAddr;

use nipart_netlink::packet::link::{InfoData, InfoGeneve, InfoKind};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Geneve;

impl LinkKind for Geneve {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Geneve
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Geneve
    }

    fn observe(&self, link: &LinkFacts, _: &Surroundings<'_>, interface: &mut Interface) {
        let Some(InfoData::Geneve(attributes)) = &link.data else {
            return;
        };
        let mut section = interface::Geneve {
            ..interface::Geneve::default()
        };
        for attribute in attributes {
            match attribute {
                InfoGeneve::Id(id) => section.id = Some(*id),
                InfoGeneve::Remote(address) => section.remote = Some((*address).into()),
                InfoGeneve::Remote6(address) => section.remote = Some((*address).into()),
                InfoGeneve::Port(port) => section.destination_port = Some(*port),
                InfoGeneve::Ttl(ttl) => section.ttl = Some(*ttl),
                InfoGeneve::Tos(tos) => section.tos = Some(*tos),
                _ => {}
            }
        }
        interface.geneve = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.geneve.clone().unwrap_or_default();
        let attributes = [
            section.id.map(InfoGeneve::Id),
            section.remote.map(|address| match address {
                IpAddr::V4(address) => InfoGeneve::Remote(address),
                IpAddr::V6(address) => InfoGeneve::Remote6(address),
            }),
            section.destination_port.map(InfoGeneve::Port),
            section.ttl.map(InfoGeneve::Ttl),
            section.tos.map(InfoGeneve::Tos),
        ];
        Ok(Composed {
            data: Some(InfoData::Geneve(attributes.into_iter().flatten().collect())),
            ..Composed::default()
        })
    }
}
