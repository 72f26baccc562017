// SPDX-License-Identifier: Apache-2.0

//! Random objects of others.

use std::net::IpAddr;

use nipart_schemas::interface::{Interface, InterfaceType, MacVlan, MacVlanMode};
use nipart_schemas::ip::Address;
use nipart_schemas::operation::{LinkChanges, Operation};
use nipart_schemas::route::{Route, RouteType};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::ip::{address_of, ipv4, ipv6};
use crate::{Kinds, number, route_rule};

/// What others do to the network.
pub fn foreign(kinds: Kinds) -> impl Strategy<Value = Vec<Operation>> {
    let names = || select(kinds.names());
    let address = names().prop_flat_map(|name| {
        let ip = prop_oneof![
            Just(IpAddr::from(ipv4(name, 77))),
            Just(ipv6(name, 77).into())
        ];
        ip.prop_map(move |ip| Operation::AddAddress {
            interface: name.to_string(),
            address: Address::new(ip, if ip.is_ipv4() { 24 } else { 64 }),
        })
    });
    let route =
        (names(), any::<bool>(), any::<bool>()).prop_map(|(name, with_gateway, is_ipv6)| {
            let gateway: IpAddr = if is_ipv6 {
                ipv6(name, 99).into()
            } else {
                ipv4(name, 99).into()
            };
            let destination = if is_ipv6 {
                "2001:db8:77::/48"
            } else {
                "203.0.113.0/24"
            };
            Operation::AddRoute(Route {
                destination: Some(destination.parse().unwrap()),
                next_hop_interface: Some(name.to_string()),
                next_hop_address: with_gateway.then_some(gateway),
                metric: Some(20 + u32::from(number(name))),
                protocol: Some(186),
                ..Route::default()
            })
        });
    let paths = (subsequence(kinds.names(), 2..=3), any::<bool>()).prop_map(|(names, is_ipv6)| {
        let destination = if is_ipv6 {
            "2001:db8:78::/48"
        } else {
            "203.0.114.0/24"
        };
        let hops = names.into_iter().map(|name| Route {
            destination: Some(destination.parse().unwrap()),
            next_hop_interface: Some(name.to_string()),
            next_hop_address: Some(address_of(destination, name, 99)),
            weight: Some(1),
            protocol: Some(186),
            ..Route::default()
        });
        Operation::AddMultipathRoute(hops.collect())
    });
    let nowhere = Just(Operation::AddRoute(Route {
        destination: "203.0.115.0/24".parse().ok(),
        route_type: Some(RouteType::Prohibit),
        protocol: Some(186),
        ..Route::default()
    }));
    let port =
        (select(kinds.ports()), select(kinds.controllers())).prop_map(|(port, controller)| {
            Operation::ChangeLink(LinkChanges {
                interface: port.to_string(),
                controller: Some(controller.to_string()),
                ..LinkChanges::default()
            })
        });
    let stacked = select(kinds.bases()).prop_map(|base| Operation::CreateLink {
        interface: Box::new(Interface {
            interface_type: Some(InterfaceType::MacVlan),
            mtu: Some(1280),
            mac_vlan: Some(Box::new(MacVlan {
                base_iface: Some(base.to_string()),
                mode: Some(MacVlanMode::Bridge),
                promiscuous: None,
            })),
            ..Interface::named("foreignmv")
        }),
        peer: None,
    });
    let alt_name = names().prop_map(|name| Operation::AddAltName {
        interface: name.to_string(),
        name: format!("{name}-foreign"),
    });
    let one = prop_oneof![3 => address, 3 => route, 2 => paths, 1 => nowhere, 1 => port, 1 => stacked, 1 => alt_name, 2 => route_rule::foreign()];
    vec(one, 0..8)
}
