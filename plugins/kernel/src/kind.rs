// SPDX-License-Identifier: Apache-2.0

//! What is particular to each kind of link: one file for each, with both directions in it.
//!
//! To add a kind: a file with a type that implements [`LinkKind`], and a line in [`KINDS`].

mod bond;
mod dummy;
mod geneve;
mod gre;
mod hsr;
mod infiniband;
mod ip_tunnel;
mod ipvlan;
mod linux_bridge;
mod mac_vlan;
mod macsec;
pub(crate) mod port_vlan;
mod tun;
mod tunnel;
mod veth;
mod vlan;
mod vrf;
mod vxlan;
mod wireguard;
mod xfrm;

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoPortData, LinkInfo, LinkLayerType};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{BondPort, BridgePort, Interface, InterfaceType};
use nipart_sys::tun::Existing;

use crate::execute::{Names, TunDevice};
use crate::query::{LinkFacts, Surroundings};

/// Every kind that is more than a name to us.
static KINDS: &[&dyn LinkKind] = &[
    &veth::Veth,
    &dummy::Dummy,
    &linux_bridge::LinuxBridge,
    &bond::Bond,
    &vlan::Vlan,
    &vrf::Vrf,
    &vxlan::Vxlan,
    &mac_vlan::MacVlan,
    &mac_vlan::MacVtap,
    &ipvlan::Ipvlan,
    &wireguard::Wireguard,
    &ip_tunnel::Ipip,
    &ip_tunnel::Sit,
    &ip_tunnel::Ip6tnl,
    &gre::Gre,
    &gre::Ip6gre,
    &gre::Gretap,
    &gre::Ip6gretap,
    &geneve::Geneve,
    &xfrm::Xfrm,
    &macsec::Macsec,
    &tun::Tun,
    &hsr::Hsr,
    &infiniband::Infiniband,
];

/// Translates between a kind's section and its attributes.
pub(crate) trait LinkKind: Sync {
    /// The type in states.
    fn interface_type(&self) -> InterfaceType;

    /// `IFLA_INFO_KIND`.
    fn info_kind(&self) -> InfoKind;

    /// Whether it is this kind, of several for the type, that the section means.
    fn is_for(&self, _interface: &Interface) -> bool {
        true
    }

    /// Fills the section of the type from what the kernel shows of the link and of those around it.
    fn observe(&self, link: &LinkFacts, surroundings: &Surroundings<'_>, interface: &mut Interface);

    /// Numbers of the links that its data names, beside `IFLA_LINK`.
    fn references(&self, _link: &LinkFacts) -> Vec<u32> {
        Vec::new()
    }

    /// The attributes that make the kernel create or change a link as its section says.
    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError>;

    /// Whether the section is no matter of `rtnetlink(7)`.
    fn is_configured_elsewhere(&self) -> bool {
        false
    }

    /// What is to be made, or changed, through a device file: no message does that for the kind.
    fn device(&self, _interface: &Interface, _existing: Existing) -> Option<TunDevice> {
        None
    }

    /// Whether the kernel takes the MTU of a new link for its own choice, to be changed as ports come and go,
    /// unless it is set by a message of its own.
    fn forgets_initial_mtu(&self) -> bool {
        false
    }

    /// What a kernel is said to support that has the kind.
    fn feature(&self) -> String {
        self.interface_type().to_string()
    }

    /// The kernel's module.
    fn module(&self) -> String {
        self.info_kind().to_string()
    }
}

/// What is to be composed.
pub(crate) struct Order<'a> {
    /// Name, type and section: for a change only what changes.
    pub(crate) interface: &'a Interface,
    /// The other end of a pair to be created.
    pub(crate) peer: Option<&'a Interface>,
    /// Whether the link is created: only then defaults are filled in.
    pub(crate) is_new: bool,
    /// Numbers of the links that the section may name.
    pub(crate) names: &'a Names,
}

/// What a kind adds to an `RTM_NEWLINK`.
#[derive(Default)]
pub(crate) struct Composed {
    /// `IFLA_LINK`: the interface below.
    pub(crate) base: Option<u32>,
    /// `IFLA_INFO_DATA`.
    pub(crate) data: Option<InfoData>,
    /// Queues in each direction, where the kernel would choose more (`IFLA_NUM_TX_QUEUES`, `IFLA_NUM_RX_QUEUES`).
    pub(crate) queues: Option<u32>,
}

/// The kind of this type and section, none for what can't be created.
pub(crate) fn of_interface(interface: &Interface) -> Option<&'static dyn LinkKind> {
    let interface_type = interface.interface_type.as_ref()?;
    KINDS
        .iter()
        .copied()
        .find(|kind| kind.interface_type() == *interface_type && kind.is_for(interface))
}

/// The kind that the kernel calls so.
pub(crate) fn of_kernel(info_kind: &InfoKind) -> Option<&'static dyn LinkKind> {
    KINDS
        .iter()
        .copied()
        .find(|kind| kind.info_kind() == *info_kind)
}

/// The type that a link is shown with: one of a kind that Nipart doesn't know keeps the kernel's name.
pub(crate) fn observed_type(info_kind: Option<&InfoKind>, layer: LinkLayerType) -> InterfaceType {
    match (info_kind, layer) {
        (Some(info_kind), _) => match of_kernel(info_kind) {
            Some(kind) => kind.interface_type(),
            None => InterfaceType::Other(info_kind.to_string()),
        },
        (None, LinkLayerType::Ether) => InterfaceType::Ethernet,
        // Older kernels tell the kind of partitions only.
        (None, LinkLayerType::Infiniband) => InterfaceType::Infiniband,
        (None, LinkLayerType::Loopback) => InterfaceType::Loopback,
        (None, _) => InterfaceType::Other("unknown".to_string()),
    }
}

/// `IFLA_LINKINFO` with a kind and its data.
pub(crate) fn link_info(info_kind: InfoKind, data: Option<InfoData>) -> Vec<LinkInfo> {
    let mut info = vec![LinkInfo::Kind(info_kind)];
    info.extend(data.map(LinkInfo::Data));
    info
}

/// `IFLA_LINKINFO` with the options of a bridge's port, as far as they are given; none when none is.
pub(crate) fn bridge_port_info(port: &BridgePort) -> Option<Vec<LinkInfo>> {
    linux_bridge::compose_port(port)
}

/// `IFLA_LINKINFO` with the options of a bond's port, as far as they are given.
pub(crate) fn bond_port_info(port: &BondPort) -> Vec<LinkInfo> {
    bond::compose_port(port)
}

/// The address that a bond keeps for its port; none of another's port.
pub(crate) fn address_kept_by_bond(port: &InfoPortData) -> Option<&[u8]> {
    bond::kept_address(port)
}
