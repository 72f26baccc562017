// SPDX-License-Identifier: Apache-2.0

//! IP in IP: one section for the tunnels that the kernel calls ipip, sit and ip6tnl.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Section `ip-tunnel`. Attributes `IFLA_IPTUN_*` of `linux/if_tunnel.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IpTunnel {
    /// What is carried in what. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<IpTunnelMode>,
    /// The interface that carries the tunnel. Default: whatever the route to the remote end leads through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// Source address of the tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// The other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// Hop limit of the outer packets. 0: taken from the inner one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub ttl: Option<u8>,
    /// Type of service, or traffic class, of the outer packets. 1 over IPv4: taken from the inner one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub tos: Option<u8>,
    /// Over IPv6: flow label of the outer packets, up to 0xfffff.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub flow_label: Option<u32>,
    /// Over IPv4: outer packets may not be fragmented. Kernel default true; `false` needs a `ttl` of 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub pmtu_disc: Option<bool>,
    /// Over IPv6: how often a packet may be put into further tunnels. Default 4, as iproute2's.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub encap_limit: Option<u8>,
    /// Over IPv6: further behaviour, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip6tun_flags: Option<Vec<Ip6TunnelFlag>>,
    /// Mark of the outer packets.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub fwmark: Option<u32>,
}

overlay!(IpTunnel {
    mode,
    base_iface,
    local,
    remote,
    ttl,
    tos,
    flow_label,
    pmtu_disc,
    encap_limit,
    ip6tun_flags,
    fwmark
});

/// What is carried in what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IpTunnelMode {
    /// IPv4 in IPv4.
    Ipip,
    /// IPv6 in IPv4.
    Sit,
    /// IPv6 in IPv6.
    Ip6ip6,
    /// IPv4 in IPv6.
    Ipip6,
}

overlay_leaf!(IpTunnelMode);

impl IpTunnelMode {
    /// Whether the outer packets are IPv6.
    pub fn is_over_ipv6(self) -> bool {
        matches!(self, Self::Ip6ip6 | Self::Ipip6)
    }
}

/// `IP6_TNL_F_*` of `linux/ip6_tunnel.h`. The last three are what the kernel found out: shown only.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Ip6TunnelFlag {
    /// No option that tells the limit.
    IgnEncapLimit,
    /// Traffic class of the inner packet.
    UseOrigTclass,
    /// Flow label of the inner packet.
    UseOrigFlowlabel,
    /// Mobile IPv6.
    Mip6Dev,
    /// Traffic class goes back to the inner packet.
    RcvDscpCopy,
    /// Mark of the inner packet.
    #[serde(alias = "use-orig-fwmark")]
    UseOrigFwMark,
    /// The remote end may be an address of this host.
    AllowLocalRemote,
    /// It can send.
    CapXmit,
    /// It can receive.
    CapRcv,
    /// That is decided for each packet.
    CapPerPacket,
}

impl Ip6TunnelFlag {
    /// Whether the kernel sets it itself.
    pub fn is_shown_only(self) -> bool {
        matches!(self, Self::CapXmit | Self::CapRcv | Self::CapPerPacket)
    }
}
