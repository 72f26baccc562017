// SPDX-License-Identifier: Apache-2.0

//! IP tunnels (`net/ipv4/ipip.c`, `net/ipv6/sit.c`, `net/ipv6/ip6_tunnel.c`): one section, three kinds. A change resets
//! what it doesn't name, so orders have everything.

use nipart_netlink::packet::IpProtocol;
use nipart_netlink::packet::link::{InfoData, InfoIpTunnel, InfoKind, Ip6TunnelFlags};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::ip_tunnel::{Ip6TunnelFlag, IpTunnelMode};
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::tunnel::{DEFAULT_ENCAP_LIMIT, FlowInfo, given};
use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

const FLAGS: [(Ip6TunnelFlag, Ip6TunnelFlags); 10] = [
    (Ip6TunnelFlag::IgnEncapLimit, Ip6TunnelFlags::IgnEncapLimit),
    (Ip6TunnelFlag::UseOrigTclass, Ip6TunnelFlags::UseOrigTclass),
    (
        Ip6TunnelFlag::UseOrigFlowlabel,
        Ip6TunnelFlags::UseOrigFlowlabel,
    ),
    (Ip6TunnelFlag::Mip6Dev, Ip6TunnelFlags::Mip6Dev),
    (Ip6TunnelFlag::RcvDscpCopy, Ip6TunnelFlags::RcvDscpCopy),
    (Ip6TunnelFlag::UseOrigFwMark, Ip6TunnelFlags::UseOrigFwMark),
    (
        Ip6TunnelFlag::AllowLocalRemote,
        Ip6TunnelFlags::AllowLocalRemote,
    ),
    (Ip6TunnelFlag::CapXmit, Ip6TunnelFlags::CapXmit),
    (Ip6TunnelFlag::CapRcv, Ip6TunnelFlags::CapRcv),
    (Ip6TunnelFlag::CapPerPacket, Ip6TunnelFlags::CapPerPacket),
];

/// The kind that carries IPv4 over IPv4.
pub(super) struct Ipip;
/// The kind that carries IPv6 over IPv4.
pub(super) struct Sit;
/// The kind that carries both over IPv6.
pub(super) struct Ip6tnl;

macro_rules! ip_tunnel {
    ($kind:ident $info_kind:ident $module:literal $($mode:ident)|+) => {
        impl LinkKind for $kind {
            fn interface_type(&self) -> InterfaceType {
                InterfaceType::IpTunnel
            }

            fn info_kind(&self) -> InfoKind {
                InfoKind::$info_kind
            }

            fn module(&self) -> String {
                $module.to_string()
            }

            fn is_for(&self, interface: &Interface) -> bool {
                let mode = interface.ip_tunnel.as_ref().and_then(|section| section.mode);
                matches!(mode, Some($(IpTunnelMode::$mode)|+))
            }

            fn observe(&self, link: &LinkFacts, surroundings: &Surroundings<'_>, interface: &mut Interface) {
                interface.ip_tunnel = observe(self.info_kind(), link, surroundings).map(Box::new);
            }

            fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
                compose(order)
            }
        }
    };
}

ip_tunnel!(Ipip IpIp "ipip" Ipip);
ip_tunnel!(Sit SitTun "sit" Sit);
ip_tunnel!(Ip6tnl Ip6Tnl "ip6_tunnel" Ip6ip6 | Ipip6);

fn observe(
    kind: InfoKind,
    link: &LinkFacts,
    surroundings: &Surroundings<'_>,
) -> Option<interface::IpTunnel> {
    let Some(InfoData::IpTunnel(attributes)) = &link.data else {
        return None;
    };
    let mut section = interface::IpTunnel {
        base_iface: surroundings.base_of(link),
        mode: match kind {
            InfoKind::IpIp => Some(IpTunnelMode::Ipip),
            InfoKind::SitTun => Some(IpTunnelMode::Sit),
            _ => None,
        },
        ..interface::IpTunnel::default()
    };
    let is_over_ipv6 = kind == InfoKind::Ip6Tnl;
    for attribute in attributes {
        match attribute {
            InfoIpTunnel::Local(address) => section.local = given(*address),
            InfoIpTunnel::Remote(address) => section.remote = given(*address),
            InfoIpTunnel::Ttl(ttl) => section.ttl = Some(*ttl),
            InfoIpTunnel::Tos(tos) if !is_over_ipv6 => section.tos = Some(*tos),
            InfoIpTunnel::PMtuDisc(on) if !is_over_ipv6 => section.pmtu_disc = Some(*on),
            InfoIpTunnel::FlowInfo(value) if is_over_ipv6 => {
                let FlowInfo { class, label } = FlowInfo::from(*value);
                section.tos = Some(class);
                section.flow_label = Some(label);
            }
            InfoIpTunnel::EncapLimit(limit) if is_over_ipv6 => section.encap_limit = Some(*limit),
            InfoIpTunnel::Ipv6Flags(flags) => {
                let set = FLAGS.iter().filter(|(_, bit)| flags.contains(*bit));
                section.ip6tun_flags = Some(set.map(|(flag, _)| *flag).collect());
            }
            InfoIpTunnel::Protocol(IpProtocol::Ipv6) if is_over_ipv6 => {
                section.mode = Some(IpTunnelMode::Ip6ip6);
            }
            InfoIpTunnel::Protocol(IpProtocol::Ipip) if is_over_ipv6 => {
                section.mode = Some(IpTunnelMode::Ipip6);
            }
            InfoIpTunnel::FwMark(mark) => section.fwmark = Some(*mark),
            _ => {}
        }
    }
    Some(section)
}

fn compose(order: &Order<'_>) -> Result<Composed, NipartError> {
    let section = order.interface.ip_tunnel.clone().unwrap_or_default();
    let base = match &section.base_iface {
        Some(name) => Some(order.names.index(name)?),
        None => None,
    };
    let mut attributes: Vec<InfoIpTunnel> = [
        base.map(InfoIpTunnel::Link),
        section.local.map(InfoIpTunnel::Local),
        section.remote.map(InfoIpTunnel::Remote),
        section.ttl.map(InfoIpTunnel::Ttl),
        section.fwmark.map(InfoIpTunnel::FwMark),
    ]
    .into_iter()
    .flatten()
    .collect();
    if section.mode.is_some_and(IpTunnelMode::is_over_ipv6) {
        let mut flags = Ip6TunnelFlags::empty();
        for (flag, bit) in FLAGS {
            flags.set(
                bit,
                section
                    .ip6tun_flags
                    .iter()
                    .flatten()
                    .any(|set| *set == flag),
            );
        }
        let protocol = match section.mode {
            Some(IpTunnelMode::Ipip6) => IpProtocol::Ipip,
            _ => IpProtocol::Ipv6,
        };
        let limit = section.encap_limit.unwrap_or(DEFAULT_ENCAP_LIMIT);
        attributes.extend([
            InfoIpTunnel::FlowInfo(FlowInfo::new(section.tos, section.flow_label).into()),
            InfoIpTunnel::EncapLimit(limit),
            InfoIpTunnel::Ipv6Flags(flags),
            InfoIpTunnel::Protocol(protocol),
        ]);
    } else {
        attributes.extend(section.tos.map(InfoIpTunnel::Tos));
        attributes.extend(section.pmtu_disc.map(InfoIpTunnel::PMtuDisc));
    }
    Ok(Composed {
        data: Some(InfoData::IpTunnel(attributes)),
        ..Composed::default()
    })
}
