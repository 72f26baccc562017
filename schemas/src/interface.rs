// SPDX-License-Identifier: Apache-2.0

//! One network interface: what all of them have, and a section for each type that needs one.
//!
//! The struct is flat, with the section of each type as an optional field, so that serde reports line, column
//! and field of every mistake and a name such as `0x10` stays a name. That the section fits the `type` is
//! checked by validation.

mod bond;
mod ethernet;
pub mod ethtool;
pub mod geneve;
pub mod gre;
pub mod hsr;
mod identity;
pub mod infiniband;
mod interface_type;
pub mod ip_tunnel;
mod ipvlan;
mod linux_bridge;
mod mac_vlan;
pub mod macsec;
pub mod mptcp;
pub mod port_vlan;
mod ports;
mod sections;
pub mod sr_iov;
pub mod tun;
mod unsupported;
mod veth;
mod vlan;
mod vrf;
mod vxlan;
mod wait_ip;
pub mod wireguard;
pub mod xfrm;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::bond::{
    BondAdSelect, BondArpAllTargets, BondArpValidate, BondDuplicates, BondFailOverMac,
    BondHashPolicy, BondLacpRate, BondMode, BondOptions, BondPort, BondPrimaryReselect,
    LinkAggregation,
};
pub use self::ethernet::{Duplex, Ethernet};
pub use self::ethtool::Ethtool;
pub use self::geneve::Geneve;
pub use self::gre::Gre;
pub use self::hsr::Hsr;
pub use self::identity::{Identifier, Identity};
pub use self::infiniband::Infiniband;
pub use self::interface_type::InterfaceType;
pub use self::ip_tunnel::IpTunnel;
pub use self::ipvlan::{Ipvlan, IpvlanMode};
pub use self::linux_bridge::{
    BridgeOptions, BridgePort, BridgeStp, LinuxBridge, MulticastRouter, VlanProtocol,
};
pub use self::mac_vlan::{MacVlan, MacVlanMode};
pub use self::macsec::Macsec;
pub use self::mptcp::Mptcp;
pub use self::port_vlan::PortVlan;
pub use self::sr_iov::SrIov;
pub use self::tun::Tun;
pub use self::unsupported::{Lldp, PortAuthentication};
pub use self::veth::Veth;
pub use self::vlan::{Vlan, VlanPriority, VlanRegistration};
pub use self::vrf::Vrf;
pub use self::vxlan::Vxlan;
pub use self::wait_ip::WaitIp;
pub use self::wireguard::Wireguard;
pub use self::xfrm::Xfrm;
use crate::dns::DnsConfig;
use crate::ip::{Address, Ipv4, Ipv6};
use crate::lease::{LeaseKey, LeaseProtocol};
use crate::lenient;
use crate::mac_address::MacAddress;
use crate::overlay::{overlay, overlay_leaf};
use crate::pci_address::PciAddress;

/// What the user wants of an interface, or how it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InterfaceState {
    /// It exists and is administratively up.
    #[default]
    Up,
    /// A virtual link that is up is deleted but stays saved; a physical one is set down.
    Down,
    /// A virtual link is deleted, a physical one loses its configuration; both are forgotten.
    Absent,
    /// Hands off.
    Ignore,
}

impl InterfaceState {
    /// Whether a link that was up no longer is.
    pub fn takes_down(self) -> bool {
        matches!(self, Self::Down | Self::Absent)
    }
}

/// What to do when an interface is no longer as it was saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftPolicy {
    /// Say so, in the log and in `nipartctl status`.
    #[default]
    Report,
    /// Make it again as saved.
    Restore,
    /// Save what it is now.
    Adopt,
}

/// Another name of the same link, up to 127 bytes (`ALTIFNAMSIZ`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AltName {
    /// The name.
    pub name: String,
    /// `absent` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AltNameState>,
}

/// The only state that an alternative name can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AltNameState {
    /// To be removed.
    Absent,
}

/// One interface of a network state. Every key but `name` may be left out: the present value stays.
// Sections are boxed: an interface has hardly ever more than one of them, and there are thousands of interfaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interface {
    /// Kernel name, up to 15 bytes, unless another key is the identifier.
    pub name: String,
    /// Its type. May be left out for an interface that exists.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub interface_type: Option<InterfaceType>,
    /// Default `up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<InterfaceState>,
    /// Free text, kept in the kernel as `ifalias`, up to 255 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which key says which link is meant. Default `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    /// Another name for references in files; the `name` that was written, where another key is the identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<String>,
    /// What to do when somebody else changes it. Default `report`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftPolicy>,
    /// Addresses that an apply waits for, before it is saved. Default `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ip: Option<WaitIp>,
    /// Further names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_names: Option<Vec<AltName>>,
    /// Link-layer address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<MacAddress>,
    /// Take over the link-layer address of this interface, for types `bond` and `linux-bridge`: the one that is wanted of
    /// it, or else its permanent one, or else what it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_mac_from: Option<String>,
    /// Shown only: the address burnt into the hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent_mac_address: Option<MacAddress>,
    /// Largest packet in bytes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub mtu: Option<u32>,
    /// Shown only: smallest MTU that the driver takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_mtu: Option<u32>,
    /// Shown only: largest MTU that the driver takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_mtu: Option<u32>,
    /// Where a network card sits on the PCI bus: shown, or what it is known by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pci_address: Option<PciAddress>,
    /// Shown only: the driver of a network card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Whether it takes packets for any MAC address (`IFF_PROMISC`).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub accept_all_mac_addresses: Option<bool>,
    /// The interface that it is a port of; `""` detaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// IPv4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Ipv4>,
    /// IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6>,
    /// Which addresses multipath TCP may use, and what for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mptcp: Option<Box<Mptcp>>,
    /// Name resolution over this interface. `{}` takes all of it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsConfig>,
    /// Settings of the hardware. Shown of network cards, of interfaces for which it was set, and of those that are asked
    /// for by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ethtool: Option<Box<Ethtool>>,
    /// For types `ethernet`, `veth`, `tun`, and those that Nipart doesn't know. Shown as `ethtool` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ethernet: Option<Ethernet>,
    /// Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lldp: Option<Lldp>,
    /// Not supported yet.
    #[serde(rename = "802.1x", default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub port_authentication: Option<PortAuthentication>,
    /// For type `veth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub veth: Option<Veth>,
    /// For type `linux-bridge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<Box<LinuxBridge>>,
    /// For type `bond`.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "bond")]
    pub link_aggregation: Option<Box<LinkAggregation>>,
    /// For type `vlan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<Box<Vlan>>,
    /// For type `vrf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vrf: Option<Box<Vrf>>,
    /// For type `vxlan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vxlan: Option<Box<Vxlan>>,
    /// For type `mac-vlan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_vlan: Option<Box<MacVlan>>,
    /// For type `mac-vtap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_vtap: Option<Box<MacVlan>>,
    /// For type `ipvlan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipvlan: Option<Box<Ipvlan>>,
    /// For type `wireguard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wireguard: Option<Box<Wireguard>>,
    /// For type `ip-tunnel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_tunnel: Option<Box<IpTunnel>>,
    /// For type `gre`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gre: Option<Box<Gre>>,
    /// For type `gretap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gretap: Option<Box<Gre>>,
    /// For type `geneve`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geneve: Option<Box<Geneve>>,
    /// For type `xfrm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xfrm: Option<Box<Xfrm>>,
    /// For type `macsec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macsec: Option<Box<Macsec>>,
    /// For type `tun`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tun: Option<Box<Tun>>,
    /// For type `hsr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsr: Option<Box<Hsr>>,
    /// For type `infiniband`. It was never run on a card: what is tested is said in schema.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infiniband: Option<Box<Infiniband>>,
}

// `alt_names`, `dns`, addresses and ports are lists with rules of their own: the planner compares them. `copy_mac_from`
// is another way to say `mac_address`.
overlay!(Interface {
    name,
    interface_type,
    state,
    description,
    mac_address,
    mtu,
    accept_all_mac_addresses,
    controller,
    ipv4,
    ipv6,
    mptcp,
    ethtool,
    ethernet,
    veth,
    bridge,
    link_aggregation,
    vlan,
    vrf,
    vxlan,
    mac_vlan,
    mac_vtap,
    ipvlan,
    wireguard,
    ip_tunnel,
    gre,
    gretap,
    geneve,
    xfrm,
    macsec,
    tun,
    hsr,
    infiniband,
} read_only { identifier, profile_name, drift, wait_ip, alt_names, dns, copy_mac_from, permanent_mac_address, min_mtu, max_mtu, pci_address, driver, lldp, port_authentication });

overlay_leaf!(InterfaceState, InterfaceType, DriftPolicy);

impl Interface {
    /// An interface of which only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// An interface that is named, and of which nothing is wanted.
    pub fn ignored(name: impl Into<String>) -> Self {
        Self {
            state: Some(InterfaceState::Ignore),
            ..Self::named(name)
        }
    }

    /// The wanted state, `up` where nothing is written.
    pub fn wanted_state(&self) -> InterfaceState {
        self.state.unwrap_or_default()
    }

    /// All its addresses, those of IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = Address> + '_ {
        let ipv4 = self.ipv4.as_ref().and_then(|ipv4| ipv4.address.as_ref());
        let ipv6 = self.ipv6.as_ref().and_then(|ipv6| ipv6.address.as_ref());
        let ipv4 = ipv4.into_iter().flatten().map(Address::any_family);
        let ipv6 = ipv6.into_iter().flatten().map(Address::any_family);
        ipv4.chain(ipv6)
    }

    /// Whether the link exists in software only, so that we can create and delete it. InfiniBand has one type for cards and
    /// for what is stacked upon them.
    pub fn is_virtual(&self) -> bool {
        match &self.interface_type {
            Some(InterfaceType::Infiniband) => self.base_interface().is_some(),
            interface_type => interface_type
                .as_ref()
                .is_some_and(InterfaceType::is_virtual),
        }
    }

    /// Whether its link-layer address is for the driver to say: that of InfiniBand has the number of a queue in it.
    pub fn has_fixed_mac_address(&self) -> bool {
        self.interface_type == Some(InterfaceType::Infiniband)
    }

    /// Whether its MAC address is that of the link below, as the kernel has it (`ipvlan_link_new`,
    /// `macvlan_common_newlink`).
    pub fn borrows_mac_address(&self) -> bool {
        let section = self.mac_vlan.as_ref().or(self.mac_vtap.as_ref());
        let is_passthru = |section: &MacVlan| section.mode == Some(MacVlanMode::Passthru);
        self.ipvlan.is_some() || section.is_some_and(|section| is_passthru(section))
    }

    /// The interface that it is stacked upon.
    pub fn base_interface(&self) -> Option<&str> {
        let vxlan = self
            .vxlan
            .as_ref()
            .and_then(|vxlan| vxlan.base_iface.as_deref());
        let mac_vlan = self.mac_vlan.as_ref().or(self.mac_vtap.as_ref());
        let ipvlan = self.ipvlan.as_ref();
        vxlan
            .or_else(|| mac_vlan.and_then(|section| section.base_iface.as_deref()))
            .or_else(|| ipvlan.and_then(|section| section.base_iface.as_deref()))
            .or_else(|| self.vlan.as_ref()?.base_iface.as_deref())
            .or_else(|| self.ip_tunnel.as_ref()?.base_iface.as_deref())
            .or_else(|| {
                self.gre
                    .as_ref()
                    .or(self.gretap.as_ref())?
                    .base_iface
                    .as_deref()
            })
            .or_else(|| self.xfrm.as_ref()?.base_iface.as_deref())
            .or_else(|| self.macsec.as_ref()?.base_iface.as_deref())
            .or_else(|| self.hsr.as_ref()?.port1.as_deref())
            .or_else(|| self.infiniband.as_ref()?.base_iface.as_deref())
    }

    /// Further interfaces that it is stacked upon.
    pub fn further_bases(&self) -> impl Iterator<Item = &str> {
        let hsr = self.hsr.as_ref();
        let names = hsr.map(|section| [section.port2.as_deref(), section.interlink.as_deref()]);
        names.into_iter().flatten().flatten()
    }

    /// Whether it says something about the hardware.
    pub fn has_hardware(&self) -> bool {
        self.ethtool.is_some() || self.ethernet.is_some()
    }

    /// Name and settings of the hardware alone.
    #[must_use]
    pub fn only_hardware(&self) -> Self {
        Self {
            ethtool: self.ethtool.clone(),
            ethernet: self.ethernet.clone(),
            ..Self::named(&self.name)
        }
    }

    /// What it says of virtual functions.
    pub fn sr_iov(&self) -> Option<&SrIov> {
        self.ethernet.as_ref()?.sr_iov.as_deref()
    }

    /// The other end of a veth pair.
    pub fn veth_peer(&self) -> Option<&str> {
        self.veth.as_ref()?.peer.as_deref()
    }

    /// Whether a client of this protocol is to run for it: it asks a DHCP server, or listens to routers.
    pub fn wants_lease(&self, protocol: LeaseProtocol) -> bool {
        let (ipv4, ipv6) = (self.ipv4.as_ref(), self.ipv6.as_ref());
        let is_on = match protocol {
            LeaseProtocol::Dhcpv4 => {
                ipv4.is_some_and(|ipv4| ipv4.dhcp == Some(true) && ipv4.enabled != Some(false))
            }
            LeaseProtocol::Dhcpv6 => {
                ipv6.is_some_and(|ipv6| ipv6.dhcp == Some(true) && ipv6.enabled != Some(false))
            }
            LeaseProtocol::RouterAdvertisement => {
                // The kernel shows the switch there, too.
                let is_loopback = self.interface_type == Some(InterfaceType::Loopback);
                ipv6.is_some_and(Ipv6::listens_to_routers) && !is_loopback
            }
        };
        is_on && self.wanted_state() == InterfaceState::Up
    }

    /// The leases that it is to have.
    pub fn wanted_leases(&self) -> impl Iterator<Item = LeaseKey> {
        let wanted = LeaseProtocol::ALL.into_iter();
        wanted
            .filter(|protocol| self.wants_lease(*protocol))
            .map(|protocol| LeaseKey {
                interface: self.name.clone(),
                protocol,
            })
    }

    /// All other interfaces that it names.
    pub fn mentioned(&self) -> impl Iterator<Item = &str> {
        self.controller
            .as_deref()
            .filter(|name| !name.is_empty())
            .into_iter()
            .chain(self.base_interface())
            .chain(self.further_bases())
            .chain(self.veth_peer())
            .chain(self.copy_mac_from.as_deref())
            .chain(self.port_names().into_iter().flatten())
            .chain(self.preferred_port())
    }
}
