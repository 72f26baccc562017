// SPDX-License-Identifier: Apache-2.0

//! Veth (`drivers/net/veth.c`): a pair comes into being by one message that carries another one for the second end.

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkMessage};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::execute::set_common;
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Veth;

impl LinkKind for Veth {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Veth
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Veth
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        interface.veth = Some(interface::Veth {
            peer: surroundings.base_of(link),
        });
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let mut message = LinkMessage::default();
        match order.peer {
            Some(peer) => set_common(peer, &mut message),
            None => message.attributes.extend(
                order
                    .interface
                    .veth_peer()
                    .map(|name| LinkAttribute::IfName(name.to_string())),
            ),
        }
        Ok(Composed {
            data: order
                .is_new
                .then_some(InfoData::Veth(InfoVeth::Peer(message))),
            ..Composed::default()
        })
    }
}
