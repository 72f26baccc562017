// SPDX-License-Identifier: Apache-2.0

//! Random addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nipart_schemas::ip::{Address, Ipv4, Ipv6};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::number;

pub(crate) fn ipv4(name: &str, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, number(name), host)
}

pub(crate) fn ipv6(name: &str, host: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, number(name).into(), 0, 0, 0, host.into())
}

pub(crate) fn section_ipv4(name: &'static str) -> impl Strategy<Value = Ipv4> {
    let list = of(subsequence(vec![1, 2, 3], 0..=3));
    let dhcp = weighted(0.3, any::<bool>());
    (
        list,
        dhcp,
        weighted(0.1, any::<bool>()),
        weighted(0.1, Just(false)),
    )
        .prop_map(move |(list, dhcp, allow_extra_address, enabled)| Ipv4 {
            enabled,
            dhcp: dhcp.filter(|_| enabled.is_none()),
            address: list.filter(|_| enabled.is_none()).map(|hosts| {
                let hosts = hosts.into_iter();
                hosts
                    .map(|host| Address::new(ipv4(name, host), 24))
                    .collect()
            }),
            allow_extra_address,
            ..Ipv4::default()
        })
}

pub(crate) fn section_ipv6(name: &'static str) -> impl Strategy<Value = Ipv6> {
    let list = of(subsequence(vec![1, 2], 0..=2));
    (
        list,
        weighted(0.2, any::<bool>()),
        weighted(0.2, any::<bool>()),
    )
        .prop_map(move |(list, enabled, autoconf)| Ipv6 {
            enabled,
            dhcp: dhcpv6(list.as_deref(), enabled),
            autoconf: autoconf.filter(|autoconf| enabled != Some(false) || !autoconf),
            address: list.filter(|_| enabled != Some(false)).map(|hosts| {
                let hosts = hosts.into_iter();
                hosts
                    .map(|host| Address::new(ipv6(name, host), 64))
                    .collect()
            }),
            ..Ipv6::default()
        })
}

/// Follows from what else is random, so that the rest of a walk is what it was.
fn dhcpv6(hosts: Option<&[u8]>, enabled: Option<bool>) -> Option<bool> {
    match hosts? {
        [] => Some(false),
        [1] => Some(enabled != Some(false)),
        _ => None,
    }
}

pub(crate) fn address_of(destination: &str, name: &str, host: u8) -> IpAddr {
    if destination.contains(':') {
        ipv6(name, host).into()
    } else {
        ipv4(name, host).into()
    }
}
