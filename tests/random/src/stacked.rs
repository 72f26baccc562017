// SPDX-License-Identifier: Apache-2.0

//! Random sections of bonds, VLANs and VRFs.

use nipart_schemas::interface::{
    BondLacpRate, BondMode, BondOptions, BondPort, Interface, LinkAggregation, Vlan, VlanProtocol,
    Vrf,
};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// An interface with nothing but the section of its type; with none for other types.
pub(crate) fn interface(name: &'static str) -> BoxedStrategy<Interface> {
    let named = move || Interface::named(name);
    match name {
        "bond0" => bond()
            .prop_map(move |section| Interface {
                link_aggregation: Some(Box::new(section)),
                ..named()
            })
            .boxed(),
        "bond0.5" | "eth0.7" => vlan(name)
            .prop_map(move |section| Interface {
                vlan: Some(Box::new(section)),
                ..named()
            })
            .boxed(),
        "red" => vrf()
            .prop_map(move |section| Interface {
                vrf: Some(Box::new(section)),
                ..named()
            })
            .boxed(),
        _ => Just(named()).boxed(),
    }
}

fn bond() -> impl Strategy<Value = LinkAggregation> {
    let modes = vec![
        BondMode::ActiveBackup,
        BondMode::BalanceXor,
        BondMode::Ieee8023Ad,
        BondMode::BalanceAlb,
    ];
    let port = (
        weighted(0.3, select(vec![-3, 7])),
        weighted(0.3, select(vec![0_u16, 2])),
    );
    (
        weighted(0.8, select(modes)),
        of(subsequence(vec!["eth0", "eth1", "va", "vb"], 0..=2)),
        [port.clone(), port],
        options(),
    )
        .prop_map(|(mode, ports, configured, mut options)| {
            let prefers_ports = mode.is_some_and(BondMode::prefers_ports);
            if let Some(mode) = mode {
                options.drop_foreign_to(mode);
            }
            let first = ports.as_ref().and_then(|ports| ports.first().copied());
            let has_primary = options.primary.is_some() && prefers_ports;
            options.primary = first.filter(|_| has_primary).map(str::to_string);
            let named = ports.iter().flatten().zip(configured);
            let ports_config = named.map(|(name, (priority, queue_id))| BondPort {
                name: name.to_string(),
                priority: priority.filter(|_| prefers_ports),
                queue_id,
            });
            LinkAggregation {
                mode,
                ports_config: Some(ports_config.collect()),
                port: ports.map(|ports| ports.into_iter().map(str::to_string).collect()),
                options: Some(options),
            }
        })
}

fn options() -> impl Strategy<Value = BondOptions> {
    let none = BondOptions::default;
    let by_link = |miimon, updelay| BondOptions {
        miimon: Some(miimon),
        updelay,
        ..none()
    };
    let by_arp = BondOptions {
        arp_interval: Some(500),
        arp_ip_target: Some(vec!["192.0.2.7".parse().unwrap()]),
        ..none()
    };
    let preferring = BondOptions {
        primary: Some("the first".to_string()),
        ..by_link(50, None)
    };
    let negotiating = BondOptions {
        lacp_rate: Some(BondLacpRate::Fast),
        min_links: Some(1),
        ..by_link(100, None)
    };
    select(vec![
        none(),
        by_link(100, None),
        by_link(100, Some(200)),
        by_link(0, None),
        by_arp,
        preferring,
        negotiating,
    ])
}

fn vlan(name: &'static str) -> impl Strategy<Value = Vlan> {
    let (bases, ids) = if name == "bond0.5" {
        (vec!["bond0"], vec![5, 6])
    } else {
        (vec!["eth0", "va"], vec![7])
    };
    (
        select(bases),
        select(ids),
        weighted(
            0.3,
            select(vec![VlanProtocol::Ieee8021Q, VlanProtocol::Ieee8021Ad]),
        ),
        weighted(0.3, any::<bool>()),
        weighted(0.3, any::<bool>()),
    )
        .prop_map(
            |(base, id, protocol, reorder_headers, loose_binding)| Vlan {
                base_iface: Some(base.to_string()),
                id: Some(id),
                protocol,
                reorder_headers,
                loose_binding,
                ..Vlan::default()
            },
        )
}

fn vrf() -> impl Strategy<Value = Vrf> {
    let ports = vec!["eth0", "br0", "bond0", "bond0.5", "va"];
    (of(subsequence(ports, 0..=2)), 100_u32..102).prop_map(|(ports, table)| Vrf {
        port: ports.map(|ports| ports.into_iter().map(str::to_string).collect()),
        route_table_id: Some(table),
    })
}
