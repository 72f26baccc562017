// SPDX-License-Identifier: Apache-2.0

//! The types of interfaces and what is true of each.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of an interface, in nmstate's words.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
#[non_exhaustive]
pub enum InterfaceType {
    /// A network card, or what looks like one.
    Ethernet,
    /// One end of a virtual pair.
    Veth,
    /// A link that leads nowhere.
    Dummy,
    /// The kernel's bridge.
    LinuxBridge,
    /// Several links used as one.
    Bond,
    /// VLAN.
    Vlan,
    /// A routing table for some links.
    Vrf,
    /// VXLAN tunnel.
    Vxlan,
    /// MAC VLAN.
    MacVlan,
    /// MAC VTAP.
    MacVtap,
    /// IPVLAN.
    Ipvlan,
    /// WireGuard tunnel.
    Wireguard,
    /// IP in IP tunnel.
    IpTunnel,
    /// GRE tunnel for IP packets.
    Gre,
    /// GRE tunnel for Ethernet frames.
    GreTap,
    /// GENEVE tunnel.
    Geneve,
    /// XFRM interface.
    Xfrm,
    /// MACsec.
    Macsec,
    /// Tun or tap device.
    Tun,
    /// HSR or PRP.
    Hsr,
    /// An InfiniBand card, or a partition over one.
    Infiniband,
    /// The loopback interface.
    Loopback,
    /// A kind that Nipart doesn't know, under the kernel's own name: shown, its common properties can be set,
    /// but it can't be created.
    Other(String),
}

impl InterfaceType {
    /// Every type that is more than a name to us.
    pub const KNOWN: &'static [Self] = &[
        Self::Ethernet,
        Self::Veth,
        Self::Dummy,
        Self::LinuxBridge,
        Self::Bond,
        Self::Vlan,
        Self::Vrf,
        Self::Vxlan,
        Self::MacVlan,
        Self::MacVtap,
        Self::Ipvlan,
        Self::Wireguard,
        Self::IpTunnel,
        Self::Gre,
        Self::GreTap,
        Self::Geneve,
        Self::Xfrm,
        Self::Macsec,
        Self::Tun,
        Self::Hsr,
        Self::Infiniband,
        Self::Loopback,
    ];

    /// The word in users' files.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ethernet => "ethernet",
            Self::Veth => "veth",
            Self::Dummy => "dummy",
            Self::LinuxBridge => "linux-bridge",
            Self::Bond => "bond",
            Self::Vlan => "vlan",
            Self::Vrf => "vrf",
            Self::Vxlan => "vxlan",
            Self::MacVlan => "mac-vlan",
            Self::MacVtap => "mac-vtap",
            Self::Ipvlan => "ipvlan",
            Self::Wireguard => "wireguard",
            Self::IpTunnel => "ip-tunnel",
            Self::Gre => "gre",
            Self::GreTap => "gretap",
            Self::Geneve => "geneve",
            Self::Xfrm => "xfrm",
            Self::Macsec => "macsec",
            Self::Tun => "tun",
            Self::Hsr => "hsr",
            Self::Infiniband => "infiniband",
            Self::Loopback => "loopback",
            Self::Other(name) => name,
        }
    }

    /// Whether links of this type exist in software only. Of InfiniBand see [`super::Interface::is_virtual`].
    pub fn is_virtual(&self) -> bool {
        !matches!(
            self,
            Self::Ethernet | Self::Infiniband | Self::Loopback | Self::Other(_)
        )
    }

    /// Whether other interfaces can be its ports.
    pub fn is_controller(&self) -> bool {
        matches!(self, Self::LinuxBridge | Self::Bond | Self::Vrf)
    }

    /// Whether its ports have addresses of their own; those of other controllers' ports belong to the controller.
    pub fn leaves_addresses_to_ports(&self) -> bool {
        matches!(self, Self::Vrf)
    }

    /// Whether it is nmstate's word for a type that isn't told: as good as none.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Other(word) if word == "unknown")
    }

    /// Whether a user who writes `self` means the `present` type: nmstate's users write `ethernet` for a veth.
    pub fn accepts(&self, present: &Self) -> bool {
        self == present || (*self == Self::Ethernet && *present == Self::Veth)
    }
}

impl From<String> for InterfaceType {
    fn from(name: String) -> Self {
        Self::KNOWN
            .iter()
            .find(|known| known.as_str() == name)
            .cloned()
            .unwrap_or(Self::Other(name))
    }
}

impl From<InterfaceType> for String {
    fn from(interface_type: InterfaceType) -> Self {
        interface_type.as_str().to_string()
    }
}

impl fmt::Display for InterfaceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
