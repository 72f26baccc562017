// SPDX-License-Identifier: Apache-2.0

//! Veth (`drivers/net/veth.c`): a pair comes into being by one message that carries another one for the second end.

use nipart_netlink::builder::{LinkMessageBuilder, LinkUnspec};
use nipart_netlink::packet::link::{InfoData, InfoKind, InfoVeth};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::execute::{common, queue_attributes};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Veth;

/// One, or as many as the kernel likes. It allocates one for each processor, announces them all, and withdraws all but one,
/// waiting until no processor looks at them any more (`veth_init_queues`): a sixth of what the whole pair costs.
fn queues(interface: &Interface) -> Option<u32> {
    let section = interface.veth.as_ref();
    let has_spare = section.and_then(|veth| veth.spare_queues) == Some(true);
    (!has_spare).then_some(1)
}

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
            spare_queues: link.has_several_queues.then_some(true),
        });
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let builder = LinkMessageBuilder::<LinkUnspec>::new();
        let builder = match (order.peer, order.interface.veth_peer()) {
            (Some(peer), _) => common(peer, builder),
            (None, Some(name)) => builder.name(name),
            (None, None) => builder,
        };
        if !order.is_new {
            return Ok(Composed::default());
        }
        let peer = order.peer.unwrap_or(order.interface);
        let builder = queues(peer)
            .into_iter()
            .flat_map(queue_attributes)
            .fold(builder, LinkMessageBuilder::append_extra_attribute);
        Ok(Composed {
            data: Some(InfoData::Veth(InfoVeth::Peer(builder.build()))),
            queues: queues(order.interface),
            ..Composed::default()
        })
    }
}
