// SPDX-License-Identifier: Apache-2.0

//! HSR and PRP (`net/hsr/hsr_netlink.c`).

use nipart_netlink::packet::link::{HsrProtocol, InfoData, InfoHsr, InfoKind};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};
use nipart_schemas::mac_address::MacAddress;

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Hsr;

impl LinkKind for Hsr {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Hsr
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Hsr
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let mut section = interface::Hsr::default();
        for attribute in attributes(link) {
            match attribute {
                InfoHsr::Port1(index) => section.port1 = surroundings.name(*index),
                InfoHsr::Port2(index) => section.port2 = surroundings.name(*index),
                InfoHsr::Interlink(index) => section.interlink = surroundings.name(*index),
                InfoHsr::SupervisionAddr(address) => {
                    // Five bytes of it are always the same.
                    section.multicast_spec = Some(address[5]);
                    section.supervision_address = Some(MacAddress::new(address));
                }
                InfoHsr::Protocol(protocol) => section.protocol = shown_protocol(*protocol),
                _ => {}
            }
        }
        interface.hsr = Some(Box::new(section));
    }

    fn references(&self, link: &LinkFacts) -> Vec<u32> {
        let indexes = attributes(link)
            .iter()
            .filter_map(|attribute| match attribute {
                InfoHsr::Port1(index) | InfoHsr::Port2(index) | InfoHsr::Interlink(index) => {
                    Some(*index)
                }
                _ => None,
            });
        indexes.collect()
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.hsr.clone().unwrap_or_default();
        let index = |name: &Option<String>| match name {
            Some(name) => order.names.index(name).map(Some),
            None => Ok(None),
        };
        let attributes = [
            index(&section.port1)?.map(InfoHsr::Port1),
            index(&section.port2)?.map(InfoHsr::Port2),
            index(&section.interlink)?.map(InfoHsr::Interlink),
            section.multicast_spec.map(InfoHsr::MulticastSpec),
        ];
        let mut attributes: Vec<InfoHsr> = attributes.into_iter().flatten().collect();
        // The kernel refuses a version together with PRP.
        attributes.extend(section.protocol.map(|protocol| match protocol {
            interface::hsr::HsrProtocol::Hsr => InfoHsr::Version(0),
            interface::hsr::HsrProtocol::Hsr2012 => InfoHsr::Version(1),
            interface::hsr::HsrProtocol::Prp => InfoHsr::Protocol(HsrProtocol::Prp),
        }));
        Ok(Composed {
            data: Some(InfoData::Hsr(attributes)),
            ..Composed::default()
        })
    }
}

fn attributes(link: &LinkFacts) -> &[InfoHsr] {
    match &link.data {
        Some(InfoData::Hsr(attributes)) => attributes,
        _ => &[],
    }
}

fn shown_protocol(protocol: HsrProtocol) -> Option<interface::hsr::HsrProtocol> {
    match protocol {
        HsrProtocol::Hsr => Some(interface::hsr::HsrProtocol::Hsr),
        HsrProtocol::Prp => Some(interface::hsr::HsrProtocol::Prp),
        _ => None,
    }
}
