// SPDX-License-Identifier: Apache-2.0

//! Links.

use nipart_schemas::interface::infiniband::InfinibandMode;
use nipart_schemas::interface::sr_iov::{SrIov, VirtualFunction, VirtualFunctions};
use nipart_schemas::interface::{
    AltName, BridgeOptions, BridgePort, BridgeStp, Interface, InterfaceState, InterfaceType,
    MacVlanMode, Veth,
};
use nipart_schemas::ip::AddrGenMode;
use nipart_schemas::mac_address::MacAddress;
use nipart_schemas::operation::LinkChanges;
use nipart_schemas::overlay::Overlay;

use super::Model;

const SMALLEST_IPV6_MTU: u32 = 1280;

pub(super) fn is_made_up(address: &MacAddress) -> bool {
    address.bytes()[0] == 0xee
}

/// What the kernel shows of every link.
pub(super) fn fill_defaults(link: &mut Interface) {
    link.state.get_or_insert(InterfaceState::Up);
    link.mtu.get_or_insert(1500);
    link.min_mtu.get_or_insert(68);
    link.max_mtu.get_or_insert(65535);
    let ipv4 = link.ipv4.get_or_insert_default();
    ipv4.address.get_or_insert_default();
    ipv4.forwarding.get_or_insert(false);
    let ipv6 = link.ipv6.get_or_insert_default();
    ipv6.enabled.get_or_insert(true);
    ipv6.autoconf.get_or_insert(true);
    ipv6.forwarding.get_or_insert(false);
    ipv6.addr_gen_mode.get_or_insert(AddrGenMode::Eui64);
    ipv6.address.get_or_insert_default();
    super::kind::fill_defaults(link);
    match link.interface_type {
        Some(InterfaceType::LinuxBridge) => {
            let options = BridgeOptions {
                mac_ageing_time: Some(300),
                group_fwd_mask: Some(0),
                multicast_snooping: Some(true),
                stp: Some(BridgeStp {
                    enabled: Some(false),
                    forward_delay: Some(15),
                    ..BridgeStp::default()
                }),
                ..BridgeOptions::default()
            };
            let section = link.bridge.get_or_insert_default();
            section.options.get_or_insert_default().fill_from(&options);
            super::vlan::fill_defaults(section);
        }
        Some(InterfaceType::Vxlan) => {
            let section = link.vxlan.get_or_insert_default();
            section.learning.get_or_insert(true);
            section.destination_port.get_or_insert(4789);
        }
        Some(InterfaceType::MacVlan | InterfaceType::MacVtap) => {
            if let Some(section) = link.mac_vlan.as_mut().or(link.mac_vtap.as_mut()) {
                section.promiscuous.get_or_insert(true);
            }
        }
        Some(InterfaceType::Veth) => {
            link.veth.get_or_insert_default();
        }
        _ => {}
    }
}

impl Model {
    fn is_taken(&self, name: &str) -> bool {
        self.links.contains_key(name)
            || self
                .links
                .values()
                .flat_map(|link| link.alt_names.iter().flatten())
                .any(|alt_name| alt_name.name == name)
    }

    pub(super) fn create(
        &mut self,
        interface: &Interface,
        peer: Option<&Interface>,
    ) -> Result<(), String> {
        let kind = interface.interface_type.as_ref().ok_or("no type")?;
        if !interface.is_virtual() {
            return Err(format!("links of type {kind} can't be created"));
        }
        if let Some(base) = interface.base_interface() {
            let base = self.link(base)?;
            let is_macvlan = matches!(kind, InterfaceType::MacVlan | InterfaceType::MacVtap);
            if is_macvlan && self.gives_frames_away(base) {
                return Err(format!("{} hands its frames to a bridge", base.name));
            }
            if is_macvlan && interface.mtu > base.mtu {
                return Err(format!("user: MTU above that of {}", base.name));
            }
        } else if matches!(kind, InterfaceType::MacVlan | InterfaceType::MacVtap) {
            return Err("needs a base".to_string());
        }
        if let Some(controller) = &interface.controller {
            self.check_controller(controller)?;
        }
        let ends = match (kind, interface.veth_peer(), peer) {
            (InterfaceType::Veth, Some(name), Some(peer)) if name == peer.name => {
                vec![interface, peer]
            }
            (InterfaceType::Veth, ..) => return Err("needs a peer".to_string()),
            (_, None, None) => vec![interface],
            _ => return Err("only a veth has a peer".to_string()),
        };
        for end in &ends {
            if self.is_taken(&end.name) {
                return Err(format!("{} exists", end.name));
            }
        }
        for end in &ends {
            let mut link = (*end).clone();
            link.controller = None;
            link.alt_names = None;
            link.description = None;
            // Addresses come by messages of their own, of the switches only one with the link.
            link.ipv4 = None;
            link.interface_type = Some(kind.clone());
            if *kind == InterfaceType::Veth {
                let other = ends.iter().find(|other| other.name != end.name);
                link.veth = Some(Veth {
                    peer: other.map(|other| other.name.clone()),
                    ..Veth::default()
                });
            }
            if let Some(bridge) = &mut link.bridge {
                bridge.port = None;
                bridge.allow_extra_ports = None;
            }
            self.created += 1;
            // `macvlan_common_newlink` takes the base's over.
            let base = link.base_interface().filter(|_| link.vxlan.is_none());
            let base = base.and_then(|base| self.links.get(base));
            link.mtu = link.mtu.or(base.and_then(|base| base.mtu));
            let made_up = MacAddress::new(&[0xee, 0, 0, 0, 0, self.created]);
            let lent = base.and_then(|base| base.mac_address.clone());
            let section = link.mac_vlan.as_ref().or(link.mac_vtap.as_ref());
            let is_passthru = section.is_some_and(|it| it.mode == Some(MacVlanMode::Passthru));
            let own = lent.filter(|_| is_passthru).unwrap_or(made_up);
            link.mac_address.get_or_insert(own);
            fill_defaults(&mut link);
            link.ipv6.get_or_insert_default().enabled =
                Some(link.mtu.unwrap_or(0) >= SMALLEST_IPV6_MTU);
            self.links.insert(link.name.clone(), link);
        }
        if let Some(controller) = &interface.controller {
            self.attach(&interface.name, controller)?;
        }
        Ok(())
    }

    /// Whether its controller takes its frames (`netdev_rx_handler_register`): a VRF doesn't.
    fn gives_frames_away(&self, link: &Interface) -> bool {
        let controller = link
            .controller
            .as_ref()
            .and_then(|name| self.links.get(name));
        controller.is_some_and(|it| it.interface_type != Some(InterfaceType::Vrf))
    }

    fn check_controller(&self, name: &str) -> Result<(), String> {
        match self.link(name)?.interface_type {
            Some(InterfaceType::LinuxBridge | InterfaceType::Bond | InterfaceType::Vrf) => Ok(()),
            _ => Err(format!("{name} is no controller")),
        }
    }

    fn attach(&mut self, name: &str, controller: &str) -> Result<(), String> {
        self.check_controller(controller)?;
        if self.link(name)?.controller.as_deref() == Some(controller) {
            return Ok(());
        }
        if self.stands_upon(name, controller) {
            return Err(format!("{name} would be stacked upon itself"));
        }
        let (kind, of) = (
            &self.link(name)?.interface_type,
            &self.link(controller)?.interface_type,
        );
        if *kind == Some(InterfaceType::Loopback)
            || (*kind == Some(InterfaceType::LinuxBridge) && kind == of)
        {
            return Err(format!("{name} can't be a port"));
        }
        if self.carries_macvlans(name) && *of != Some(InterfaceType::Vrf) {
            return Err(format!("{name} hands its frames to a macvlan"));
        }
        self.detach(name)?;
        self.link_mut(name)?.controller = Some(controller.to_string());
        if self.link(controller)?.interface_type != Some(InterfaceType::LinuxBridge) {
            return self.attached_to(name, controller);
        }
        let port = BridgePort {
            name: name.to_string(),
            stp_hairpin_mode: Some(false),
            stp_path_cost: Some(100),
            stp_priority: Some(32),
            vlan: Some(super::vlan::default()),
        };
        self.ports.insert(name.to_string(), port);
        Ok(())
    }

    fn detach(&mut self, name: &str) -> Result<(), String> {
        self.ports.remove(name);
        if let Some(controller) = self.link_mut(name)?.controller.take() {
            let kind = self.link(&controller)?.interface_type.clone();
            self.detached_from(name, kind.as_ref());
        }
        Ok(())
    }

    /// A link hands received frames to one taker (`rx_handler`): a bridge or macvlans.
    fn carries_macvlans(&self, name: &str) -> bool {
        self.links.values().any(|link| {
            let section = link.mac_vlan.as_ref().or(link.mac_vtap.as_ref());
            section.is_some_and(|section| section.base_iface.as_deref() == Some(name))
        })
    }

    fn stands_upon(&self, upper: &str, lower: &str) -> bool {
        upper == lower
            || self.links.get(upper).is_some_and(|link| {
                let base = link.base_interface().into_iter();
                let ports = self.ports_of(upper).map(String::as_str);
                base.chain(ports)
                    .any(|below| self.stands_upon(below, lower))
            })
    }

    pub(super) fn delete(&mut self, name: &str) -> Result<(), String> {
        let Some(link) = self.links.get(name) else {
            return Ok(());
        };
        if !link.is_virtual() {
            return Err("can't be deleted".to_string());
        }
        self.remove_link(name);
        Ok(())
    }

    fn remove_link(&mut self, name: &str) {
        self.flush(name);
        let Some(link) = self.links.remove(name) else {
            return;
        };
        self.lose_endpoints(&link);
        self.ports.remove(name);
        let ports: Vec<String> = self.ports_of(name).cloned().collect();
        for port in ports {
            self.ports.remove(&port);
            if let Some(port) = self.links.get_mut(&port) {
                port.controller = None;
            }
            self.detached_from(&port, link.interface_type.as_ref());
        }
        let stacked = self.links.values().filter(|other| {
            other.base_interface() == Some(name) || link.veth_peer() == Some(other.name.as_str())
        });
        let stacked: Vec<String> = stacked.map(|other| other.name.clone()).collect();
        for other in stacked {
            self.remove_link(&other);
        }
    }

    pub(super) fn change(&mut self, changes: &LinkChanges) -> Result<(), String> {
        let name = changes.interface.as_str();
        self.link(name)?;
        if let Some(mtu) = changes.mtu {
            self.change_mtu(name, mtu)?;
        }
        if let Some(address) = &changes.mac_address {
            self.link_mut(name)?.mac_address = Some(address.clone());
        }
        if let Some(accept) = changes.accept_all_mac_addresses {
            self.link_mut(name)?.accept_all_mac_addresses = Some(accept);
        }
        if let Some(text) = &changes.description {
            self.link_mut(name)?.description = Some(text.clone());
        }
        match changes.controller.as_deref() {
            Some("") => {
                self.detach(name)?;
            }
            Some(controller) => self.attach(name, controller)?,
            None => {}
        }
        match changes.up {
            Some(true) if !self.is_up(name) => {
                self.link_mut(name)?.state = Some(InterfaceState::Up);
                self.connect(name);
            }
            Some(false) => self.take_down(name)?,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn change_hardware(&mut self, wanted: &Interface) -> Result<(), String> {
        let link = self.link_mut(&wanted.name)?;
        let mut changed = wanted.only_hardware();
        changed.fill_from(&link.only_hardware());
        (link.ethtool, link.ethernet) = (changed.ethtool, changed.ethernet);
        Ok(())
    }

    /// With another number all functions are new, and as the card makes them.
    pub(super) fn change_virtual_functions(
        &mut self,
        name: &str,
        changes: &SrIov,
    ) -> Result<(), String> {
        let section = self.link_mut(name)?.ethernet.as_mut();
        let section = section.and_then(|ethernet| ethernet.sr_iov.as_mut());
        let section = section.ok_or_else(|| format!("{name} has no SR-IOV"))?;
        if let Some(total) = changes.total_vfs {
            let functions = (0..total).map(|id| VirtualFunction {
                id,
                mac_address: Some(MacAddress::new(&[0; 6])),
                spoof_check: Some(true),
                trust: Some(false),
                min_tx_rate: Some(0),
                max_tx_rate: Some(0),
                vlan_id: Some(0),
                qos: Some(0),
                ..VirtualFunction::default()
            });
            section.vfs = (total > 0).then(|| VirtualFunctions(functions.collect()));
        }
        let mut changed = changes.clone();
        changed.fill_from(section);
        **section = changed;
        Ok(())
    }

    fn change_mtu(&mut self, name: &str, mtu: u32) -> Result<(), String> {
        let link = self.link(name)?;
        let (smallest, largest) = (link.min_mtu.unwrap_or(0), link.max_mtu.unwrap_or(u32::MAX));
        if mtu < smallest || mtu > largest {
            return Err("MTU out of range".to_string());
        }
        let is_macvlan = link.mac_vlan.is_some() || link.mac_vtap.is_some();
        if let Some(base) = link.base_interface()
            && is_macvlan
            && Some(mtu) > self.link(base)?.mtu
        {
            return Err(format!("user: MTU above that of {base}"));
        }
        let before = link.mtu.unwrap_or_default();
        self.link_mut(name)?.mtu = Some(mtu);
        if mtu < SMALLEST_IPV6_MTU {
            self.switch_ipv6(name, false)?;
        } else if before < SMALLEST_IPV6_MTU {
            self.switch_ipv6(name, true)?;
        }
        let above = self.links.values().filter(|other| {
            other.base_interface() == Some(name)
                && (other.mac_vlan.is_some() || other.mac_vtap.is_some())
                && other.mtu > Some(mtu)
        });
        let above: Vec<String> = above.map(|other| other.name.clone()).collect();
        above
            .iter()
            .try_for_each(|other| self.change_mtu(other, mtu))
    }

    pub(super) fn change_section(&mut self, changes: &Interface) -> Result<(), String> {
        let link = self.link(&changes.name)?;
        if changes.interface_type != link.interface_type {
            return Err("has another type".to_string());
        }
        let mut changed = link.clone();
        if changes.sections().is_empty() {
            return Err("nothing to change".to_string());
        }
        let mut sections = changes.only_sections();
        sections.fill_from(&link.only_sections());
        changed.take_sections(&sections);
        self.check_change(changes, &mut changed)?;
        // `ipoib_set_mode`, drivers/infiniband/ulp/ipoib/ipoib_main.c.
        match changes.infiniband.as_ref().and_then(|section| section.mode) {
            Some(InfinibandMode::Connected) => changed.mtu = Some(65520),
            Some(InfinibandMode::Datagram) => changed.mtu = changed.mtu.min(Some(2044)),
            None => {}
        }
        // What follows knows more of its types.
        let of_macvlan = changes.mac_vlan.as_ref().or(changes.mac_vtap.as_ref());
        if let Some(vxlan) = &changes.vxlan {
            if vxlan.id.is_some() || vxlan.base_iface.is_some() || vxlan.local.is_some() {
                return Err("can't be changed".to_string());
            }
            let mut new = vxlan.clone();
            new.fill_from(link.vxlan.as_ref().ok_or("no vxlan")?);
            changed.vxlan = Some(new);
        }
        if let Some(section) = of_macvlan {
            let present = link.mac_vlan.as_ref().or(link.mac_vtap.as_ref());
            let present = present.ok_or("no macvlan")?;
            let passthru = [section.mode, present.mode].contains(&Some(MacVlanMode::Passthru));
            if section.base_iface.is_some() || section.promiscuous.is_some() || passthru {
                return Err("can't be changed".to_string());
            }
            let mut new = section.clone();
            new.fill_from(present);
            let place = if changed.mac_vlan.is_some() {
                &mut changed.mac_vlan
            } else {
                &mut changed.mac_vtap
            };
            *place = Some(new);
        }
        if let Some(bridge) = &changes.bridge {
            if bridge.port.is_some() {
                return Err("ports are no option".to_string());
            }
            let mut new = bridge.clone();
            let old = link.bridge.clone().ok_or("no bridge")?;
            new.fill_from(&old);
            let names: Vec<String> = self.ports_of(&changes.name).cloned().collect();
            let ports = self.ports.iter_mut();
            let ports = ports.filter(|(name, _)| names.contains(name));
            super::vlan::change_default(&old, &mut new, ports.map(|(_, port)| port));
            changed.bridge = Some(new);
        }
        self.links.insert(changed.name.clone(), changed);
        Ok(())
    }

    pub(super) fn change_port(&mut self, changes: &BridgePort) -> Result<(), String> {
        let port = self.ports.get_mut(&changes.name).ok_or("is no port")?;
        let mut new = changes.clone();
        new.fill_from(port);
        *port = new;
        Ok(())
    }

    pub(super) fn add_alt_name(&mut self, interface: &str, name: &str) -> Result<(), String> {
        if self.is_taken(name) {
            return Err("the name is taken".to_string());
        }
        let link = self.link_mut(interface)?;
        let entry = AltName {
            name: name.to_string(),
            state: None,
        };
        link.alt_names.get_or_insert_default().push(entry);
        Ok(())
    }
}
