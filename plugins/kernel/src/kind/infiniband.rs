// SPDX-License-Identifier: Apache-2.0

//! IP over InfiniBand (`drivers/infiniband/ulp/ipoib/ipoib_netlink.c`): cards, and partitions over them. Of a card only
//! the mode can be changed.

use nipart_netlink::packet::link::{InfoData, InfoIpoib, InfoKind, IpoibMode};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::infiniband::{InfinibandMode, PartitionKey};
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Infiniband;

impl LinkKind for Infiniband {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Infiniband
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Ipoib
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::Ipoib(attributes)) = &link.data else {
            return;
        };
        let mut section = interface::Infiniband {
            base_iface: surroundings.base_of(link),
            ..interface::Infiniband::default()
        };
        for attribute in attributes {
            match attribute {
                InfoIpoib::Pkey(number) => section.pkey = Some(PartitionKey::new(*number)),
                InfoIpoib::Mode(IpoibMode::Datagram) => {
                    section.mode = Some(InfinibandMode::Datagram);
                }
                InfoIpoib::Mode(IpoibMode::Connected) => {
                    section.mode = Some(InfinibandMode::Connected);
                }
                _ => {}
            }
        }
        interface.infiniband = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.infiniband.clone().unwrap_or_default();
        let base = match &section.base_iface {
            Some(name) if order.is_new => Some(order.names.index(name)?),
            _ => None,
        };
        let mode = section.mode.map(|mode| match mode {
            InfinibandMode::Datagram => IpoibMode::Datagram,
            InfinibandMode::Connected => IpoibMode::Connected,
        });
        let key = section.pkey.filter(|_| order.is_new);
        let attributes = [
            key.map(|key| InfoIpoib::Pkey(key.number())),
            mode.map(InfoIpoib::Mode),
        ];
        Ok(Composed {
            base,
            data: Some(InfoData::Ipoib(attributes.into_iter().flatten().collect())),
            ..Composed::default()
        })
    }

    // `ipoib_ndo_init` sets it, and each change of the mode.
    fn forgets_initial_mtu(&self) -> bool {
        true
    }

    fn module(&self) -> String {
        "ib_ipoib".to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use nipart_netlink::packet::link::{LinkAttribute, LinkLayerType, LinkMessage};
    use nipart_netlink::packet_core::{Emitable, Parseable};
    use nipart_schemas::interface::InterfaceState;

    use super::*;
    use crate::kind::{link_info, of_interface};
    use crate::query::Link;

    /// `IFLA_INFO_KIND` "ipoib", padded.
    const KIND: [u8; 12] = [10, 0, 1, 0, b'i', b'p', b'o', b'i', b'b', 0, 0, 0];

    fn composed(text: &str, is_new: bool) -> (Option<u32>, Vec<u8>) {
        let interface: Interface = nipart_schemas::yaml::parse(text).unwrap();
        let names = crate::execute::Names::of([("ib0", 3)]);
        let order = Order {
            interface: &interface,
            peer: None,
            is_new,
            names: &names,
        };
        let kind = of_interface(&interface).unwrap();
        let composed = kind.compose(&order).unwrap();
        let info = link_info(kind.info_kind(), composed.data);
        let mut bytes = vec![0; info.as_slice().buffer_len()];
        info.as_slice().emit(&mut bytes);
        (composed.base, bytes)
    }

    /// Attributes `IFLA_IPOIB_PKEY` (1) and `IFLA_IPOIB_MODE` (2), two bytes each in the byte order of the machine.
    #[test]
    fn bytes_of_messages() {
        let new = "{name: ib0.8007, type: infiniband, infiniband: {base-iface: ib0, pkey: 7, mode: connected}}";
        let [low, high] = 0x8007_u16.to_ne_bytes();
        let [one, zero] = 1_u16.to_ne_bytes();
        let data = [
            20, 0, 2, 0, // IFLA_INFO_DATA
            6, 0, 1, 0, low, high, 0, 0, //
            6, 0, 2, 0, one, zero, 0, 0,
        ];
        let expected = [KIND.as_slice(), &data].concat();
        assert_eq!(composed(new, true), (Some(3), expected));

        let change = "{name: ib0, type: infiniband, infiniband: {mode: datagram}}";
        let data = [12, 0, 2, 0, 6, 0, 2, 0, 0, 0, 0, 0];
        let expected = [KIND.as_slice(), &data].concat();
        assert_eq!(composed(change, false), (None, expected));
    }

    fn shown(attributes: Vec<LinkAttribute>) -> Link {
        let mut message = LinkMessage::default();
        message.header.link_layer_type = LinkLayerType::Infiniband;
        message.header.index = 3;
        message.attributes = attributes;
        message
            .attributes
            .push(LinkAttribute::IfName("ib0".to_string()));
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        Link::from_message(LinkMessage::parse(bytes.as_slice()).unwrap()).unwrap()
    }

    #[test]
    fn cards_are_shown_with_their_type_and_twenty_bytes() {
        let address: Vec<u8> = (1..=20).collect();
        let old = shown(vec![LinkAttribute::Address(address)]).interface;
        assert_eq!(old.interface_type, Some(InterfaceType::Infiniband));
        assert_eq!(old.state, Some(InterfaceState::Down));
        let address = old.mac_address.as_ref().map(ToString::to_string);
        let expected = "01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14";
        assert_eq!(address.as_deref(), Some(expected));
        assert!(!old.is_virtual());

        let data = InfoData::Ipoib(vec![
            InfoIpoib::Pkey(0xffff),
            InfoIpoib::Mode(IpoibMode::Connected),
            InfoIpoib::UmCast(0),
        ]);
        let info = LinkAttribute::LinkInfo(link_info(InfoKind::Ipoib, Some(data)));
        let Link {
            mut interface,
            facts,
        } = shown(vec![info]);
        Infiniband.observe(
            &facts,
            &Surroundings::new(&[], &HashMap::new()),
            &mut interface,
        );
        let section = interface.infiniband.unwrap();
        assert_eq!(section.pkey, Some(PartitionKey::DEFAULT));
        assert_eq!(section.mode, Some(InfinibandMode::Connected));
        assert_eq!(section.base_iface, None);
    }
}
