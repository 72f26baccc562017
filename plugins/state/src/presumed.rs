// SPDX-License-Identifier: Apache-2.0

//! What a state takes for granted: the links that must be there already for it to make sense.
//!
//! So a file can be checked where no network is at hand. What only the real network can tell stays untold: whether
//! these links are there, and whether what is said of them fits them.

use std::collections::{BTreeMap, HashSet};

use nipart_schemas::interface::sr_iov::{FunctionName, VirtualFunction};
use nipart_schemas::interface::{Identity, Interface, InterfaceState, InterfaceType};
use nipart_schemas::mac_address::MacAddress;
use nipart_schemas::network_state::NetworkState;

use crate::kind;
use crate::validate::check_link_name;

/// Some address that a link can have: which one it is matters only to those that borrow it.
const ANY_ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Tables of VRFs of which only the name is known begin here: each has another one, that hardly anybody writes.
const FIRST_TABLE: u32 = 0xf000_0000;

/// The links that `state` neither creates nor can do without.
pub fn presumed(state: &NetworkState) -> NetworkState {
    let listed: HashSet<&str> = state.interfaces.iter().flat_map(names).collect();
    let created = state
        .interfaces
        .iter()
        .filter(|interface| is_new(interface));
    let created: HashSet<&str> = created
        .flat_map(|interface| [Some(interface.name.as_str()), interface.veth_peer()])
        .flatten()
        .collect();
    let mut links: BTreeMap<String, Interface> = state
        .interfaces
        .iter()
        .enumerate()
        .filter(|(_, interface)| !created.contains(interface.name.as_str()))
        .filter_map(|(index, interface)| before(interface, index))
        .map(|link| (link.name.clone(), link))
        .collect();
    for (name, interface_type) in references(state) {
        let is_function = FunctionName::parse(name).is_some();
        let may_be = is_function || check_link_name(name, "").is_ok();
        if may_be && !listed.contains(name) && !created.contains(name) {
            let link = Interface {
                interface_type: Some(interface_type),
                ..Interface::named(name)
            };
            links.entry(name.to_string()).or_insert(link);
        }
    }
    for name in &state.mentioned_interfaces() {
        if let Some(function) = FunctionName::parse(name) {
            let card = links
                .entry(function.card.to_string())
                .or_insert_with(|| Interface {
                    interface_type: Some(InterfaceType::Ethernet),
                    ..Interface::named(function.card)
                });
            add_function(card, name, function.id);
        }
    }
    let borrowed: BTreeMap<&str, &MacAddress> = state
        .interfaces
        .iter()
        .flat_map(borrowed_addresses)
        .collect();
    for (table, link) in (FIRST_TABLE..).zip(links.values_mut()) {
        link.state = Some(InterfaceState::Up);
        let borrowed = borrowed.get(link.name.as_str()).copied().cloned();
        link.mac_address = borrowed.or_else(|| Some(MacAddress::new(&ANY_ADDRESS)));
        if link.interface_type == Some(InterfaceType::Vrf) {
            let section = link.vrf.get_or_insert_default();
            section.route_table_id.get_or_insert(table);
        }
    }
    NetworkState {
        interfaces: links.into_values().collect(),
        ..NetworkState::default()
    }
}

/// Gives the card a virtual function whose interface is called so.
fn add_function(card: &mut Interface, name: &str, id: u32) {
    let ethernet = card.ethernet.get_or_insert_default();
    let section = ethernet.sr_iov.get_or_insert_default();
    section.total_vfs = section.total_vfs.max(Some(id.saturating_add(1)));
    let functions = &mut section.vfs.get_or_insert_default().0;
    let interface = Some(name.to_string());
    match functions.iter_mut().find(|function| function.id == id) {
        Some(function) => function.iface_name = interface,
        None => functions.push(VirtualFunction {
            id,
            iface_name: interface,
            ..VirtualFunction::default()
        }),
    }
}

/// A link that has the address of the one below, and that one, with the address that is written.
fn borrowed_addresses(interface: &Interface) -> impl Iterator<Item = (&str, &MacAddress)> {
    let written = interface.mac_address.as_ref();
    let written = written.filter(|_| interface.borrows_mac_address());
    let both = [Some(interface.name.as_str()), interface.base_interface()];
    written
        .into_iter()
        .flat_map(move |address| both.into_iter().flatten().map(move |name| (name, address)))
}

/// What a file may call an interface that it lists.
fn names(interface: &Interface) -> impl Iterator<Item = &str> {
    let alt_names = interface.alt_names.iter().flatten();
    alt_names
        .map(|alt_name| alt_name.name.as_str())
        .chain(interface.profile_name.as_deref())
        .chain([interface.name.as_str()])
}

/// The links that the state names beside those that it lists, and what each is taken for.
fn references(state: &NetworkState) -> impl Iterator<Item = (&str, InterfaceType)> {
    let routes = || {
        let routes = state.config_routes().iter();
        routes.filter(|route| !route.is_absent())
    };
    let of_vrfs = routes().filter_map(|route| route.vrf_name.as_deref());
    let controllers = state.interfaces.iter().filter_map(|interface| {
        let controller = interface.controller.as_deref();
        controller.filter(|name| !name.is_empty())
    });
    // Partitions stand upon nothing else.
    let cards = state.interfaces.iter().filter_map(|interface| {
        let base = interface.infiniband.as_ref()?.base_iface.as_deref();
        base.map(|name| (name, InterfaceType::Infiniband))
    });
    let mentioned = state.interfaces.iter().flat_map(Interface::mentioned);
    let next_hops = routes().filter_map(|route| route.next_hop_interface.as_deref());
    let vrfs = of_vrfs.map(|name| (name, InterfaceType::Vrf));
    // Which kind of controller isn't known.
    let controllers = controllers.map(|name| (name, InterfaceType::Other("unknown".to_string())));
    let others = mentioned.chain(next_hops);
    vrfs.chain(cards)
        .chain(controllers)
        .chain(others.map(|name| (name, InterfaceType::Ethernet)))
}

/// Whether the state says all that a link needs which isn't there yet.
fn is_new(interface: &Interface) -> bool {
    let is_complete =
        || kind::check(interface, true, "").is_ok() || kind::check(interface, false, "").is_err();
    interface.is_virtual() && interface.wanted_state() == InterfaceState::Up && is_complete()
}

/// The link of which the interface speaks, when that is there already.
fn before(interface: &Interface, index: usize) -> Option<Interface> {
    let sections = interface.sections();
    let of_section = sections.first().and_then(|(_, types)| types.first());
    let interface_type = match &interface.interface_type {
        // A kind that Nipart doesn't know is more often a mistake.
        Some(InterfaceType::Other(word)) if word != "unknown" => return None,
        Some(written) => written.clone(),
        None => of_section.cloned().unwrap_or(InterfaceType::Ethernet),
    };
    let mut link = Interface {
        interface_type: Some(interface_type),
        ethtool: interface.ethtool.clone(),
        ethernet: interface.ethernet.clone(),
        ..interface.only_sections().without_ports()
    };
    match interface.identity() {
        Some(Identity::Mac(address)) => link.permanent_mac_address = Some(address.clone()),
        Some(Identity::Pci(address)) => link.pci_address = Some(address),
        None => {}
    }
    // What is known by an address may be called as no link can be.
    if interface.identity().is_some() && check_link_name(&link.name, "").is_err() {
        link.name = format!("link{index}");
    }
    Some(link)
}
