// SPDX-License-Identifier: Apache-2.0

//! VRF (`drivers/net/vrf.c`).

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoVrf};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Vrf;

impl LinkKind for Vrf {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Vrf
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Vrf
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::Vrf(attributes)) = &link.data else {
            return;
        };
        let table = attributes.iter().find_map(|attribute| match attribute {
            InfoVrf::TableId(table) => Some(*table),
            _ => None,
        });
        interface.vrf = Some(Box::new(interface::Vrf {
            port: Some(surroundings.port_names_of(link)),
            route_table_id: table,
        }));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.vrf.as_ref();
        let table = section.and_then(|section| section.route_table_id);
        let attributes = table.map(InfoVrf::TableId).into_iter().collect();
        Ok(Composed {
            data: Some(InfoData::Vrf(attributes)),
            ..Composed::default()
        })
    }
}
