// SPDX-License-Identifier: Apache-2.0

//! Random interfaces.

use nipart_schemas::interface::mptcp::MptcpAddressFlags;
use nipart_schemas::interface::{
    AltName, AltNameState, Interface, InterfaceState, InterfaceType, Mptcp, Veth,
};
use nipart_schemas::mac_address::MacAddress;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::ip::{section_ipv4, section_ipv6};
use crate::section::{bridge, mac_vlan, vxlan};
use crate::{Kinds, number, stacked, word};

fn type_of(name: &str) -> InterfaceType {
    match name {
        "br0" | "br1" => InterfaceType::LinuxBridge,
        "va" | "vb" => InterfaceType::Veth,
        "vx0" | "vx1" => InterfaceType::Vxlan,
        "mv0" => InterfaceType::MacVlan,
        "mt0" => InterfaceType::MacVtap,
        "bond0" => InterfaceType::Bond,
        "bond0.5" | "eth0.7" => InterfaceType::Vlan,
        "red" => InterfaceType::Vrf,
        "dum0" => InterfaceType::Dummy,
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

fn alt_names(name: &'static str) -> impl Strategy<Value = Vec<AltName>> {
    let one = (select(vec!["x", "y"]), any::<bool>()).prop_map(move |(suffix, gone)| AltName {
        name: format!("{name}-{suffix}"),
        state: gone.then_some(AltNameState::Absent),
    });
    vec(one, 1..=1)
}

/// Follows from what else is random, so that the rest of a walk is what it was; of one interface, for the kernel takes
/// eight endpoints.
fn mptcp(mtu: u32) -> Box<Mptcp> {
    let bits = if mtu == 1300 { 1 } else { 6 };
    Box::new(Mptcp {
        address_flags: Some(MptcpAddressFlags::from_bits(bits)),
        endpoint: None,
    })
}

/// An interface of a wanted state; sometimes without its section, as in a partial file.
pub(crate) fn interface(name: &'static str, kinds: Kinds) -> impl Strategy<Value = Interface> {
    let common = (
        state(),
        weighted(0.2, select(vec![1300_u32, 1400])),
        weighted(0.2, select(vec!["", "text"])),
        weighted(0.2, select([vec![""], kinds.controllers()].concat())),
        weighted(0.2, alt_names(name)),
        weighted(0.1, select(vec![1_u8, 2])),
    );
    let families = (
        weighted(0.6, section_ipv4(name)),
        weighted(0.4, section_ipv6(name)),
    );
    let sections = (
        bridge(kinds),
        vxlan(name),
        mac_vlan(kinds),
        weighted(0.8, Just(())),
        stacked::interface(name),
    );
    (common, families, sections).prop_map(move |(common, families, sections)| {
        let (state, mtu, description, controller, alt_names, mac) = common;
        let (bridge, vxlan, mac_vlan, has_section, stacked) = sections;
        let mut interface = Interface {
            interface_type: has_section.map(|()| type_of(name)),
            state,
            mptcp: mtu.filter(|_| name == "va").map(mptcp),
            mtu,
            description: description.map(str::to_string),
            alt_names,
            mac_address: mac.map(|mac| {
                let bytes = [2, 0, 0, 0, number(name), mac];
                MacAddress::new(&bytes)
            }),
            controller: controller
                .map(str::to_string)
                .filter(|_| kinds.ports().contains(&name)),
            ipv4: families.0,
            ipv6: families.1,
            ..has_section.map_or(Interface::named(name), |()| stacked)
        };
        match type_of(name) {
            _ if has_section.is_none() => {}
            InterfaceType::LinuxBridge => interface.bridge = Some(Box::new(bridge)),
            InterfaceType::Veth => {
                let peer = Some(if name == "va" { "vb" } else { "va" }.to_string());
                interface.veth = Some(Veth {
                    peer,
                    spare_queues: None,
                });
            }
            InterfaceType::Vxlan => interface.vxlan = Some(Box::new(vxlan)),
            InterfaceType::MacVlan => interface.mac_vlan = Some(Box::new(mac_vlan)),
            InterfaceType::MacVtap => interface.mac_vtap = Some(Box::new(mac_vlan)),
            _ => {}
        }
        word::add(&mut interface);
        interface
    })
}
