// SPDX-License-Identifier: Apache-2.0

//! Checks of routes.

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::route::{Route, RouteSlot};

use crate::context::Context;
use crate::goal::Goals;
use crate::goal::route::carrier;
use crate::goal::route::occupants;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut first_places: HashMap<RouteSlot, usize> = HashMap::new();
    let mut keys = HashSet::new();
    let routes = context.config_routes();
    for (index, route) in routes.iter().enumerate() {
        let path = format!("routes.config[{index}]");
        check_families(route, &path)?;
        if route.is_absent() {
            continue;
        }
        check_one(context, route, &path)?;
        let Some(&first) = first_places.get(&route.slot()) else {
            first_places.insert(route.slot(), index);
            keys.insert(route.key());
            continue;
        };
        if !(route.is_hop() && routes[first].is_hop()) {
            return Err(NipartError::invalid(
                format!("{path}.destination"),
                format!(
                    "route {route} has the destination, table and metric of routes.config[{first}]: give it another metric, or each a weight, to make them next hops of one route"
                ),
            ));
        }
        if !keys.insert(route.key()) {
            return Err(NipartError::invalid(
                &path,
                format!("the next hop of route {route} is listed twice"),
            ));
        }
        check_alike(route, &routes[first], first, &path)?;
    }
    Ok(())
}

fn check_families(route: &Route, path: &str) -> Result<(), NipartError> {
    let families = [
        (
            "destination",
            route.destination.map(|network| network.address),
        ),
        ("next-hop-address", route.next_hop_address),
        ("source", route.source),
    ];
    let mut known = families
        .into_iter()
        .filter_map(|(key, address)| Some((key, address?.is_ipv4())));
    let first = known.next().map(|(_, is_ipv4)| is_ipv4);
    if let Some((key, _)) = known.find(|(_, is_ipv4)| Some(*is_ipv4) != first) {
        return Err(NipartError::invalid(
            format!("{path}.{key}"),
            format!("route {route} mixes IPv4 and IPv6 addresses"),
        ));
    }
    if let Some(gateway) = route
        .next_hop_address
        .filter(|address| address.is_unspecified() || address.is_multicast())
    {
        return Err(NipartError::invalid(
            format!("{path}.next-hop-address"),
            format!(
                "{gateway} can't be a gateway; leave next-hop-address out for what is on the link itself"
            ),
        ));
    }
    Ok(())
}

fn check_one(context: &Context<'_>, route: &Route, path: &str) -> Result<(), NipartError> {
    let Some(destination) = route.destination else {
        return Err(NipartError::invalid(
            path,
            "a route needs a destination such as 192.0.2.0/24 or ::/0",
        ));
    };
    if destination.address.is_multicast() {
        return Err(NipartError::invalid(
            format!("{path}.destination"),
            format!("{destination} is a multicast group"),
        ));
    }
    check_values(route, path)?;
    if let Some(vrf) = &route.vrf_name
        && context.missing == MissingInterfaces::Refuse
    {
        return Err(NipartError::invalid(
            format!("{path}.vrf-name"),
            format!("{vrf} is no VRF with a route-table-id, neither in this state nor at present"),
        ));
    }
    if route.route_type.is_some() {
        return Ok(());
    }
    let Some(name) = route.next_hop_interface.as_deref() else {
        return Err(NipartError::invalid(
            path,
            format!("route {route} needs its next-hop-interface, or a route-type"),
        ));
    };
    let path = &format!("{path}.next-hop-interface");
    if !context.will_exist(name) && context.missing == MissingInterfaces::Refuse {
        let why = match context
            .wanted
            .get(name)
            .map(|interface| interface.wanted_state())
        {
            Some(InterfaceState::Absent | InterfaceState::Down) => "is removed by this very state",
            _ => "doesn't exist, and this state doesn't create it",
        };
        return Err(NipartError::invalid(
            path,
            format!("interface {name} of route {route} {why}"),
        ));
    }
    let Some(interface) = context.wanted.get(name) else {
        return refuse_a_link_that_is_down(context, route, name, path);
    };
    if carrier::rests(context, route) {
        return Ok(());
    }
    let why = match interface.wanted_state() {
        InterfaceState::Up => None,
        InterfaceState::Ignore => Some("is ignored"),
        InterfaceState::Down | InterfaceState::Absent => Some("is taken down by this very state"),
    };
    if let Some(why) = why {
        return Err(NipartError::invalid(
            path,
            format!("interface {name} of route {route} {why}"),
        ));
    }
    if is_family_off(context, interface, destination.address.is_ipv6()) {
        return Err(NipartError::invalid(
            path,
            format!("route {route} needs its address family on {name}, where it is turned off"),
        ));
    }
    Ok(())
}

/// Properties that contradict each other, or that the kernel doesn't have.
fn check_values(route: &Route, path: &str) -> Result<(), NipartError> {
    let refuse = |key: &str, text: String| {
        let path = format!("{path}.{key}");
        Err(NipartError::invalid(path, text))
    };
    if route.vrf_name.is_some() && route.table_id.is_some() {
        let text = "say vrf-name or table-id, not both";
        return refuse("vrf-name", text.to_string());
    }
    if let Some(route_type) = route.route_type
        && (route.next_hop_interface.is_some()
            || route.next_hop_address.is_some()
            || route.weight.is_some())
    {
        let text = format!("a {} route has no next hop", route_type.as_str());
        return refuse("route-type", text);
    }
    if let Some(weight) = route.weight {
        if !(1..=256).contains(&weight) {
            return refuse("weight", format!("weight {weight} is not from 1 to 256"));
        }
        if route.is_ipv6() && route.next_hop_address.is_none() {
            let text =
                "an IPv6 route has several next hops only over gateways: add next-hop-address";
            return refuse("weight", text.to_string());
        }
    }
    if route.lock_mtu == Some(true) && route.mtu.is_none() {
        return refuse(
            "lock-mtu",
            "lock-mtu needs the mtu that it locks".to_string(),
        );
    }
    if route.onlink == Some(true) && route.next_hop_address.is_none() {
        return refuse("onlink", "onlink needs a next-hop-address".to_string());
    }
    Ok(())
}

/// What belongs to a route and not to one of its next hops is the same in all entries.
fn check_alike(route: &Route, other: &Route, first: usize, path: &str) -> Result<(), NipartError> {
    let common = |route: &Route| Route {
        destination: None,
        next_hop_interface: None,
        next_hop_address: None,
        table_id: None,
        metric: None,
        weight: None,
        onlink: None,
        ..route.clone()
    };
    if common(route) == common(other) {
        return Ok(());
    }
    Err(NipartError::invalid(
        path,
        format!(
            "route {route} is one with routes.config[{first}], and must have the same properties besides next hop and weight"
        ),
    ))
}

/// Whether this state turns the family off on the interface, or leaves IPv6 off there.
fn is_family_off(context: &Context<'_>, interface: &Interface, is_ipv6: bool) -> bool {
    if !is_ipv6 {
        let section = interface.ipv4.as_ref();
        return section.is_some_and(|ipv4| ipv4.enabled == Some(false));
    }
    let section = interface.ipv6.as_ref();
    if let Some(enabled) = section.and_then(|ipv6| ipv6.enabled) {
        return !enabled;
    }
    let turned_on = section.is_some_and(|ipv6| ipv6.needs_protocol());
    let present = context.present.get(interface.name.as_str());
    let is_off = present
        .and_then(|present| present.ipv6.as_ref())
        .is_some_and(|ipv6| ipv6.enabled == Some(false));
    is_off && !turned_on && context.missing == MissingInterfaces::Refuse
}

/// The kernel takes no route through a link that is down. A port is set up with its controller's list.
fn refuse_a_link_that_is_down(
    context: &Context<'_>,
    route: &Route,
    name: &str,
    path: &str,
) -> Result<(), NipartError> {
    let is_down = context
        .present
        .get(name)
        .is_some_and(|present| present.state == Some(InterfaceState::Down));
    if is_down && context.missing == MissingInterfaces::Refuse {
        return Err(NipartError::invalid(
            path,
            format!("interface {name} of route {route} is down: list it with state: up"),
        ));
    }
    Ok(())
}

/// The kernel has one route for each destination, table and metric: another one there has to be taken off by name.
pub(crate) fn check_slots(context: &Context<'_>, goals: &Goals<'_>) -> Result<(), NipartError> {
    let Some((wanted, present)) = occupants(context, goals).into_iter().next() else {
        return Ok(());
    };
    let index = context
        .config_routes()
        .iter()
        .position(|route| !route.is_absent() && route.key() == wanted.key());
    Err(NipartError::invalid(
        format!("routes.config[{}].destination", index.unwrap_or_default()),
        format!(
            "route {wanted} has the destination, table and metric of {present}, which is there already: give it another metric, or list that one with state: absent"
        ),
    ))
}
