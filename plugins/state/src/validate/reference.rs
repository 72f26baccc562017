// SPDX-License-Identifier: Apache-2.0

//! Checks of what interfaces say of each other: controllers, ports, base interfaces, peers.

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};

use crate::context::Context;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut attached: HashMap<&str, &str> = HashMap::new();
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        if interface.wanted_state() != InterfaceState::Up {
            continue;
        }
        let path = format!("interfaces[{index}]");
        check_ports(context, interface, &path, &mut attached)?;
        check_peer(context, interface, &path)?;
        if let Some(base) = interface.base_interface() {
            require(context, base, "base-iface", &base_path(interface, &path))?;
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
    check_loops(context, &attached)
}

fn base_path(interface: &Interface, path: &str) -> String {
    let section = match &interface.interface_type {
        _ if interface.vxlan.is_some() => "vxlan",
        _ if interface.mac_vtap.is_some() => "mac-vtap",
        _ => "mac-vlan",
    };
    format!("{path}.{section}.base-iface")
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

fn check_ports<'a>(
    context: &Context<'a>,
    interface: &'a Interface,
    path: &str,
    attached: &mut HashMap<&'a str, &'a str>,
) -> Result<(), NipartError> {
    for (index, port) in interface.port_names().into_iter().flatten().enumerate() {
        let path = format!("{path}.bridge.port[{index}].name");
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
        if let Some(wanted) = context.wanted.get(port) {
            refuse_addresses(wanted, &interface.name, &path)?;
        }
    }
    Ok(())
}

/// A port carries frames for its controller: addresses belong to the controller.
fn refuse_addresses(port: &Interface, controller: &str, path: &str) -> Result<(), NipartError> {
    let has_ipv4 = port.ipv4.as_ref().is_some_and(|ipv4| {
        ipv4.dhcp == Some(true) || ipv4.address.as_ref().is_some_and(|list| !list.is_empty())
    });
    let has_ipv6 = port.ipv6.as_ref().is_some_and(|ipv6| {
        ipv6.autoconf == Some(true) || ipv6.address.as_ref().is_some_and(|list| !list.is_empty())
    });
    if has_ipv4 || has_ipv6 {
        return Err(NipartError::invalid(
            path,
            format!(
                "{} can't have addresses while it is a port of {controller}: give them to {controller}",
                port.name
            ),
        ));
    }
    Ok(())
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
        if other.wanted_state() != InterfaceState::Up {
            return Err(NipartError::invalid(
                path,
                format!(
                    "{} is wanted up, but this state removes its peer {peer}",
                    interface.name
                ),
            ));
        }
        if other.veth_peer().is_some_and(|back| back != interface.name) {
            return Err(NipartError::invalid(
                path,
                format!("{peer} names another peer than {}", interface.name),
            ));
        }
    }
    let is_new = !context.present.contains_key(interface.name.as_str());
    if is_new && context.present.contains_key(peer) {
        return Err(NipartError::invalid(
            path,
            format!(
                "{} can't be created: its peer {peer} exists already",
                interface.name
            ),
        ));
    }
    Ok(())
}

fn check_controller(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
    attached: &HashMap<&str, &str>,
) -> Result<(), NipartError> {
    let Some(controller) = interface.controller.as_deref() else {
        return Ok(());
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
    refuse_addresses(interface, controller, &path)
}

/// No interface may be stacked, over controllers and base interfaces, upon itself.
fn check_loops(context: &Context<'_>, attached: &HashMap<&str, &str>) -> Result<(), NipartError> {
    for (index, start) in context.desired.interfaces.iter().enumerate() {
        let mut visited = HashSet::from([start.name.as_str()]);
        let mut current = start.name.as_str();
        while let Some(next) = above(context, attached, current) {
            if next == start.name {
                return Err(NipartError::invalid(
                    format!("interfaces[{index}].name"),
                    format!("{} would be stacked upon itself", start.name),
                ));
            }
            if !visited.insert(next) {
                break;
            }
            current = next;
        }
    }
    Ok(())
}

fn above<'a>(
    context: &Context<'a>,
    attached: &HashMap<&'a str, &'a str>,
    name: &str,
) -> Option<&'a str> {
    let wanted = context.wanted.get(name)?;
    wanted
        .base_interface()
        .or_else(|| attached.get(name).copied())
}
