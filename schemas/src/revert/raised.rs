// SPDX-License-Identifier: Apache-2.0

//! Virtual links that are there and down. A state has no word for that: `down` deletes a virtual link that is up. So they
//! are brought back up, and whoever wants to know is told.

use crate::interface::{Interface, InterfaceState, InterfaceType};
use crate::network_state::NetworkState;

/// The interfaces that were down in `current` and are up when `back` has been applied.
pub fn raised<'b>(back: &'b NetworkState, current: &NetworkState) -> Vec<&'b str> {
    let current = current.by_name();
    let is_raised = |back: &&Interface| {
        let present = current.get(back.name.as_str());
        back.wanted_state() == InterfaceState::Up
            && present.is_some_and(|present| cannot_be_said(present))
    };
    let raised = back.interfaces.iter().filter(is_raised);
    raised.map(|interface| interface.name.as_str()).collect()
}

/// Whether the link is down, and `down` would delete it if it were up. The end of a veth whose other end isn't shown is
/// only set down.
pub(super) fn cannot_be_said(present: &Interface) -> bool {
    let interface_type = present.interface_type.as_ref();
    present.wanted_state() == InterfaceState::Down
        && present.is_virtual()
        && (interface_type != Some(&InterfaceType::Veth) || present.veth_peer().is_some())
}
