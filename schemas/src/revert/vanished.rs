// SPDX-License-Identifier: Apache-2.0

//! Links that go with others, without being told so: the other end of a veth pair, and what is stacked upon a link.

use std::collections::HashMap;

use crate::interface::{Interface, InterfaceState};
use crate::network_state::NetworkState;

/// The state, which says of these that they go, too.
pub(super) fn with_what_vanishes(
    desired: &NetworkState,
    present: &HashMap<&str, &Interface>,
) -> NetworkState {
    let mut whole = desired.clone();
    let mut next = 0;
    while let Some(interface) = whole.interfaces.get(next) {
        next += 1;
        let Some(going) = present.get(interface.name.as_str()) else {
            continue;
        };
        if !is_deleted(interface, going) {
            continue;
        }
        let name = going.name.clone();
        let known = whole.by_name();
        let goes_along = |other: &&&Interface| {
            other.veth_peer() == Some(&name)
                || other.base_interface() == Some(&name)
                || other.further_bases().any(|base| base == name)
        };
        let mut along: Vec<Interface> = present
            .values()
            .filter(goes_along)
            .filter(|other| !known.contains_key(other.name.as_str()))
            .map(|other| Interface {
                state: Some(InterfaceState::Absent),
                ..Interface::named(&other.name)
            })
            .collect();
        along.sort_by(|one, other| one.name.cmp(&other.name));
        whole.interfaces.extend(along);
    }
    whole
}

/// Physical links stay when they are set down or forgotten, others when they are down already and wanted so.
fn is_deleted(wanted: &Interface, present: &Interface) -> bool {
    let wanted = wanted.wanted_state();
    wanted.takes_down()
        && (wanted != InterfaceState::Down || present.wanted_state() != InterfaceState::Down)
        && present.is_virtual()
}
