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
    if wanted.ipv6.is_none() && was_ours && is_mere_port(context, wanted) {
        give_back(wanted);
        return;
    }
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

/// The same of a link that is no longer looked after: nobody else would turn the kernel's switch on again.
pub(super) fn leave(context: &Context<'_>, wanted: &mut Interface) {
    let remembered = context.remembered.get(wanted.name.as_str());
    let section = remembered.and_then(|known| known.ipv6.as_ref());
    if section.is_some_and(Ipv6::takes_default_route) {
        give_back(wanted);
    }
}

fn give_back(wanted: &mut Interface) {
    wanted.ipv6 = Some(Ipv6 {
        accept_ra_defrtr: Some(true),
        ..Ipv6::default()
    });
}

/// Whether it is attached to a controller that has the addresses itself: what was said of its own is forgotten.
fn is_mere_port(context: &Context<'_>, wanted: &Interface) -> bool {
    let controller = wanted.controller.as_deref();
    controller.is_some_and(|name| context.takes_addresses_of_ports(name))
}
