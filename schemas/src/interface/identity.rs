// SPDX-License-Identifier: Apache-2.0

//! What an interface is known by, and every place where it names another one.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Interface;
use crate::dns::DnsConfig;
use crate::mac_address::MacAddress;
use crate::overlay::overlay_leaf;
use crate::pci_address::PciAddress;

/// Which key says which link is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Identifier {
    /// `name`, the kernel's.
    #[default]
    Name,
    /// `mac-address`: the permanent one, or else the present one. `name` is that of the profile then.
    MacAddress,
    /// `pci-address`. `name` is that of the profile then.
    PciAddress,
}

overlay_leaf!(Identifier);

/// What a link is known by instead of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    /// The address burnt into it, or the one that it has.
    Mac(&'a MacAddress),
    /// Where it sits.
    Pci(PciAddress),
}

impl Interface {
    /// What it is known by instead of its name; none also where the key is missing.
    pub fn identity(&self) -> Option<Identity<'_>> {
        match self.identifier.unwrap_or_default() {
            Identifier::Name => None,
            Identifier::MacAddress => self.mac_address.as_ref().map(Identity::Mac),
            Identifier::PciAddress => self.pci_address.map(Identity::Pci),
        }
    }

    /// Whether this present link may be the one that is known so.
    pub fn is_known_as(&self, identity: Identity<'_>) -> bool {
        match identity {
            Identity::Mac(address) => {
                self.permanent_mac_address.as_ref() == Some(address)
                    || self.mac_address.as_ref() == Some(address)
            }
            Identity::Pci(address) => self.pci_address == Some(address),
        }
    }

    /// Every place where it names another interface, with the name.
    pub(crate) fn references_mut(&mut self) -> impl Iterator<Item = (Place, &mut String)> {
        let bond = self.link_aggregation.as_mut();
        let (bond_ports, bond_configs, primary) = match bond {
            Some(bond) => (
                bond.port.as_mut(),
                bond.ports_config.as_mut(),
                bond.options
                    .as_mut()
                    .and_then(|options| options.primary.as_mut()),
            ),
            None => (None, None, None),
        };
        let bridge_ports = self.bridge.as_mut().and_then(|bridge| bridge.port.as_mut());
        let vrf_ports = self.vrf.as_mut().and_then(|vrf| vrf.port.as_mut());
        let gre = self.gre.as_mut().and_then(|gre| gre.base_iface.as_mut());
        let gretap = self.gretap.as_mut().and_then(|gre| gre.base_iface.as_mut());
        let mac_vlan = self.mac_vlan.as_mut();
        let mac_vtap = self.mac_vtap.as_mut();
        let tunnel = self.ip_tunnel.as_mut();
        let (hsr_port1, hsr_port2, hsr_interlink) = match self.hsr.as_mut() {
            Some(hsr) => (
                hsr.port1.as_mut(),
                hsr.port2.as_mut(),
                hsr.interlink.as_mut(),
            ),
            None => (None, None, None),
        };
        let single = [
            ("hsr.port1", hsr_port1),
            ("hsr.port2", hsr_port2),
            ("hsr.interlink", hsr_interlink),
            ("controller", self.controller.as_mut()),
            ("copy-mac-from", self.copy_mac_from.as_mut()),
            ("link-aggregation.options.primary", primary),
            (
                "veth.peer",
                self.veth.as_mut().and_then(|veth| veth.peer.as_mut()),
            ),
            (
                "vlan.base-iface",
                self.vlan.as_mut().and_then(|vlan| vlan.base_iface.as_mut()),
            ),
            (
                "vxlan.base-iface",
                self.vxlan
                    .as_mut()
                    .and_then(|vxlan| vxlan.base_iface.as_mut()),
            ),
            (
                "mac-vlan.base-iface",
                mac_vlan.and_then(|mac_vlan| mac_vlan.base_iface.as_mut()),
            ),
            (
                "mac-vtap.base-iface",
                mac_vtap.and_then(|mac_vtap| mac_vtap.base_iface.as_mut()),
            ),
            (
                "ipvlan.base-iface",
                self.ipvlan
                    .as_mut()
                    .and_then(|ipvlan| ipvlan.base_iface.as_mut()),
            ),
            (
                "ip-tunnel.base-iface",
                tunnel.and_then(|tunnel| tunnel.base_iface.as_mut()),
            ),
            ("gre.base-iface", gre),
            ("gretap.base-iface", gretap),
            (
                "xfrm.base-iface",
                self.xfrm.as_mut().and_then(|xfrm| xfrm.base_iface.as_mut()),
            ),
            (
                "macsec.base-iface",
                self.macsec
                    .as_mut()
                    .and_then(|macsec| macsec.base_iface.as_mut()),
            ),
        ];
        let single = single
            .into_iter()
            .filter_map(|(key, name)| Some((Place::key(key), name?)));
        // Not every server has a zone: which one it is isn't counted.
        let zones = self.dns.iter_mut().flat_map(DnsConfig::zones_mut);
        let bond_configs = bond_configs.into_iter().flatten();
        let bond_configs = bond_configs.map(|config| &mut config.name);
        let bridge_ports = bridge_ports.into_iter().flatten();
        let bridge_ports = bridge_ports.map(|port| &mut port.name);
        single
            .chain(zones.map(|zone| (Place::key("dns.server"), zone)))
            .chain(Place::items(
                "link-aggregation.port",
                "",
                bond_ports.into_iter().flatten(),
            ))
            .chain(Place::items(
                "vrf.port",
                "",
                vrf_ports.into_iter().flatten(),
            ))
            .chain(Place::items(
                "link-aggregation.ports-config",
                ".name",
                bond_configs,
            ))
            .chain(Place::items("bridge.port", ".name", bridge_ports))
    }
}

/// Where in an interface a name stands; a path only when it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    key: &'static str,
    item: Option<(usize, &'static str)>,
}

impl Place {
    fn key(key: &'static str) -> Self {
        Self { key, item: None }
    }

    /// The items of the list at `key`, each with its place; `inside` is where in the item.
    fn items<'a>(
        key: &'static str,
        inside: &'static str,
        names: impl Iterator<Item = &'a mut String>,
    ) -> impl Iterator<Item = (Self, &'a mut String)> {
        let place = move |index| Self {
            key,
            item: Some((index, inside)),
        };
        names
            .enumerate()
            .map(move |(index, name)| (place(index), name))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key)?;
        match self.item {
            Some((index, inside)) => write!(formatter, "[{index}]{inside}"),
            None => Ok(()),
        }
    }
}
