// SPDX-License-Identifier: Apache-2.0

//! What is particular to bonds, VLANs and VRFs: `drivers/net/bonding`, `net/8021q`, `drivers/net/vrf.c`.

use nipart_schemas::interface::{BondMode, BondPort, Interface, InterfaceState, InterfaceType};
use nipart_schemas::overlay::Overlay;

use super::Model;

/// What the kernel shows of such links.
pub(super) fn fill_defaults(link: &mut Interface) {
    match link.interface_type {
        Some(InterfaceType::Bond) => {
            let section = link.link_aggregation.get_or_insert_default();
            let options = section.options.get_or_insert_default();
            options.miimon.get_or_insert(0);
            options.updelay.get_or_insert(0);
        }
        Some(InterfaceType::Vlan) => {
            let section = link.vlan.get_or_insert_default();
            section.ingress_qos_map.get_or_insert_default();
            section.egress_qos_map.get_or_insert_default();
            section.reorder_headers.get_or_insert(true);
            section.loose_binding.get_or_insert(false);
        }
        Some(InterfaceType::Vrf) => {
            link.vrf.get_or_insert_default();
        }
        _ => {}
    }
}

impl Model {
    /// The lists of ports as they are shown.
    pub(super) fn show_ports(&self, interface: &mut Interface) {
        let ports: Vec<String> = self.ports_of(&interface.name).cloned().collect();
        if let Some(section) = &mut interface.link_aggregation {
            let configured = ports.iter().map(|port| self.bond_ports[port].clone());
            section.ports_config = Some(configured.collect());
            section.port = Some(ports);
        } else if let Some(section) = &mut interface.vrf {
            section.port = Some(ports);
        }
    }

    /// The kernel's part when a link has got a controller.
    pub(super) fn attached_to(&mut self, name: &str, controller: &str) -> Result<(), String> {
        let bond = self.link(controller)?.clone();
        match bond.interface_type {
            Some(InterfaceType::Bond) => {
                if self.is_up(name) {
                    return Err("can't be enslaved while up".to_string());
                }
                let mode = bond.link_aggregation.and_then(|section| section.mode);
                let link = self.link_mut(name)?;
                link.state = Some(InterfaceState::Up);
                link.mtu = bond.mtu;
                link.mac_address = bond.mac_address;
                let port = BondPort {
                    name: name.to_string(),
                    priority: mode.is_some_and(BondMode::prefers_ports).then_some(0),
                    queue_id: Some(0),
                };
                self.bond_ports.insert(name.to_string(), port);
                self.connect(name);
                Ok(())
            }
            Some(InterfaceType::Vrf) => self.restart(name),
            _ => Ok(()),
        }
    }

    /// The kernel's part when a link loses its controller, which may be gone.
    pub(super) fn detached_from(&mut self, name: &str, kind: Option<&InterfaceType>) {
        let result = match kind {
            Some(InterfaceType::Bond) => {
                self.bond_ports.remove(name);
                self.take_down(name)
            }
            Some(InterfaceType::Vrf) => self.restart(name),
            _ => Ok(()),
        };
        debug_assert!(result.is_ok());
    }

    fn restart(&mut self, name: &str) -> Result<(), String> {
        if self.is_up(name) {
            self.take_down(name)?;
            self.link_mut(name)?.state = Some(InterfaceState::Up);
            self.connect(name);
        }
        Ok(())
    }

    pub(super) fn change_bond_port(&mut self, changes: &BondPort) -> Result<(), String> {
        let port = self.bond_ports.get_mut(&changes.name).ok_or("is no port")?;
        let mut new = changes.clone();
        new.fill_from(port);
        *port = new;
        Ok(())
    }

    /// Refuses changes that the kernel can't make; `changed` has them already.
    pub(super) fn check_change(
        &self,
        changes: &Interface,
        changed: &mut Interface,
    ) -> Result<(), String> {
        if changes.vrf.is_some() {
            return Err("can't be changed".to_string());
        }
        if let Some(vlan) = &changes.vlan
            && (vlan.id.is_some() || vlan.base_iface.is_some() || vlan.protocol.is_some())
        {
            return Err("can't be changed".to_string());
        }
        if let Some(vlan) = &mut changed.vlan {
            let maps = [&mut vlan.ingress_qos_map, &mut vlan.egress_qos_map];
            for map in maps.into_iter().flatten() {
                map.retain(|entry| entry.to != 0);
                map.sort_unstable();
            }
        }
        let Some(bond) = &changes.link_aggregation else {
            return Ok(());
        };
        if bond.mode.is_some() {
            return Err("has ports or is up".to_string());
        }
        let options = bond.options.as_ref();
        match options.and_then(|options| options.primary.as_deref()) {
            Some(primary) if !self.ports_of(&changes.name).any(|port| port == primary) => {
                Err(format!("{primary} is no port"))
            }
            _ => Ok(()),
        }
    }
}
