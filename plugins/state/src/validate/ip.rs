// SPDX-License-Identifier: Apache-2.0

//! Checks of the `ipv4` and `ipv6` sections.

use std::collections::HashSet;
use std::net::IpAddr;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::hostname;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};
use nipart_schemas::ip::{Address, Ipv4, Ipv6};

use crate::context::Context;
use crate::lease::{client_id, duid};

pub(super) fn check(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    if interface.wanted_state() != InterfaceState::Up {
        return Ok(());
    }
    let is_loopback = context.type_of(&interface.name) == Some(&InterfaceType::Loopback);
    if let Some(ipv4) = &interface.ipv4 {
        let path = format!("{path}.ipv4");
        if is_loopback && ipv4.enabled == Some(false) {
            return Err(NipartError::invalid(
                format!("{path}.enabled"),
                "the loopback interface can't lose its IPv4 addresses",
            ));
        }
        check_switches(is_loopback, ipv4.enabled, ipv4.dhcp, &path)?;
        check_dhcp_names(ipv4, &path)?;
        let static_count = check_addresses(ipv4.address.iter().flatten(), 32, &path)?;
        refuse_addresses_when_disabled(ipv4.enabled, static_count, &path)?;
    }
    if let Some(ipv6) = &interface.ipv6 {
        let path = format!("{path}.ipv6");
        check_switches(is_loopback, ipv6.enabled, ipv6.dhcp, &path)?;
        if let Some(text) = &ipv6.dhcp_duid {
            duid(text).map_err(|why| NipartError::invalid(format!("{path}.dhcp-duid"), why))?;
        }
        check_custom_hostname(ipv6.dhcp_custom_hostname.as_deref(), &path)?;
        // While the protocol is off, the kernel keeps the switch as it was, and it is shown so.
        let is_shown = context
            .present
            .get(interface.name.as_str())
            .and_then(|present| present.ipv6.as_ref())
            .is_some_and(|ipv6| ipv6.enabled == Some(false) && ipv6.autoconf == Some(true));
        if ipv6.autoconf == Some(true) && ipv6.enabled == Some(false) && !is_shown {
            return Err(NipartError::invalid(
                format!("{path}.autoconf"),
                "autoconf: true contradicts enabled: false",
            ));
        }
        check_advertised_routes(context, interface, ipv6, &path)?;
        check_token(ipv6, &path)?;
        let static_count = check_addresses(ipv6.address.iter().flatten(), 128, &path)?;
        refuse_addresses_when_disabled(ipv6.enabled, static_count, &path)?;
    }
    Ok(())
}

fn check_switches(
    is_loopback: bool,
    enabled: Option<bool>,
    dhcp: Option<bool>,
    path: &str,
) -> Result<(), NipartError> {
    if is_loopback && dhcp == Some(true) {
        return Err(NipartError::invalid(
            format!("{path}.dhcp"),
            "there is no DHCP on the loopback interface",
        ));
    }
    if enabled == Some(false) && dhcp == Some(true) {
        return Err(NipartError::invalid(
            format!("{path}.dhcp"),
            "dhcp: true contradicts enabled: false",
        ));
    }
    Ok(())
}

fn check_dhcp_names(ipv4: &Ipv4, path: &str) -> Result<(), NipartError> {
    if let Some(text) = &ipv4.dhcp_client_id {
        client_id(text)
            .map_err(|why| NipartError::invalid(format!("{path}.dhcp-client-id"), why))?;
    }
    check_custom_hostname(ipv4.dhcp_custom_hostname.as_deref(), path)
}

fn check_custom_hostname(name: Option<&str>, path: &str) -> Result<(), NipartError> {
    match name {
        Some(name) if !hostname::is_valid(name) => Err(NipartError::invalid(
            format!("{path}.dhcp-custom-hostname"),
            format!(
                "{name:?} is no host name: up to 64 letters, digits and dashes, with dots between labels"
            ),
        )),
        _ => Ok(()),
    }
}

/// Where nobody has said `autoconf`, the kernel listens to routers all the same, and would go on making its default route.
fn check_advertised_routes(
    context: &Context<'_>,
    interface: &Interface,
    ipv6: &Ipv6,
    path: &str,
) -> Result<(), NipartError> {
    let name = interface.name.as_str();
    let is_said = |ipv6: &Ipv6| ipv6.autoconf.is_some() || ipv6.has_token();
    let is_off = |ipv6: &Ipv6| ipv6.enabled != Some(true) || ipv6.autoconf != Some(true);
    let of = |known: Option<&&Interface>, is: &dyn Fn(&Ipv6) -> bool| {
        known.is_some_and(|known| known.ipv6.as_ref().is_some_and(is))
    };
    if context.missing == MissingInterfaces::Await
        || !ipv6.asks_for_own_default_route()
        || ipv6.enabled == Some(false)
        || is_said(ipv6)
        || of(context.remembered.get(name), &is_said)
        || of(context.present.get(name), &is_off)
    {
        return Ok(());
    }
    let key = match (ipv6.auto_gateway, ipv6.auto_route_metric) {
        (Some(false), _) => "auto-gateway",
        (_, Some(_)) => "auto-route-metric",
        _ => "auto-route-table-id",
    };
    Err(NipartError::invalid(
        format!("{path}.{key}"),
        format!("{key} is about router advertisements: write autoconf: true with it"),
    ))
}

fn check_token(ipv6: &Ipv6, path: &str) -> Result<(), NipartError> {
    let Some(token) = ipv6.token.filter(|_| ipv6.has_token()) else {
        return Ok(());
    };
    let problem = if token.to_bits() >> 64 != 0 {
        format!("token {token} is no end of an address: its first 64 bits must be zero, as in ::1")
    } else if ipv6.autoconf == Some(false) {
        "a token contradicts autoconf: false".to_string()
    } else if ipv6.enabled == Some(false) {
        "a token contradicts enabled: false".to_string()
    } else {
        return Ok(());
    };
    Err(NipartError::invalid(format!("{path}.token"), problem))
}

/// Checks each address of a list, and counts them.
fn check_addresses<'a, A: Copy + Into<IpAddr> + 'a>(
    addresses: impl Iterator<Item = &'a Address<A>>,
    longest_prefix: u8,
    path: &str,
) -> Result<usize, NipartError> {
    let mut seen = HashSet::new();
    for (index, address) in addresses.enumerate() {
        let address = address.any_family();
        let path = format!("{path}.address[{index}]");
        if address.prefix_length > longest_prefix {
            return Err(NipartError::invalid(
                format!("{path}.prefix-length"),
                format!(
                    "prefix length {} is too long: the longest is {longest_prefix}",
                    address.prefix_length
                ),
            ));
        }
        let is_broadcast = matches!(address.ip, IpAddr::V4(ip) if ip.is_broadcast());
        if address.ip.is_unspecified() || address.ip.is_multicast() || is_broadcast {
            return Err(NipartError::invalid(
                format!("{path}.ip"),
                format!("{} can't be an interface's own address", address.ip),
            ));
        }
        if !seen.insert(address.key()) {
            return Err(NipartError::invalid(
                format!("{path}.ip"),
                format!("address {address} is listed twice"),
            ));
        }
    }
    Ok(seen.len())
}

fn refuse_addresses_when_disabled(
    enabled: Option<bool>,
    count: usize,
    path: &str,
) -> Result<(), NipartError> {
    if enabled == Some(false) && count > 0 {
        return Err(NipartError::invalid(
            format!("{path}.address"),
            "addresses contradict enabled: false",
        ));
    }
    Ok(())
}
