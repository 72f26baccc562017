// SPDX-License-Identifier: Apache-2.0

//! GRE (`net/ipv4/ip_gre.c`, `net/ipv6/ip6_gre.c`): two sections, a kind for each address family. A change resets what it
//! doesn't name, so orders have everything.

use std::net::IpAddr;

use nipart_netlink::packet::link::{GreIOFlags, InfoData, InfoGre, InfoGre6, InfoKind};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::tunnel::{DEFAULT_ENCAP_LIMIT, FlowInfo, given};
use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

/// IP packets over IPv4.
pub(super) struct Gre;
/// IP packets over IPv6.
pub(super) struct Ip6gre;
/// Frames over IPv4.
pub(super) struct Gretap;
/// Frames over IPv6.
pub(super) struct Ip6gretap;

macro_rules! gre {
    ($kind:ident $interface_type:ident $field:ident $info_kind:ident $data:ident $is_over_ipv6:literal $observe:ident $attributes:ident) => {
        impl LinkKind for $kind {
            fn interface_type(&self) -> InterfaceType {
                InterfaceType::$interface_type
            }

            fn info_kind(&self) -> InfoKind {
                InfoKind::$info_kind
            }

            fn module(&self) -> String {
                if $is_over_ipv6 { "ip6_gre" } else { "ip_gre" }.to_string()
            }

            fn is_for(&self, interface: &Interface) -> bool {
                let section = interface.$field.as_deref();
                section.is_some_and(interface::Gre::is_over_ipv6) == $is_over_ipv6
            }

            fn observe(
                &self,
                link: &LinkFacts,
                surroundings: &Surroundings<'_>,
                interface: &mut Interface,
            ) {
                if let Some(InfoData::$data(attributes)) = &link.data {
                    let mut section = interface::Gre {
                        base_iface: surroundings.base_of(link),
                        ..interface::Gre::default()
                    };
                    $observe(attributes, &mut section);
                    interface.$field = Some(Box::new(section));
                }
            }

            fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
                let section = order.interface.$field.clone().unwrap_or_default();
                let base = match &section.base_iface {
                    Some(name) => Some(order.names.index(name)?),
                    None => None,
                };
                Ok(Composed {
                    data: Some(InfoData::$data($attributes(&section, base))),
                    ..Composed::default()
                })
            }
        }
    };
}

gre!(Gre Gre gre GreTun GreTun false observe_over_ipv4 attributes_over_ipv4);
gre!(Ip6gre Gre gre GreTun6 GreTun6 true observe_over_ipv6 attributes_over_ipv6);
gre!(Gretap GreTap gretap GreTap GreTap false observe_over_ipv4 attributes_over_ipv4);
gre!(Ip6gretap GreTap gretap GreTap6 GreTap6 true observe_over_ipv6 attributes_over_ipv6);

/// The kernel shows zeros for keys that aren't used.
fn forget_unused_keys(section: &mut interface::Gre, input: GreIOFlags, output: GreIOFlags) {
    section.input_key = section
        .input_key
        .filter(|_| input.contains(GreIOFlags::Key));
    section.output_key = section
        .output_key
        .filter(|_| output.contains(GreIOFlags::Key));
}

fn observe_over_ipv4(attributes: &[InfoGre], section: &mut interface::Gre) {
    let (mut input, mut output) = (GreIOFlags::empty(), GreIOFlags::empty());
    for attribute in attributes {
        match attribute {
            InfoGre::IFlags(flags) => input = *flags,
            InfoGre::OFlags(flags) => output = *flags,
            InfoGre::IKey(key) => section.input_key = Some(*key),
            InfoGre::OKey(key) => section.output_key = Some(*key),
            InfoGre::Local(address) => section.local = given((*address).into()),
            InfoGre::Remote(address) => section.remote = given((*address).into()),
            InfoGre::Ttl(ttl) => section.ttl = Some(*ttl),
            InfoGre::FwMask(mark) => section.fwmark = Some(*mark),
            InfoGre::Tos(tos) => section.tos = Some(*tos),
            InfoGre::PathMTUDiscovery(on) => section.pmtu_disc = Some(*on),
            _ => {}
        }
    }
    forget_unused_keys(section, input, output);
}

fn attributes_over_ipv4(section: &interface::Gre, base: Option<u32>) -> Vec<InfoGre> {
    let flags = |key: Option<u32>| match key {
        Some(_) => GreIOFlags::Key,
        None => GreIOFlags::empty(),
    };
    let mut attributes = vec![
        InfoGre::IFlags(flags(section.input_key)),
        InfoGre::OFlags(flags(section.output_key)),
    ];
    attributes.extend(base.map(InfoGre::Link));
    attributes.extend(section.input_key.map(InfoGre::IKey));
    attributes.extend(section.output_key.map(InfoGre::OKey));
    if let Some(IpAddr::V4(address)) = section.local {
        attributes.push(InfoGre::Local(address));
    }
    if let Some(IpAddr::V4(address)) = section.remote {
        attributes.push(InfoGre::Remote(address));
    }
    attributes.extend(section.ttl.map(InfoGre::Ttl));
    attributes.extend(section.fwmark.map(InfoGre::FwMask));
    attributes.extend(section.tos.map(InfoGre::Tos));
    attributes.extend(section.pmtu_disc.map(InfoGre::PathMTUDiscovery));
    attributes
}

fn observe_over_ipv6(attributes: &[InfoGre6], section: &mut interface::Gre) {
    let (mut input, mut output) = (GreIOFlags::empty(), GreIOFlags::empty());
    for attribute in attributes {
        match attribute {
            InfoGre6::IFlags(flags) => input = *flags,
            InfoGre6::OFlags(flags) => output = *flags,
            InfoGre6::IKey(key) => section.input_key = Some(*key),
            InfoGre6::OKey(key) => section.output_key = Some(*key),
            InfoGre6::Local(address) => section.local = given((*address).into()),
            InfoGre6::Remote(address) => section.remote = given((*address).into()),
            InfoGre6::Ttl(ttl) => section.ttl = Some(*ttl),
            InfoGre6::FwMask(mark) => section.fwmark = Some(*mark),
            InfoGre6::FlowLabel(value) => {
                let FlowInfo { class, label } = FlowInfo::from(*value);
                section.tos = Some(class);
                section.flow_label = Some(label);
            }
            InfoGre6::EncapLimit(limit) => section.encap_limit = Some(*limit),
            _ => {}
        }
    }
    forget_unused_keys(section, input, output);
}

fn attributes_over_ipv6(section: &interface::Gre, base: Option<u32>) -> Vec<InfoGre6> {
    let flags = |key: Option<u32>| match key {
        Some(_) => GreIOFlags::Key,
        None => GreIOFlags::empty(),
    };
    let mut attributes = vec![
        InfoGre6::IFlags(flags(section.input_key)),
        InfoGre6::OFlags(flags(section.output_key)),
    ];
    attributes.extend(base.map(InfoGre6::Link));
    attributes.extend(section.input_key.map(InfoGre6::IKey));
    attributes.extend(section.output_key.map(InfoGre6::OKey));
    if let Some(IpAddr::V6(address)) = section.local {
        attributes.push(InfoGre6::Local(address));
    }
    if let Some(IpAddr::V6(address)) = section.remote {
        attributes.push(InfoGre6::Remote(address));
    }
    attributes.extend(section.ttl.map(InfoGre6::Ttl));
    attributes.extend(section.fwmark.map(InfoGre6::FwMask));
    let flow = FlowInfo::new(section.tos, section.flow_label);
    attributes.push(InfoGre6::FlowLabel(flow.into()));
    let limit = section.encap_limit.unwrap_or(DEFAULT_ENCAP_LIMIT);
    attributes.push(InfoGre6::EncapLimit(limit));
    attributes
}
