// SPDX-License-Identifier: Apache-2.0

//! IPVLAN (`drivers/net/ipvlan/ipvlan_main.c`): both flags are one attribute.

use nipart_netlink::packet::link::{InfoData, InfoIpVlan, InfoKind, IpVlanFlags, IpVlanMode};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType, IpvlanMode};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Ipvlan;

impl LinkKind for Ipvlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Ipvlan
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::IpVlan
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::IpVlan(attributes)) = &link.data else {
            return;
        };
        let mut section = interface::Ipvlan {
            base_iface: surroundings.base_of(link),
            ..interface::Ipvlan::default()
        };
        for attribute in attributes {
            match attribute {
                InfoIpVlan::Mode(mode) => section.mode = shown_mode(*mode),
                InfoIpVlan::Flags(flags) => {
                    section.private = Some(flags.contains(IpVlanFlags::Private));
                    section.vepa = Some(flags.contains(IpVlanFlags::Vepa));
                }
                _ => {}
            }
        }
        interface.ipvlan = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.ipvlan.clone().unwrap_or_default();
        let base = match &section.base_iface {
            Some(name) if order.is_new => Some(order.names.index(name)?),
            _ => None,
        };
        let mut flags = IpVlanFlags::empty();
        flags.set(IpVlanFlags::Private, section.private == Some(true));
        flags.set(IpVlanFlags::Vepa, section.vepa == Some(true));
        let has_flags = section.private.is_some() || section.vepa.is_some();
        let attributes = [
            section.mode.map(|mode| InfoIpVlan::Mode(kernel_mode(mode))),
            has_flags.then_some(InfoIpVlan::Flags(flags)),
        ];
        Ok(Composed {
            base,
            data: Some(InfoData::IpVlan(attributes.into_iter().flatten().collect())),
            ..Composed::default()
        })
    }
}

fn shown_mode(mode: IpVlanMode) -> Option<IpvlanMode> {
    match mode {
        IpVlanMode::L2 => Some(IpvlanMode::L2),
        IpVlanMode::L3 => Some(IpvlanMode::L3),
        IpVlanMode::L3S => Some(IpvlanMode::L3s),
        _ => None,
    }
}

fn kernel_mode(mode: IpvlanMode) -> IpVlanMode {
    match mode {
        IpvlanMode::L2 => IpVlanMode::L2,
        IpvlanMode::L3 => IpVlanMode::L3,
        IpvlanMode::L3s => IpVlanMode::L3S,
    }
}
