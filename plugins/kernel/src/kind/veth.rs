// SPDX-License-Identifier: Apache-2.0

//! Veth (`drivers/net/veth.c`): a pair comes into being by one message that carries another one for the second end.

use nipart_netlink::builder::{LinkMessageBuilder, LinkUnspec};
use nipart_netlink::packet::link::{InfoData, InfoKind, InfoVeth};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::execute::common;
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
        let builder = LinkMessageBuilder::<LinkUnspec>::new();
        let builder = match (order.peer, order.interface.veth_peer()) {
            (Some(peer), _) => common(peer, builder),
            (None, Some(name)) => builder.name(name),
            (None, None) => builder,
        };
        let message = builder.build();
        Ok(Composed {
            data: order
                .is_new
                .then_some(InfoData::Veth(InfoVeth::Peer(message))),
            ..Composed::default()
        })
    }
}
