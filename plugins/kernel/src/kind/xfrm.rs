// SPDX-License-Identifier: Apache-2.0

//! XFRM interfaces (`net/xfrm/xfrm_interface.c`).

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoXfrm};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Xfrm;

impl LinkKind for Xfrm {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Xfrm
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Xfrm
    }

    fn module(&self) -> String {
        "xfrm_interface".to_string()
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::Xfrm(attributes)) = &link.data else {
            return;
        };
        let mut section = interface::Xfrm {
            base_iface: surroundings.base_of(link),
            ..interface::Xfrm::default()
        };
        for attribute in attributes {
            if let InfoXfrm::IfId(id) = attribute {
                section.interface_id = Some(*id);
            }
        }
        interface.xfrm = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.xfrm.clone().unwrap_or_default();
        let base = match &section.base_iface {
            Some(name) => Some(order.names.index(name)?),
            None => None,
        };
        let attributes = [
            base.map(InfoXfrm::Link),
            section.interface_id.map(InfoXfrm::IfId),
        ];
        Ok(Composed {
            data: Some(InfoData::Xfrm(attributes.into_iter().flatten().collect())),
            ..Composed::default()
        })
    }
}
