// SPDX-License-Identifier: Apache-2.0

//! Random wanted states over a small set of names, most of them valid, and random objects of others.
//!
//! Each name has one type, so that states clash in what they say and not in what they mean.

#![allow(
    clippy::type_complexity,
    reason = "shapes that strategies yield have no meaning beyond the next line"
)]

mod route_rule;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nipart_schemas::interface::port_vlan::VlanTable;
use nipart_schemas::interface::{
    AltName, AltNameState, BridgeOptions, BridgePort, Interface, InterfaceState, InterfaceType,
    LinuxBridge, MacVlan, MacVlanMode, PortVlan, Veth, Vxlan,
};
use nipart_schemas::ip::{Address, Ipv4, Ipv6};
use nipart_schemas::lease::Lease;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{LinkChanges, Operation};
use nipart_schemas::route::{Route, RouteState, RouteType, Routes};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Names that wanted states use. The position is part of each one's addresses.
pub(super) const NAMES: [&str; 10] = [
    "eth0", "eth1", "br0", "br1", "va", "vb", "vx0", "vx1", "mv0", "mt0",
];
/// Names that only others use.
pub(super) const FOREIGN: [&str; 2] = ["dummy0", "foreignmv"];
const BASES: [&str; 6] = ["eth0", "eth1", "vx0", "va", "vb", "br0"];
const PORTS: [&str; 6] = ["eth0", "eth1", "va", "vb", "vx0", "mv0"];

fn number(name: &str) -> u8 {
    let position = NAMES
        .iter()
        .chain(&FOREIGN)
        .position(|known| *known == name);
    u8::try_from(position.unwrap()).unwrap()
}

pub(super) fn ipv4(name: &str, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, number(name), host)
}

pub(super) fn ipv6(name: &str, host: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, number(name).into(), 0, 0, 0, host.into())
}

fn type_of(name: &str) -> InterfaceType {
    match name {
        "br0" | "br1" => InterfaceType::LinuxBridge,
        "va" | "vb" => InterfaceType::Veth,
        "vx0" | "vx1" => InterfaceType::Vxlan,
        "mv0" => InterfaceType::MacVlan,
        "mt0" => InterfaceType::MacVtap,
        _ => InterfaceType::Ethernet,
    }
}

fn state() -> impl Strategy<Value = Option<InterfaceState>> {
    prop_oneof![
        8 => Just(None),
        2 => Just(Some(InterfaceState::Up)),
        2 => Just(Some(InterfaceState::Absent)),
        1 => Just(Some(InterfaceState::Down)),
        1 => Just(Some(InterfaceState::Ignore)),
    ]
}

fn section_ipv4(name: &'static str) -> impl Strategy<Value = Ipv4> {
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

fn section_ipv6(name: &'static str) -> impl Strategy<Value = Ipv6> {
    let list = of(subsequence(vec![1, 2], 0..=2));
    (
        list,
        weighted(0.2, any::<bool>()),
        weighted(0.2, any::<bool>()),
    )
        .prop_map(move |(list, enabled, autoconf)| Ipv6 {
            enabled,
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

fn alt_names(name: &'static str) -> impl Strategy<Value = Vec<AltName>> {
    let one = (select(vec!["x", "y"]), any::<bool>()).prop_map(move |(suffix, gone)| AltName {
        name: format!("{name}-{suffix}"),
        state: gone.then_some(AltNameState::Absent),
    });
    vec(one, 1..=1)
}

fn port() -> impl Strategy<Value = BridgePort> {
    (
        of(any::<bool>()),
        of(select(vec![7, 100])),
        of(select(vec![3, 32])),
        weighted(0.3, vlan()),
    )
        .prop_map(
            |(stp_hairpin_mode, stp_path_cost, stp_priority, vlan)| BridgePort {
                name: String::new(),
                stp_hairpin_mode,
                stp_path_cost,
                stp_priority,
                vlan,
            },
        )
}

fn vlan() -> impl Strategy<Value = PortVlan> {
    let tables = [
        VlanTable::new(Some(1), []),
        VlanTable::new(Some(10), []),
        VlanTable::new(None, [(5, 9)]),
        VlanTable::new(Some(7), [(5, 9)]),
    ];
    prop_oneof![
        Just(PortVlan::default()),
        select(tables.map(PortVlan::from).to_vec()),
    ]
}

fn bridge() -> impl Strategy<Value = LinuxBridge> {
    let ports = of((subsequence(PORTS.to_vec(), 0..=3), vec(port(), 3)));
    (
        ports,
        weighted(0.2, any::<bool>()),
        of(select(vec![60, 300])),
        weighted(0.2, vlan()),
        weighted(0.2, select(vec![0, 1, 10])),
    )
        .prop_map(
            |(ports, allow_extra_ports, ageing, vlan, pvid)| LinuxBridge {
                vlan,
                allow_extra_ports,
                options: Some(BridgeOptions {
                    mac_ageing_time: ageing,
                    vlan_default_pvid: pvid,
                    ..BridgeOptions::default()
                }),
                port: ports.map(|(names, options)| {
                    let ports = names.into_iter().zip(options);
                    let named = ports.map(|(name, port)| BridgePort {
                        name: name.to_string(),
                        ..port
                    });
                    named.collect()
                }),
            },
        )
}

fn vxlan(name: &'static str) -> impl Strategy<Value = Vxlan> {
    let id = if name == "vx0" { 1_u32..3 } else { 3..5 };
    let remote = of(prop_oneof![
        Just(IpAddr::from([192, 0, 2, 98])),
        Just(IpAddr::from([192, 0, 2, 99])),
        Just(IpAddr::from(Ipv6Addr::LOCALHOST)),
    ]);
    let base = of(select(vec!["eth0", "eth1"]));
    let local = weighted(0.2, Just(()));
    (id, base, remote, of(any::<bool>()), local).prop_map(|(id, base, remote, learning, local)| {
        Vxlan {
            id: Some(id),
            base_iface: base.map(str::to_string),
            learning,
            local: local
                .filter(|()| remote.is_none_or(|remote| remote.is_ipv4()))
                .map(|()| IpAddr::from([192, 0, 2, 1])),
            remote,
            destination_port: None,
        }
    })
}

fn mac_vlan() -> impl Strategy<Value = MacVlan> {
    let mode = select(vec![
        MacVlanMode::Bridge,
        MacVlanMode::Private,
        MacVlanMode::Passthru,
    ]);
    (select(BASES.to_vec()), mode).prop_map(|(base, mode)| MacVlan {
        base_iface: Some(base.to_string()),
        mode: Some(mode),
        promiscuous: None,
    })
}

/// An interface of a wanted state; sometimes without its section, as in a partial file.
fn interface(name: &'static str) -> impl Strategy<Value = Interface> {
    let common = (
        state(),
        weighted(0.2, select(vec![1300_u32, 1400])),
        weighted(0.2, select(vec!["", "text"])),
        weighted(0.2, select(vec!["", "br0", "br1"])),
        weighted(0.2, alt_names(name)),
        weighted(0.1, select(vec![1_u8, 2])),
    );
    let families = (
        weighted(0.6, section_ipv4(name)),
        weighted(0.4, section_ipv6(name)),
    );
    let sections = (bridge(), vxlan(name), mac_vlan(), weighted(0.8, Just(())));
    (common, families, sections).prop_map(move |(common, families, sections)| {
        let (state, mtu, description, controller, alt_names, mac) = common;
        let (bridge, vxlan, mac_vlan, has_section) = sections;
        let mut interface = Interface {
            interface_type: has_section.map(|()| type_of(name)),
            state,
            mtu,
            description: description.map(str::to_string),
            alt_names,
            mac_address: mac.map(|mac| {
                let bytes = [2, 0, 0, 0, number(name), mac];
                nipart_schemas::mac_address::MacAddress::new(&bytes)
            }),
            controller: controller
                .map(str::to_string)
                .filter(|_| PORTS.contains(&name)),
            ipv4: families.0,
            ipv6: families.1,
            ..Interface::named(name)
        };
        match type_of(name) {
            _ if has_section.is_none() => {}
            InterfaceType::LinuxBridge => interface.bridge = Some(Box::new(bridge)),
            InterfaceType::Veth => {
                let peer = Some(if name == "va" { "vb" } else { "va" }.to_string());
                interface.veth = Some(Veth { peer });
            }
            InterfaceType::Vxlan => interface.vxlan = Some(Box::new(vxlan)),
            InterfaceType::MacVlan => interface.mac_vlan = Some(Box::new(mac_vlan)),
            InterfaceType::MacVtap => interface.mac_vtap = Some(Box::new(mac_vlan)),
            _ => {}
        }
        interface
    })
}

fn route() -> impl Strategy<Value = Route> {
    let destinations = vec!["10.1.0.0/16", "0.0.0.0/0", "2001:db8:ff::/48", "::/0"];
    (
        select(destinations),
        select(NAMES.to_vec()),
        weighted(0.6, 200_u8..202),
        weighted(0.5, 5_u32..8),
        weighted(0.2, Just(())),
        weighted(0.25, any::<(bool, bool)>()),
    )
        .prop_map(|(destination, name, gateway, metric, source, absent)| {
            let mut route = Route {
                destination: Some(destination.parse().unwrap()),
                next_hop_interface: Some(name.to_string()),
                metric,
                ..Route::default()
            };
            let address = |host| address_of(destination, name, host);
            match absent {
                Some((with_destination, with_interface)) => {
                    route.state = Some(RouteState::Absent);
                    route.destination.take_if(|_| !with_destination);
                    route.next_hop_interface.take_if(|_| !with_interface);
                }
                None => {
                    route.next_hop_address = gateway.map(address);
                    route.source = source.map(|()| address(1));
                }
            }
            route
        })
}

/// One entry, or the next hops of a route, or one that leads nowhere.
fn routes() -> impl Strategy<Value = Vec<Route>> {
    let destinations = || select(vec!["10.1.0.0/16", "10.2.0.0/16", "2001:db8:ff::/48"]);
    let metric = || weighted(0.5, 5_u32..7);
    let hop = || (select(NAMES.to_vec()), 200_u8..202, 1_u16..3);
    let several = (destinations(), metric(), vec(hop(), 1..4)).prop_map(
        |(destination, metric, hops): (&str, Option<u32>, Vec<(&'static str, u8, u16)>)| {
            let mut routes: Vec<Route> = Vec::new();
            for (name, gateway, weight) in hops {
                let route = Route {
                    destination: Some(destination.parse().unwrap()),
                    next_hop_interface: Some(name.to_string()),
                    next_hop_address: Some(address_of(destination, name, gateway)),
                    metric,
                    weight: Some(weight),
                    ..Route::default()
                };
                routes.retain(|known| known.key() != route.key());
                routes.push(route);
            }
            routes
        },
    );
    let types = select(vec![RouteType::Blackhole, RouteType::Throw]);
    let nowhere = (destinations(), metric(), types).prop_map(|(destination, metric, kind)| {
        vec![Route {
            destination: Some(destination.parse().unwrap()),
            metric,
            route_type: Some(kind),
            ..Route::default()
        }]
    });
    let one = (route(), weighted(0.2, select(vec![1400_u32, 1450]))).prop_map(|(route, mtu)| {
        let mtu = mtu.filter(|_| !route.is_absent());
        vec![Route { mtu, ..route }]
    });
    prop_oneof![6 => one, 2 => several, 1 => nowhere]
}

fn address_of(destination: &str, name: &str, host: u8) -> IpAddr {
    if destination.contains(':') {
        ipv6(name, host).into()
    } else {
        ipv4(name, host).into()
    }
}

/// A wanted state. What can't be is taken out here, as far as it is known without the network.
pub(super) fn desired() -> impl Strategy<Value = NetworkState> {
    let interfaces = subsequence(NAMES.to_vec(), 1..=8)
        .prop_flat_map(|names| names.into_iter().map(interface).collect::<Vec<_>>());
    let lists = (vec(routes(), 0..4), route_rule::wanted());
    (interfaces.prop_shuffle(), lists).prop_map(|(interfaces, (config, route_rules))| {
        let mut state = NetworkState {
            interfaces,
            route_rules,
            ..NetworkState::default()
        };
        make_sensible(&mut state);
        let config: Vec<Route> = config
            .into_iter()
            .flatten()
            .filter(|route| route.is_absent() || is_possible(&state, route))
            .collect();
        state.routes = Routes::of(config);
        state
    })
}

fn make_sensible(state: &mut NetworkState) {
    let mut ports: Vec<String> = Vec::new();
    for interface in &mut state.interfaces {
        let is_up = interface.wanted_state() == InterfaceState::Up;
        if let Some(list) = interface
            .bridge
            .as_mut()
            .and_then(|bridge| bridge.port.as_mut())
        {
            list.retain(|port| is_up && !ports.contains(&port.name));
            ports.extend(list.iter().map(|port| port.name.clone()));
        }
    }
    for interface in &mut state.interfaces {
        if ports.contains(&interface.name) {
            interface.controller = None;
        }
        let is_port = ports.contains(&interface.name)
            || interface
                .controller
                .as_deref()
                .is_some_and(|name| !name.is_empty());
        if is_port {
            (interface.ipv4, interface.ipv6) = (None, None);
        }
    }
}

/// A route needs its link, and a gateway and a source an address of the link, in the same state.
fn is_possible(state: &NetworkState, route: &Route) -> bool {
    if route.route_type.is_some() {
        return true;
    }
    let name = route.next_hop_interface.as_deref().unwrap_or_default();
    let Some(interface) = state.interface(name) else {
        return false;
    };
    let has_first = if route.is_ipv6() {
        let list = interface
            .ipv6
            .as_ref()
            .and_then(|ipv6| ipv6.address.as_ref());
        list.is_some_and(|list| list.iter().any(|address| address.ip == ipv6(name, 1)))
    } else {
        let list = interface
            .ipv4
            .as_ref()
            .and_then(|ipv4| ipv4.address.as_ref());
        list.is_some_and(|list| list.iter().any(|address| address.ip == ipv4(name, 1)))
    };
    interface.wanted_state() == InterfaceState::Up
        && (has_first || (route.next_hop_address.is_none() && route.source.is_none()))
}

/// Leases for those that ask for one.
pub(super) fn leases() -> impl Strategy<Value = Vec<Lease>> {
    let lease = |name: &'static str| {
        (250_u8..253, any::<bool>()).prop_map(move |(host, inside)| Lease {
            interface: name.to_string(),
            address: ipv4(name, host),
            prefix_length: 24,
            server: ipv4(name, 254),
            routers: vec![if inside {
                ipv4(name, 254)
            } else {
                Ipv4Addr::new(203, 0, 113, 1)
            }],
            classless_routes: Vec::new(),
            dns_servers: Vec::new(),
            dns_search: Vec::new(),
            mtu: None,
            lease_time: 3600,
            renewal_time: 1800,
            rebinding_time: 3000,
            remaining_time: 3000,
        })
    };
    (of(lease("eth0")), of(lease("br0")))
        .prop_map(|(one, other)| one.into_iter().chain(other).collect())
}

/// What others do to the network.
pub(super) fn foreign() -> impl Strategy<Value = Vec<Operation>> {
    let names = || select(NAMES.to_vec());
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
    let paths = (subsequence(NAMES.to_vec(), 2..=3), any::<bool>()).prop_map(|(names, is_ipv6)| {
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
    let port = (select(PORTS.to_vec()), select(vec!["br0", "br1"])).prop_map(|(port, bridge)| {
        Operation::ChangeLink(LinkChanges {
            interface: port.to_string(),
            controller: Some(bridge.to_string()),
            ..LinkChanges::default()
        })
    });
    let stacked = select(BASES.to_vec()).prop_map(|base| Operation::CreateLink {
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
