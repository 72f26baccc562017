// SPDX-License-Identifier: Apache-2.0

//! Random interfaces of kinds that not every kernel has.

use nipart_schemas::interface::{BondMode, Interface, InterfaceType, LinkAggregation, Vlan, Vrf};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// As [`crate::interface::interface`], with its section.
pub(crate) fn interface(name: &'static str) -> impl Strategy<Value = Interface> {
    let section = (bond(), vlan(name), vrf(), weighted(0.8, Just(())));
    (crate::interface::interface(name), section).prop_map(
        move |(mut interface, (bond, vlan, vrf, has_section))| {
            let interface_type = match name {
                "bond0" => InterfaceType::Bond,
                "vrf0" => InterfaceType::Vrf,
                _ => InterfaceType::Vlan,
            };
            interface.interface_type = None;
            if has_section.is_some() {
                match interface_type {
                    InterfaceType::Bond => interface.link_aggregation = Some(Box::new(bond)),
                    InterfaceType::Vrf => interface.vrf = Some(Box::new(vrf)),
                    _ => interface.vlan = Some(Box::new(vlan)),
                }
                interface.interface_type = Some(interface_type);
            }
            interface
        },
    )
}

fn bond() -> impl Strategy<Value = LinkAggregation> {
    let mode = select(vec![
        BondMode::ActiveBackup,
        BondMode::BalanceXor,
        BondMode::Broadcast,
    ]);
    let ports = of(subsequence(vec!["eth0", "eth1", "va", "vb"], 0..=3));
    (mode, ports).prop_map(|(mode, ports)| LinkAggregation {
        mode: Some(mode),
        port: ports.map(|names| names.into_iter().map(str::to_string).collect()),
        ..LinkAggregation::default()
    })
}

fn vlan(name: &'static str) -> impl Strategy<Value = Vlan> {
    let id = if name == "vlan0" { 1_u16..3 } else { 2..4 };
    let base = select(vec!["bond0", "bond0", "eth0", "br0"]);
    (id, base, weighted(0.2, any::<bool>())).prop_map(|(id, base, loose_binding)| Vlan {
        base_iface: Some(base.to_string()),
        id: Some(id),
        loose_binding,
        ..Vlan::default()
    })
}

fn vrf() -> impl Strategy<Value = Vrf> {
    let ports = of(subsequence(vec!["vlan0", "br0", "br1", "va"], 0..=2));
    (ports, select(vec![100_u32, 101])).prop_map(|(ports, table)| Vrf {
        port: ports.map(|names| names.into_iter().map(str::to_string).collect()),
        route_table_id: Some(table),
    })
}
