// SPDX-License-Identifier: Apache-2.0

//! Checks of one interface: name, type, section, common properties.

use std::net::IpAddr;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::sr_iov::FunctionName;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};
use nipart_schemas::overlay::Overlay;

use crate::context::Context;
use crate::goal::address;
use crate::lease::SMALLEST_IPV6_MTU;
use crate::{identity, kind};

/// `IFNAMSIZ` less the terminating zero.
const LONGEST_NAME: usize = 15;
/// `ALTIFNAMSIZ` less the terminating zero.
const LONGEST_ALT_NAME: usize = 127;
/// `IFALIASZ` less the terminating zero.
const LONGEST_DESCRIPTION: usize = 255;

pub(super) fn check(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    // What is still the name of a virtual function is one whose card isn't there yet, or isn't known.
    if FunctionName::parse(&interface.name).is_none() {
        check_link_name(&interface.name, &format!("{path}.name"))?;
    }
    if interface.wanted_state() == InterfaceState::Ignore {
        return Ok(());
    }
    let present = context.present.get(interface.name.as_str()).copied();
    if identity::is_another(interface, present) {
        // Which is the right one was found out before; at start it is awaited.
        return match context.missing {
            MissingInterfaces::Await => Ok(()),
            MissingInterfaces::Refuse => Err(NipartError::invalid(
                format!("{path}.identifier"),
                format!(
                    "{} is another interface than the one that is meant",
                    interface.name
                ),
            )),
        };
    }
    check_type(context, interface, present, path)?;
    if interface.wanted_state() != InterfaceState::Up {
        return Ok(());
    }
    let mut effective = interface.clone();
    effective.interface_type = context.type_of(&interface.name).cloned();
    if let Some(present) = present {
        // What isn't written stays: also that has to fit.
        let carried = kind::carried_over(&effective, present);
        effective
            .link_aggregation
            .fill_from(&carried.link_aggregation);
        effective.vxlan.fill_from(&present.vxlan);
        effective.mac_vlan.fill_from(&present.mac_vlan);
        effective.mac_vtap.fill_from(&present.mac_vtap);
        if present.is_virtual() {
            effective.infiniband.fill_from(&present.infiniband);
        }
    }
    let is_new = present.is_none() && !context.peers.contains_key(interface.name.as_str());
    if is_new {
        check_creatable(context, interface, path)?;
    }
    kind::check(&effective, is_new && effective.is_virtual(), path)?;
    super::hardware::check(context, interface, present, path)?;
    check_common(interface, present, path)
}

/// Whether the kernel takes `name` for a link (`dev_valid_name`, net/core/dev.c).
pub(crate) fn check_link_name(name: &str, path: &str) -> Result<(), NipartError> {
    let refuse = |why: String| Err(NipartError::invalid(path, why));
    if name.is_empty() {
        return refuse(format!(
            "the name of an interface is empty, expected 1 to {LONGEST_NAME} bytes"
        ));
    }
    if name.len() > LONGEST_NAME {
        return refuse(format!(
            "interface name {name:?} has {} bytes, expected 1 to {LONGEST_NAME}",
            name.len()
        ));
    }
    if matches!(name, "." | "..") {
        return refuse(format!(
            "interface name {name:?} is refused by the kernel, for it means a folder"
        ));
    }
    let is_refused = |letter: &char| matches!(letter, '/' | ':') || letter.is_whitespace();
    if let Some(letter) = name.chars().find(is_refused) {
        return refuse(format!(
            "interface name {name:?} has {letter:?} in it, expected no slash, colon or space"
        ));
    }
    Ok(())
}

fn check_type(
    context: &Context<'_>,
    interface: &Interface,
    present: Option<&Interface>,
    path: &str,
) -> Result<(), NipartError> {
    let present_type = present.and_then(|present| present.interface_type.as_ref());
    if let Some(wanted) = &interface.interface_type {
        match present_type {
            Some(present) if !wanted.accepts(present) => {
                return Err(NipartError::invalid(
                    format!("{path}.type"),
                    format!(
                        "{} is of type {present}, which can't be changed to {wanted}: remove it first",
                        interface.name
                    ),
                ));
            }
            None if interface.wanted_state() == InterfaceState::Up
                && context.missing == MissingInterfaces::Refuse
                && matches!(wanted, InterfaceType::Other(_)) =>
            {
                let known: Vec<String> = InterfaceType::KNOWN
                    .iter()
                    .map(|known| format!("`{known}`"))
                    .collect();
                return Err(NipartError::invalid(
                    format!("{path}.type"),
                    format!(
                        "unknown type `{wanted}` of a link that doesn't exist, expected one of {}",
                        known.join(", ")
                    ),
                ));
            }
            _ => {}
        }
    }
    let effective = present_type.or(interface.interface_type.as_ref());
    for (key, section_types) in interface.sections() {
        if let Some(effective) = effective.filter(|effective| !section_types.contains(effective)) {
            let owners: Vec<&str> = section_types.iter().map(InterfaceType::as_str).collect();
            return Err(NipartError::invalid(
                format!("{path}.{key}"),
                format!(
                    "section {key} is for type {}, but {} is of type {effective}",
                    owners.join(" or "),
                    interface.name
                ),
            ));
        }
    }
    Ok(())
}

fn check_creatable(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    if interface.is_virtual() {
        return Ok(());
    }
    match &interface.interface_type {
        _ if context.missing == MissingInterfaces::Await
            || context.comes_as_function(&interface.name) =>
        {
            Ok(())
        }
        Some(wanted) => {
            let unless = match wanted {
                InterfaceType::Infiniband => {
                    "; that of a partition can: infiniband: {base-iface: NAME, pkey: KEY}"
                }
                _ => "",
            };
            Err(NipartError::invalid(
                format!("{path}.name"),
                format!(
                    "interface {} doesn't exist, and a link of type {wanted} can't be created{unless}",
                    interface.name
                ),
            ))
        }
        None => Err(NipartError::invalid(
            format!("{path}.name"),
            format!(
                "interface {} doesn't exist; to create it, write its type",
                interface.name
            ),
        )),
    }
}

fn check_common(
    interface: &Interface,
    present: Option<&Interface>,
    path: &str,
) -> Result<(), NipartError> {
    if let Some(mtu) = interface.mtu {
        check_mtu(interface, present, mtu, &format!("{path}.mtu"))?;
    }
    check_ipv6_mtu(interface, present, path)?;
    // What it has already was shown to the user: the loopback interface's is zero.
    if let Some(address) = &interface.mac_address
        && present.and_then(|present| present.mac_address.as_ref()) != Some(address)
        && (address.is_multicast() || address.bytes().iter().all(|byte| *byte == 0))
    {
        return Err(NipartError::invalid(
            format!("{path}.mac-address"),
            format!("{address} can't be an interface's own address: it is a group's, or zero"),
        ));
    }
    if let Some(description) = &interface.description
        && description.len() > LONGEST_DESCRIPTION
    {
        return Err(NipartError::invalid(
            format!("{path}.description"),
            format!(
                "the description has {} bytes: up to {LONGEST_DESCRIPTION} are possible",
                description.len()
            ),
        ));
    }
    for (index, alt_name) in interface.alt_names.iter().flatten().enumerate() {
        let name = &alt_name.name;
        if name.is_empty()
            || name.len() > LONGEST_ALT_NAME
            || name.contains('/')
            || name.contains(char::is_whitespace)
        {
            return Err(NipartError::invalid(
                format!("{path}.alt-names[{index}].name"),
                format!(
                    "alternative name {name:?} is refused by the kernel: 1 to {LONGEST_ALT_NAME} bytes, no space and no slash"
                ),
            ));
        }
    }
    Ok(())
}

fn check_mtu(
    interface: &Interface,
    present: Option<&Interface>,
    mtu: u32,
    path: &str,
) -> Result<(), NipartError> {
    let smallest = present.and_then(|present| present.min_mtu).unwrap_or(0);
    // The kernel says 0 where the driver has no upper limit.
    let largest = present
        .and_then(|present| present.max_mtu)
        .filter(|max| *max > 0)
        .unwrap_or(u32::MAX);
    if mtu < smallest || mtu > largest {
        return Err(NipartError::invalid(
            path,
            format!(
                "MTU {mtu} of {} is out of range: its driver takes {smallest} to {largest}",
                interface.name
            ),
        ));
    }
    Ok(())
}

/// Below a certain MTU the kernel takes IPv6 off the link.
fn check_ipv6_mtu(
    interface: &Interface,
    present: Option<&Interface>,
    path: &str,
) -> Result<(), NipartError> {
    let mtu = interface
        .mtu
        .or_else(|| present.and_then(|present| present.mtu));
    let Some(mtu) = mtu.filter(|mtu| *mtu < SMALLEST_IPV6_MTU) else {
        return Ok(());
    };
    let Some(ip) = needs_ipv6(interface, present) else {
        return Ok(());
    };
    let name = &interface.name;
    Err(match interface.mtu {
        Some(_) => NipartError::invalid(
            format!("{path}.mtu"),
            format!(
                "MTU {mtu} is below {SMALLEST_IPV6_MTU}: {name} would lose IPv6, and with it {ip}"
            ),
        ),
        None => NipartError::invalid(
            format!("{path}.ipv6"),
            format!("{name} can't have {ip}: IPv6 needs an MTU of {SMALLEST_IPV6_MTU}, not {mtu}"),
        ),
    })
}

/// An IPv6 address that the interface is to have or has, unless the state turns IPv6 off.
fn needs_ipv6(interface: &Interface, present: Option<&Interface>) -> Option<IpAddr> {
    let section = interface.ipv6.as_ref();
    if section.is_some_and(|ipv6| ipv6.enabled == Some(false)) {
        return None;
    }
    let list = section.and_then(|ipv6| ipv6.address.as_ref());
    let mut wanted = list
        .into_iter()
        .flatten()
        .map(|address| IpAddr::V6(address.ip));
    let mut present = present
        .into_iter()
        .flat_map(address::all)
        .map(|address| address.ip);
    wanted.next().or_else(|| present.find(IpAddr::is_ipv6))
}
