// SPDX-License-Identifier: Apache-2.0

//! Checks of `wait-ip`: nobody waits for an address that can't come. That ports have none is checked with the ports.

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::{Ipv4, Ipv6};
use nipart_schemas::overlay::Overlay;

use crate::context::Context;

pub(super) fn check(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    // Where links are awaited, nobody waits for addresses.
    if interface.wanted_state() != InterfaceState::Up || context.missing == MissingInterfaces::Await
    {
        return Ok(());
    }
    let Some(wait) = interface.awaited_addresses() else {
        return Ok(());
    };
    let (ipv4_off, ipv6_off) = (
        is_ipv4_off(context, interface),
        is_ipv6_off(context, interface),
    );
    if wait.without(ipv4_off, ipv6_off) == Some(wait) {
        return Ok(());
    }
    let name = &interface.name;
    let why = match (ipv4_off, ipv6_off) {
        (true, true) => format!("neither IPv4 nor IPv6 is on for {name}"),
        (true, false) => format!("IPv4 is off for {name}: it has no address, and is to get none"),
        _ => format!("IPv6 is off for {name}"),
    };
    Err(NipartError::invalid(
        format!("{path}.wait-ip"),
        format!("wait-ip: {wait} would wait for ever: {why}; leave it out, or write `none`"),
    ))
}

/// IPv4 is on where addresses are, or are to come; the kernel has no switch for it.
fn is_ipv4_off(context: &Context<'_>, interface: &Interface) -> bool {
    let says = |section: &Ipv4| {
        let has_addresses = section
            .address
            .as_ref()
            .is_some_and(|list| !list.is_empty());
        let brings_some = section.dhcp == Some(true) || has_addresses;
        section.enabled.or(brings_some.then_some(true))
    };
    let of = |interface: &Interface| says(interface.ipv4.as_ref()?);
    let merged = with_remembered(context, interface);
    let present = context.present.get(interface.name.as_str());
    let is_on = of(interface).or(of(&merged)).or(match present {
        // A file may show less than the kernel does.
        Some(present) => present.ipv4.as_ref().and_then(|ipv4| ipv4.enabled),
        None => Some(false),
    });
    is_on == Some(false)
}

/// IPv6 is on for new links.
fn is_ipv6_off(context: &Context<'_>, interface: &Interface) -> bool {
    let says = |section: &Ipv6| section.enabled.or(section.needs_protocol().then_some(true));
    let of = |interface: &Interface| says(interface.ipv6.as_ref()?);
    let merged = with_remembered(context, interface);
    let present = context.present.get(interface.name.as_str());
    let shown = present.and_then(|present| present.ipv6.as_ref()?.enabled);
    of(interface).or(of(&merged)).or(shown) == Some(false)
}

fn with_remembered(context: &Context<'_>, interface: &Interface) -> Interface {
    let mut merged = Interface {
        ipv4: interface.ipv4.clone(),
        ipv6: interface.ipv6.clone(),
        ..Interface::named(&interface.name)
    };
    if let Some(remembered) = context.remembered.get(interface.name.as_str()) {
        merged.ipv4.fill_from(&remembered.ipv4);
        merged.ipv6.fill_from(&remembered.ipv6);
    }
    merged
}
