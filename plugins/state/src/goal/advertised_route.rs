// SPDX-License-Identifier: Apache-2.0

//! Whether the kernel is to make the default route of router advertisements, or to leave that to us.

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::Ipv6;

use crate::context::Context;

/// Says so in the wanted state, where it isn't to stay as it is: where the state speaks of these routes, and where it
/// turns off what is remembered.
pub(super) fn resolve(context: &Context<'_>, wanted: &mut Interface) {
    let name = wanted.name.as_str();
    let takes = |section: &Ipv6| section.takes_default_route();
    let is_ours = context.with_routers(name).is_some_and(takes);
    let remembered = context.remembered.get(name);
    let was_ours = remembered.is_some_and(|known| known.ipv6.as_ref().is_some_and(takes));
    let Some(section) = &mut wanted.ipv6 else {
        return;
    };
    // Where IPv6 is off the kernel does nothing with it.
    if section.enabled == Some(false) {
        return;
    }
    let is_spoken_of = section.uses_advertised_routes() && context.with_routers(name).is_some();
    if is_ours || was_ours || is_spoken_of {
        section.accept_ra_defrtr = Some(!is_ours);
    }
}
