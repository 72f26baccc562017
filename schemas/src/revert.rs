// SPDX-License-Identifier: Apache-2.0

//! A state that undoes another one: what `nipartctl gr` prints and what the history reverts to.

use std::collections::{BTreeMap, HashMap};

use crate::interface::{AltName, AltNameState, Interface, InterfaceState};
use crate::network_state::NetworkState;
use crate::overlay::Overlay;
use crate::route::{Route, RouteKey, RouteState, Routes};

/// `RTPROT_KERNEL`: connected routes, which come and go with addresses.
const PROTOCOL_KERNEL: u8 = 2;

/// The state that leads back to `current` after `desired` has been applied: of each interface only what `desired`
/// speaks of.
#[must_use]
pub fn revert_of(desired: &NetworkState, current: &NetworkState) -> NetworkState {
    let present = current.by_name();
    let mut interfaces: Vec<Interface> = desired
        .interfaces
        .iter()
        .filter(|interface| interface.wanted_state() != InterfaceState::Ignore)
        .filter_map(|interface| {
            revert_interface(interface, present.get(interface.name.as_str()).copied())
        })
        .collect();
    interfaces.extend(moved_ports(desired, &present));
    let config = revert_routes(desired, current);
    NetworkState {
        description: None,
        interfaces,
        routes: (!config.is_empty()).then_some(Routes {
            running: None,
            config: Some(config),
        }),
    }
    .without_shown_only()
}

fn revert_interface(desired: &Interface, present: Option<&Interface>) -> Option<Interface> {
    let removes = matches!(
        desired.wanted_state(),
        InterfaceState::Absent | InterfaceState::Down
    );
    let Some(present) = present else {
        // What was not there, and was not wanted, needs nothing.
        return (!removes).then(|| Interface {
            interface_type: desired.interface_type.clone(),
            state: Some(InterfaceState::Absent),
            ..Interface::named(&desired.name)
        });
    };
    let mut back = present.clone();
    if !removes {
        let mask = Interface {
            state: Some(InterfaceState::Up),
            interface_type: present.interface_type.clone(),
            ..desired.clone()
        };
        back.keep_named(&mask);
        if desired.controller.is_some() {
            back.controller.get_or_insert_default();
        }
        if desired.description.is_some() {
            back.description.get_or_insert_default();
        }
        back.alt_names = revert_alt_names(desired, present);
    }
    Some(back)
}

fn revert_alt_names(desired: &Interface, present: &Interface) -> Option<Vec<AltName>> {
    let had = |name: &str| {
        present
            .alt_names
            .iter()
            .flatten()
            .any(|known| known.name == name)
    };
    let names: Vec<AltName> = desired
        .alt_names
        .iter()
        .flatten()
        .filter_map(|alt_name| match alt_name.state {
            Some(AltNameState::Absent) => had(&alt_name.name).then(|| AltName {
                name: alt_name.name.clone(),
                state: None,
            }),
            None => (!had(&alt_name.name)).then(|| AltName {
                name: alt_name.name.clone(),
                state: Some(AltNameState::Absent),
            }),
        })
        .collect();
    (!names.is_empty()).then_some(names)
}

/// Ports that `desired` takes from another controller without listing them themselves.
fn moved_ports(desired: &NetworkState, present: &HashMap<&str, &Interface>) -> Vec<Interface> {
    let listed = desired.by_name();
    let mut moved = BTreeMap::new();
    for controller in &desired.interfaces {
        for port in controller.port_names().into_iter().flatten() {
            let before = present
                .get(port)
                .and_then(|port| port.controller.as_deref());
            if let Some(before) = before.filter(|before| *before != controller.name)
                && !listed.contains_key(port)
            {
                moved.insert(port, before);
            }
        }
    }
    moved
        .into_iter()
        .map(|(port, before)| Interface {
            controller: Some(before.to_string()),
            ..Interface::named(port)
        })
        .collect()
}

fn revert_routes(desired: &NetworkState, current: &NetworkState) -> Vec<Route> {
    let present: HashMap<RouteKey, &Route> = current
        .running_routes()
        .iter()
        .map(|route| (route.key(), route))
        .collect();
    let gone: Vec<&str> = desired
        .interfaces
        .iter()
        .filter(|interface| {
            matches!(
                interface.wanted_state(),
                InterfaceState::Absent | InterfaceState::Down
            )
        })
        .map(|interface| interface.name.as_str())
        .collect();
    let added = desired
        .config_routes()
        .iter()
        .filter(|route| !route.is_absent() && !present.contains_key(&route.key()));
    let removed = current.running_routes().iter().filter(|route| {
        route.protocol != Some(PROTOCOL_KERNEL)
            && (desired
                .config_routes()
                .iter()
                .any(|entry| entry.is_absent() && entry.matches(route))
                || route
                    .next_hop_interface
                    .as_deref()
                    .is_some_and(|name| gone.contains(&name)))
    });
    added
        .map(|route| Route {
            state: Some(RouteState::Absent),
            ..route.clone()
        })
        .chain(removed.cloned())
        .collect()
}

/// Both states one after the other, as one: where both speak of an interface, what `next` says comes on top.
#[must_use]
pub fn followed_by(first: &NetworkState, next: &NetworkState) -> NetworkState {
    let mut interfaces: Vec<Interface> = first
        .interfaces
        .iter()
        .filter(|interface| next.interface(&interface.name).is_none())
        .cloned()
        .collect();
    interfaces.extend(next.interfaces.iter().map(|upper| {
        let mut upper = upper.clone();
        if upper.wanted_state() != InterfaceState::Absent
            && let Some(lower) = first.interface(&upper.name)
            && lower.wanted_state() != InterfaceState::Absent
        {
            upper.fill_from(lower);
        }
        upper
    }));
    let later = next.config_routes();
    let earlier = first.config_routes().iter().filter(|route| {
        !later
            .iter()
            .any(|other| other.key() == route.key() || (other.is_absent() && other.matches(route)))
    });
    let config: Vec<Route> = earlier.chain(later).cloned().collect();
    NetworkState {
        description: None,
        interfaces,
        routes: (!config.is_empty()).then_some(Routes {
            running: None,
            config: Some(config),
        }),
    }
}
