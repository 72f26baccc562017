// SPDX-License-Identifier: Apache-2.0

//! Whether an interface is to carry routes at all.

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::InterfaceState;
use nipart_schemas::route::Route;

use crate::context::Context;

/// Whether a saved route rests, because its interface was ignored, set down, or lost the address family since. A user
/// who writes such a route now is told instead.
pub(crate) fn rests(context: &Context<'_>, route: &Route) -> bool {
    let name = route.next_hop_interface.as_deref().unwrap_or_default();
    let Some(interface) = context.wanted.get(name) else {
        return false;
    };
    let is_off = if route.is_ipv6() {
        interface.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) == Some(false)
    } else {
        interface.ipv4.as_ref().and_then(|ipv4| ipv4.enabled) == Some(false)
    };
    context.missing == MissingInterfaces::Await
        && (is_off || interface.wanted_state() != InterfaceState::Up)
}
