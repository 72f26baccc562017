// SPDX-License-Identifier: Apache-2.0

//! Checks of what interfaces say of each other: controllers, ports, base interfaces, peers.

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};

use crate::context::Context;
use crate::goal::{address, copied_mac_address, port};

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut attached: HashMap<&str, &str> = HashMap::new();
    let mut paired: HashMap<&str, &str> = HashMap::new();
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        if interface.wanted_state() != InterfaceState::Up {
            continue;
        }
        let path = format!("interfaces[{index}]");
        check_ports(context, interface, &path, &mut attached)?;
        check_peer(context, interface, &path)?;
        if let Some(peer) = interface.veth_peer()
            && let Some(other) = paired.insert(peer, &interface.name)
        {
            return Err(NipartError::invalid(
                format!("{path}.veth.peer"),
                format!(
                    "{peer} is named as peer of both {other} and {}",
                    interface.name
                ),
            ));
        }
        check_copied_address(context, interface, &path)?;
        let named = ["port2", "interlink"].into_iter();
        for (key, base) in named.zip(interface.further_bases()) {
            require(context, base, key, &format!("{path}.hsr.{key}"))?;
        }
        if let Some(base) = interface.base_interface() {
            let path = base_path(interface, &path);
            require(context, base, "base-iface", &path)?;
            refuse_a_base_that_is_down(context, interface, base, &path)?;
        }
    }
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        if interface.wanted_state() == InterfaceState::Up {
            check_controller(
                context,
                interface,
                &format!("interfaces[{index}]"),
                &attached,
            )?;
        }
    }
    Ok(())
}

/// Where an interface says what it is stacked upon.
pub(super) fn base_path(interface: &Interface, path: &str) -> String {
    // It is in the section of the type, and no other was written.
    let sections = interface.sections();
    let section = sections.first().map_or("", |(key, _)| key);
    let key = match interface.hsr {
        Some(_) => "port1",
        None => "base-iface",
    };
    format!("{path}.{section}.{key}")
}

fn check_copied_address(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    let Some(source) = interface.copy_mac_from.as_deref() else {
        return Ok(());
    };
    let path = format!("{path}.copy-mac-from");
    let refuse = |why: String| Err(NipartError::invalid(path.as_str(), why));
    if interface.mac_address.is_some() {
        return refuse("copy-mac-from and mac-address say the same thing: write one".to_string());
    }
    let interface_type = context.type_of(&interface.name);
    let is_possible = matches!(
        interface_type,
        Some(InterfaceType::Bond | InterfaceType::LinuxBridge)
    );
    if !is_possible {
        return refuse("copy-mac-from is for types bond and linux-bridge".to_string());
    }
    require(context, source, "copy-mac-from", &path)?;
    let is_awaited = context.missing == MissingInterfaces::Await;
    if source == interface.name
        || (copied_mac_address::of(context, source).is_none() && !is_awaited)
    {
        return refuse(format!(
            "the address of {source} isn't known before it is there: give it a mac-address"
        ));
    }
    Ok(())
}

/// An interface that is referred to must be there when the plan has been executed.
fn require(
    context: &Context<'_>,
    name: &str,
    as_what: &str,
    path: &str,
) -> Result<(), NipartError> {
    if context.will_exist(name) || context.missing == MissingInterfaces::Await {
        return Ok(());
    }
    let why = match context
        .wanted
        .get(name)
        .map(|interface| interface.wanted_state())
    {
        Some(InterfaceState::Absent | InterfaceState::Down) => "is removed by this very state",
        _ => "doesn't exist, and this state doesn't create it",
    };
    Err(NipartError::invalid(
        path,
        format!("{as_what} {name} {why}"),
    ))
}

/// `vlan_dev_open`, net/8021q/vlan_dev.c.
fn refuse_a_base_that_is_down(
    context: &Context<'_>,
    interface: &Interface,
    base: &str,
    path: &str,
) -> Result<(), NipartError> {
    let is_bound = interface
        .vlan
        .as_ref()
        .is_some_and(|vlan| vlan.loose_binding != Some(true));
    let wanted = context.wanted.get(base).map(|base| base.wanted_state());
    let present = context.present.get(base);
    let is_down = match wanted {
        Some(InterfaceState::Up) => false,
        Some(InterfaceState::Down | InterfaceState::Absent) => true,
        // One that isn't there comes as the other end of a pair, and isn't set up.
        Some(InterfaceState::Ignore) | None => {
            present.is_none_or(|present| present.state == Some(InterfaceState::Down))
        }
    };
    if is_bound
        && is_down
        && context.missing == MissingInterfaces::Refuse
        && !context.is_set_up_as_port(base)
    {
        return Err(NipartError::invalid(
            path,
            format!(
                "{} can't be up while its base interface {base} is down: list that with state: up",
                interface.name
            ),
        ));
    }
    Ok(())
}

fn check_ports<'a>(
    context: &Context<'a>,
    interface: &'a Interface,
    path: &str,
    attached: &mut HashMap<&'a str, &'a str>,
) -> Result<(), NipartError> {
    for (index, port) in interface.port_names().into_iter().flatten().enumerate() {
        let path = format!("{path}.{}", interface.port_path(index));
        if port == interface.name {
            return Err(NipartError::invalid(
                path,
                format!("{port} can't be a port of itself"),
            ));
        }
        match attached.insert(port, &interface.name) {
            Some(other) if other == interface.name => {
                return Err(NipartError::invalid(
                    path,
                    format!("port {port} is listed twice"),
                ));
            }
            Some(other) => {
                return Err(NipartError::invalid(
                    path,
                    format!(
                        "port {port} can't be attached to {}: it is a port of {other} already",
                        interface.name
                    ),
                ));
            }
            None => {}
        }
        require(context, port, "port", &path)?;
        refuse_types_that_are_no_ports(context, port, &interface.name, &path)?;
        if let Some(wanted) = context.wanted.get(port) {
            let is_shown_so = context.is_left_down(wanted)
                && context
                    .present
                    .get(port)
                    .is_some_and(|present| present.controller.as_ref() == Some(&interface.name));
            // A saved port may have been set down since: then it is attached when it is up again.
            if context.missing == MissingInterfaces::Refuse
                && wanted.wanted_state().takes_down()
                && !is_shown_so
            {
                return Err(NipartError::invalid(
                    path,
                    format!(
                        "{port} can't be a port of {}: this state takes it down",
                        interface.name
                    ),
                ));
            }
            refuse_addresses(context, wanted, &interface.name)?;
        }
    }
    Ok(())
}

/// A port that nothing is said of stays one.
fn check_present_controller(
    context: &Context<'_>,
    interface: &Interface,
    attached: &HashMap<&str, &str>,
) -> Result<(), NipartError> {
    let name = interface.name.as_str();
    let present = context.present.get(name);
    let Some(controller) = present.and_then(|present| present.controller.as_deref()) else {
        return Ok(());
    };
    let is_let_go = context.wanted_up(controller).is_some_and(|wanted| {
        wanted.port_names().is_some() && port::leaves(context, controller, name)
    });
    if attached.contains_key(name) || is_let_go || !context.will_exist(controller) {
        return Ok(());
    }
    refuse_addresses(context, interface, controller)
}

/// `br_add_if` (net/bridge/br_if.c), `bond_enslave` (drivers/net/bonding/bond_main.c), `vrf_add_slave`
/// (drivers/net/vrf.c).
fn refuse_types_that_are_no_ports(
    context: &Context<'_>,
    port: &str,
    controller: &str,
    path: &str,
) -> Result<(), NipartError> {
    let refused = match context.type_of(port) {
        Some(kind @ (InterfaceType::Loopback | InterfaceType::Vrf)) => kind,
        Some(kind @ (InterfaceType::LinuxBridge | InterfaceType::Bond))
            if context.type_of(controller) == Some(kind) =>
        {
            kind
        }
        _ => return Ok(()),
    };
    Err(NipartError::invalid(
        path,
        format!("{port} is of type {refused}: it can't be a port"),
    ))
}

/// A port carries frames for its controller: addresses belong to the controller. Those that it has already, the
/// kernel's own link-local one among them, may be written as they were shown.
fn refuse_addresses(
    context: &Context<'_>,
    port: &Interface,
    controller: &str,
) -> Result<(), NipartError> {
    if context.leaves_addresses_to_ports(controller) {
        return Ok(());
    }
    // What was saved isn't refused at start: the planner takes a port's addresses for nothing.
    if context.missing == MissingInterfaces::Await {
        return Ok(());
    }
    let present = context.present.get(port.name.as_str()).copied();
    let known: HashSet<_> = present
        .into_iter()
        .flat_map(address::all)
        .map(|address| address.key())
        .collect();
    let new = address::all(port).find(|address| !known.contains(&address.key()));
    let autoconf = |interface: &Interface| interface.ipv6.as_ref().and_then(|ipv6| ipv6.autoconf);
    let has_dhcp = port.ipv4.as_ref().and_then(|ipv4| ipv4.dhcp) == Some(true);
    let has_autoconf = autoconf(port) == Some(true) && present.and_then(autoconf) != Some(true);
    let key = match new {
        Some(address) if address.ip.is_ipv4() => "ipv4.address",
        Some(_) => "ipv6.address",
        None if has_dhcp => "ipv4.dhcp",
        None if has_autoconf => "ipv6.autoconf",
        None if port.awaited_addresses().is_some() => "wait-ip",
        None => return Ok(()),
    };
    let mut listed = context.desired.interfaces.iter();
    let index = listed.position(|listed| listed.name == port.name);
    Err(NipartError::invalid(
        format!("interfaces[{}].{key}", index.unwrap_or_default()),
        format!(
            "{} can't have addresses while it is a port of {controller}: give them to {controller}",
            port.name
        ),
    ))
}

fn check_peer(context: &Context<'_>, interface: &Interface, path: &str) -> Result<(), NipartError> {
    let Some(peer) = interface.veth_peer() else {
        return Ok(());
    };
    let path = format!("{path}.veth.peer");
    if peer == interface.name {
        return Err(NipartError::invalid(
            path,
            format!("{peer} can't be its own peer"),
        ));
    }
    if let Some(other) = context.wanted.get(peer) {
        let is_kept = match other.wanted_state() {
            InterfaceState::Up | InterfaceState::Ignore => true,
            // One that isn't there comes with the pair, and stays down.
            InterfaceState::Down => !context.is_removed(other),
            InterfaceState::Absent => false,
        };
        if !is_kept {
            return Err(NipartError::invalid(
                path,
                format!(
                    "{} is wanted up, but this state removes its peer {peer}",
                    interface.name
                ),
            ));
        }
        if let Some(other_type) = &other.interface_type
            && !other_type.accepts(&InterfaceType::Veth)
        {
            return Err(NipartError::invalid(
                path,
                format!("{peer} can't be a peer: this state makes it a {other_type}"),
            ));
        }
        if other.veth_peer().is_some_and(|back| back != interface.name) {
            return Err(NipartError::invalid(
                path,
                format!("{peer} names another peer than {}", interface.name),
            ));
        }
    }
    refuse_a_peer_that_exists(context, interface, peer, &path)
}

/// A new pair brings both its links into being.
fn refuse_a_peer_that_exists(
    context: &Context<'_>,
    interface: &Interface,
    peer: &str,
    path: &str,
) -> Result<(), NipartError> {
    let is_paired_now = match context.present.get(interface.name.as_str()) {
        // A peer that isn't shown lives in another network namespace, and stays there.
        Some(present) => present.veth_peer().is_none_or(|current| current == peer),
        None => false,
    };
    let Some(other) = context.present.get(peer).filter(|_| !is_paired_now) else {
        return Ok(());
    };
    let gets_a_new_pair = context
        .wanted_up(peer)
        .and_then(Interface::veth_peer)
        .is_some_and(|back| {
            back == interface.name && other.veth_peer().is_some_and(|current| current != back)
        });
    let may_be_elsewhere =
        context.missing == MissingInterfaces::Await && other.veth_peer().is_none();
    if gets_a_new_pair || may_be_elsewhere {
        return Ok(());
    }
    Err(NipartError::invalid(
        path,
        format!(
            "{} can't be created: its peer {peer} exists already",
            interface.name
        ),
    ))
}

fn check_controller(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
    attached: &HashMap<&str, &str>,
) -> Result<(), NipartError> {
    let Some(controller) = interface.controller.as_deref() else {
        return check_present_controller(context, interface, attached);
    };
    let path = format!("{path}.controller");
    if let Some(listed) = attached
        .get(interface.name.as_str())
        .filter(|listed| **listed != controller)
    {
        return Err(NipartError::invalid(
            path,
            format!(
                "{listed} lists {} as its port, but its controller is {controller:?}",
                interface.name
            ),
        ));
    }
    if controller.is_empty() {
        return Ok(());
    }
    require(context, controller, "controller", &path)?;
    refuse_types_that_are_no_ports(context, &interface.name, controller, &path)?;
    if context
        .type_of(controller)
        .is_some_and(|kind| !kind.is_controller() && !matches!(kind, InterfaceType::Other(_)))
    {
        return Err(NipartError::invalid(
            path,
            format!("{controller} is no controller: it can't have ports"),
        ));
    }
    if let Some(ports) = context
        .wanted
        .get(controller)
        .and_then(|wanted| wanted.port_names())
        && !ports.contains(&interface.name.as_str())
    {
        return Err(NipartError::invalid(
            path,
            format!(
                "the port list of {controller} in this state doesn't name {}",
                interface.name
            ),
        ));
    }
    refuse_addresses(context, interface, controller)
}
