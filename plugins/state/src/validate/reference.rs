// SPDX-License-Identifier: Apache-2.0

//! Checks of what interfaces say of each other: base interfaces, peers, and ports (`port.rs`).

use std::collections::HashMap;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Identifier, Interface, InterfaceState, InterfaceType};

use super::port;
use crate::context::Context;
use crate::goal::{borrowed_mac_address, copied_mac_address};

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut attached: HashMap<&str, &str> = HashMap::new();
    let mut paired: HashMap<&str, &str> = HashMap::new();
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        if interface.wanted_state() != InterfaceState::Up {
            continue;
        }
        let path = format!("interfaces[{index}]");
        port::check_list(context, interface, &path, &mut attached)?;
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
        check_borrowed_address(context, interface, &path)?;
    }
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        if interface.wanted_state() == InterfaceState::Up {
            port::check_controller(
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

/// What has the address of the link below can have no other.
fn check_borrowed_address(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    let Some(written) = &interface.mac_address else {
        return Ok(());
    };
    let present = context.present.get(interface.name.as_str()).copied();
    if context.missing == MissingInterfaces::Await
        || interface.identifier == Some(Identifier::MacAddress)
        || !borrowed_mac_address::is_borrowed(interface, present)
    {
        return Ok(());
    }
    let address = borrowed_mac_address::of(context, interface, present);
    if address.as_ref() == Some(written) {
        return Ok(());
    }
    let known = address.map_or(String::new(), |address| format!(" ({address})"));
    Err(NipartError::invalid(
        format!("{path}.mac-address"),
        format!(
            "{} has the address of the interface below{known}: write mac-address there",
            interface.name
        ),
    ))
}

/// An interface that is referred to must be there when the plan has been executed.
pub(super) fn require(
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
