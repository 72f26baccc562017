// SPDX-License-Identifier: Apache-2.0

//! Switches of IPv4 and IPv6. They come with the link: no need to open files under `/proc` for each.

use nipart_netlink::packet::link::{
    AfSpecInet, AfSpecInet6, AfSpecUnspec, In6AddrGenMode, Inet6DevConf,
};
use nipart_schemas::interface::Interface;
use nipart_schemas::ip::{AddrGenMode, Ipv6};

/// Takes what `IFLA_AF_SPEC` says.
pub(super) fn observe(families: &[AfSpecUnspec], interface: &mut Interface) {
    for family in families {
        match family {
            AfSpecUnspec::Inet(attributes) => {
                let ipv4 = interface.ipv4.get_or_insert_default();
                ipv4.forwarding = attributes.iter().find_map(|attribute| match attribute {
                    AfSpecInet::DevConf(switches) => Some(switches.forwarding != 0),
                    _ => None,
                });
            }
            AfSpecUnspec::Inet6(attributes) => {
                observe_ipv6(attributes, interface.ipv6.get_or_insert_default());
            }
            _ => {}
        }
    }
}

fn observe_ipv6(attributes: &[AfSpecInet6], section: &mut Ipv6) {
    for attribute in attributes {
        match attribute {
            AfSpecInet6::DevConf(switches) => {
                section.enabled = Some(switches.disable_ipv6 == 0);
                section.autoconf = Some(switches.autoconf != 0 && accepts_advertisements(switches));
                section.accept_ra_defrtr = (switches.accept_ra_defrtr == 0).then_some(false);
                section.forwarding = Some(switches.forwarding != 0);
            }
            AfSpecInet6::AddrGenMode(mode) => section.addr_gen_mode = addr_gen_mode(mode),
            AfSpecInet6::Token(token) => {
                section.token = (!token.is_unspecified()).then_some(*token);
            }
            _ => {}
        }
    }
    if section.enabled != Some(true) || section.autoconf != Some(true) {
        // The kernel keeps it, but nothing is made with it.
        section.token = None;
    }
}

/// `ipv6_accept_ra`, net/ipv6.h.
fn accepts_advertisements(switches: &Inet6DevConf) -> bool {
    match switches.accept_ra {
        2 => true,
        1 => switches.forwarding == 0,
        _ => false,
    }
}

fn addr_gen_mode(mode: &In6AddrGenMode) -> Option<AddrGenMode> {
    AddrGenMode::from_number(mode.into())
}
