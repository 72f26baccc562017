// SPDX-License-Identifier: Apache-2.0

//! Random sections of types.

use std::net::{IpAddr, Ipv6Addr};

use nipart_schemas::interface::port_vlan::VlanTable;
use nipart_schemas::interface::{
    BridgeOptions, BridgePort, LinuxBridge, MacVlan, MacVlanMode, PortVlan, Vxlan,
};
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::Kinds;

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

pub(crate) fn bridge(kinds: Kinds) -> impl Strategy<Value = LinuxBridge> {
    let ports = of((subsequence(kinds.ports(), 0..=3), vec(port(), 3)));
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

pub(crate) fn vxlan(name: &'static str) -> impl Strategy<Value = Vxlan> {
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

pub(crate) fn mac_vlan(kinds: Kinds) -> impl Strategy<Value = MacVlan> {
    let mode = select(vec![
        MacVlanMode::Bridge,
        MacVlanMode::Private,
        MacVlanMode::Passthru,
    ]);
    (select(kinds.bases()), mode).prop_map(|(base, mode)| MacVlan {
        base_iface: Some(base.to_string()),
        mode: Some(mode),
        promiscuous: None,
    })
}
