// SPDX-License-Identifier: Apache-2.0

//! Checks of ports: on the lists of their controllers, and by their own word.

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};

use super::infiniband;
use super::reference::require;
use crate::context::Context;
use crate::goal::{address, port};

/// Those that an interface lists, which `attached` gathers with their controllers.
pub(super) fn check_list<'a>(
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
    if let Some(why) = infiniband::refused_as_port(context, port, controller) {
        return Err(NipartError::invalid(path, why));
    }
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
    let has_dhcpv6 = port.ipv6.as_ref().and_then(|ipv6| ipv6.dhcp) == Some(true);
    let has_autoconf = autoconf(port) == Some(true) && present.and_then(autoconf) != Some(true);
    let key = match new {
        Some(address) if address.ip.is_ipv4() => "ipv4.address",
        Some(_) => "ipv6.address",
        None if has_dhcp => "ipv4.dhcp",
        None if has_dhcpv6 => "ipv6.dhcp",
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

/// What an interface says of its own controller.
pub(super) fn check_controller(
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
