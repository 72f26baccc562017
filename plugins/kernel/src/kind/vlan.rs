// SPDX-License-Identifier: Apache-2.0

//! VLAN (`net/8021q/vlan_netlink.c`).

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoVlan, VlanFlags, VlanQosMapping};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType, VlanPriority, VlanRegistration};

use super::linux_bridge::{kernel_protocol, shown_protocol};
use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Vlan;

impl LinkKind for Vlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Vlan
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Vlan
    }

    fn module(&self) -> String {
        "8021q".to_string()
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::Vlan(attributes)) = &link.data else {
            return;
        };
        let mut section = interface::Vlan {
            base_iface: surroundings.base_of(link),
            // The kernel shows no empty maps.
            ingress_qos_map: Some(Vec::new()),
            egress_qos_map: Some(Vec::new()),
            ..interface::Vlan::default()
        };
        for attribute in attributes {
            match attribute {
                InfoVlan::Id(id) => section.id = Some(*id),
                InfoVlan::Protocol(protocol) => section.protocol = shown_protocol(*protocol),
                InfoVlan::Flags((flags, _)) => observe_flags(*flags, &mut section),
                InfoVlan::IngressQos(map) => section.ingress_qos_map = Some(shown_map(map)),
                InfoVlan::EgressQos(map) => section.egress_qos_map = Some(shown_map(map)),
                _ => {}
            }
        }
        interface.vlan = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.vlan.clone().unwrap_or_default();
        let base = match &section.base_iface {
            Some(name) if order.is_new => Some(order.names.index(name)?),
            _ => None,
        };
        let (ingress, egress) = (&section.ingress_qos_map, &section.egress_qos_map);
        let attributes = [
            section.id.map(InfoVlan::Id),
            section
                .protocol
                .map(|protocol| InfoVlan::Protocol(kernel_protocol(protocol))),
            compose_flags(&section),
            ingress
                .as_deref()
                .map(|map| InfoVlan::IngressQos(kernel_map(map))),
            egress
                .as_deref()
                .map(|map| InfoVlan::EgressQos(kernel_map(map))),
        ];
        let attributes = attributes.into_iter().flatten().collect();
        Ok(Composed {
            base,
            data: Some(InfoData::Vlan(attributes)),
            ..Composed::default()
        })
    }
}

fn observe_flags(flags: VlanFlags, section: &mut interface::Vlan) {
    section.reorder_headers = Some(flags.contains(VlanFlags::ReorderHdr));
    section.loose_binding = Some(flags.contains(VlanFlags::LooseBinding));
    section.registration_protocol = Some(if flags.contains(VlanFlags::Gvrp) {
        VlanRegistration::Gvrp
    } else if flags.contains(VlanFlags::Mvrp) {
        VlanRegistration::Mvrp
    } else {
        VlanRegistration::None
    });
}

/// The flags that are given, and which these are; none when nothing is said.
fn compose_flags(section: &interface::Vlan) -> Option<InfoVlan> {
    let (mut flags, mut mask) = (VlanFlags::empty(), VlanFlags::empty());
    if let Some(on) = section.reorder_headers {
        mask |= VlanFlags::ReorderHdr;
        flags.set(VlanFlags::ReorderHdr, on);
    }
    if let Some(on) = section.loose_binding {
        mask |= VlanFlags::LooseBinding;
        flags.set(VlanFlags::LooseBinding, on);
    }
    if let Some(registration) = section.registration_protocol {
        mask |= VlanFlags::Gvrp | VlanFlags::Mvrp;
        flags.set(VlanFlags::Gvrp, registration == VlanRegistration::Gvrp);
        flags.set(VlanFlags::Mvrp, registration == VlanRegistration::Mvrp);
    }
    (!mask.is_empty()).then_some(InfoVlan::Flags((flags, mask)))
}

fn shown_map(map: &[VlanQosMapping]) -> Vec<VlanPriority> {
    let entries = map.iter().filter_map(|entry| match entry {
        VlanQosMapping::Mapping(from, to) => Some(VlanPriority {
            from: *from,
            to: *to,
        }),
        _ => None,
    });
    let mut shown: Vec<VlanPriority> = entries.collect();
    shown.sort_unstable();
    shown
}

fn kernel_map(map: &[VlanPriority]) -> Vec<VlanQosMapping> {
    map.iter()
        .map(|entry| VlanQosMapping::Mapping(entry.from, entry.to))
        .collect()
}
