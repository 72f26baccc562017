// SPDX-License-Identifier: Apache-2.0

//! Routes of router advertisements: those that Nipart adds, and the default route, which is the kernel's or Nipart's.
//!
//! The kernel adds its own as long as its switch is on (`accept_ra_defrtr`), and then finds it in the way when there is
//! one of ours of the same metric. Its own can't be given back once it is removed: it comes with the next
//! advertisement. So an apply of a user, which may have to be taken back, only turns the switch off. What the kernel had
//! learned goes when the routers have been heard since, with all that they say.

use std::collections::HashSet;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::Interface;
use nipart_schemas::lease::LeaseProtocol;
use nipart_schemas::route::{MAIN_TABLE, Route, RouteSlot};

use crate::context::Context;
use crate::lease::routes_of_advertisements;

/// Places in the kernel's tables that others have: IPv6 makes one route of all that are in one place.
pub(super) struct Written(HashSet<RouteSlot>);

impl Written {
    /// Those of `routes`, which are written, and of those that are there and no router has advertised.
    pub(super) fn of(context: &Context<'_>, routes: &[Route]) -> Self {
        let is_others = |route: &&Route| route.is_ipv6() && !route.is_advertised();
        let present = context.observed.running_routes();
        let matters = present.iter().any(Route::is_advertised) || wanted(context).next().is_some();
        let all = routes.iter().chain(present).filter(is_others);
        Self(all.filter(|_| matters).map(Route::slot).collect())
    }

    /// Whether it is a route of ours that has to make way.
    pub(super) fn takes(&self, route: &Route) -> bool {
        route.is_advertised() && !route.is_kernels() && self.0.contains(&route.slot())
    }
}

/// Routes that are ours to add, over wanted interfaces that speak of what routers advertise.
pub(super) fn wanted(context: &Context<'_>) -> impl Iterator<Item = Route> {
    let interfaces = context.desired.interfaces.iter();
    let of = |name: &str| {
        let ipv6 = context
            .using_routers(name)
            .filter(|_| context.will_exist(name))?;
        let mut routes = routes_of_advertisements(context.advertised(name)?, ipv6);
        if let Some(table) = table_of_vrf(context, name) {
            for route in &mut routes {
                // As with those that the kernel makes (`rt6_add_dflt_router`, net/ipv6/route.c).
                let is_written = ipv6
                    .auto_route_table_id
                    .is_some_and(|table| table != 0 && table != MAIN_TABLE);
                route.table_id = route.table_id.filter(|_| is_written).or(Some(table));
            }
        }
        Some(routes)
    };
    interfaces
        .filter_map(move |interface| of(&interface.name))
        .flatten()
}

/// The table of the VRF whose port the link is, or is to be.
fn table_of_vrf(context: &Context<'_>, name: &str) -> Option<u32> {
    let of = |interface: Option<&'_ Interface>| interface?.controller.clone();
    let present = context.present.get(name).copied();
    let controller = of(context.wanted_up(name)).or_else(|| of(present))?;
    context.table_of(&controller)
}

/// Whether it is one of ours that no router advertises any more, or that isn't wanted.
pub(super) fn is_over(context: &Context<'_>, route: &Route) -> bool {
    if !route.is_advertised() || route.is_kernels() {
        return false;
    }
    let Some(name) = route.next_hop_interface.as_deref() else {
        return false;
    };
    // Also where nothing else is said of the interface: its link is down.
    if context.is_without_lease(name, LeaseProtocol::RouterAdvertisement) {
        return true;
    }
    let wanted = context.wanted_up(name);
    wanted
        .and_then(|interface| interface.ipv6.as_ref())
        .is_some_and(|ipv6| {
            ipv6.enabled == Some(false)
                || ipv6.autoconf == Some(false)
                // Of advertisements on a link where they aren't mentioned nothing follows.
                || (context.using_routers(name).is_some() && context.advertised(name).is_some())
        })
}

/// Whether it is the kernel's default route over a link where ours takes its place, and that can be done: the routers
/// are known, and nobody waits to take it back.
pub(crate) fn is_displaced(context: &Context<'_>, route: &Route) -> bool {
    let is_kernels_default = route.is_advertised()
        && route.is_kernels()
        && route
            .destination
            .is_some_and(|destination| destination.is_default());
    let name = route.next_hop_interface.as_deref();
    is_kernels_default
        && context.missing == MissingInterfaces::Await
        && name.is_some_and(|name| {
            context.advertised(name).is_some()
                && context
                    .using_routers(name)
                    .is_some_and(|ipv6| ipv6.takes_default_route())
        })
}
