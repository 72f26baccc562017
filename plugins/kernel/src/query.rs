// SPDX-License-Identifier: Apache-2.0

//! Reading the kernel's state.
//!
//! ```text
//!  scope ──▶ links (a few by name, or one dump) ──▶ closure: which are shown ──▶ addresses ──▶ routes
//!                                                             └──────────▶ assemble ◀──┴──────────┘
//! ```
//!
//! Messages are reduced to what a state needs on the socket's thread, while they are read; what refers to other
//! links stays a number until all of them are known.

mod address;
mod assemble;
mod device;
mod ip_stack;
mod link;
mod route;
mod route_rule;
mod scope;
mod vlan;

use std::collections::HashSet;

use nipart_netlink::{DumpSocket, GenericSocket, LinkFilter, NetlinkError};
use nipart_schemas::error::NipartError;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::QueryScope;
use nipart_schemas::route::Routes;
use nipart_schemas::route_rule::RouteRules;

pub(crate) use self::assemble::Surroundings;
pub(crate) use self::link::{Link, LinkFacts};
use crate::error::from_netlink;
use crate::mptcp;

/// Up to so many objects are asked for one by one; more are cheaper in one dump.
pub(crate) const TARGETED_MAX: usize = 16;

/// Reads what the scope asks for.
pub(crate) async fn query(
    dump: &DumpSocket,
    generic: &GenericSocket,
    scope: &QueryScope,
) -> Result<NetworkState, NipartError> {
    let what = |subject: &'static str| {
        move |error: NetlinkError| {
            from_netlink(&error).while_doing(format_args!("read {subject} from the kernel"))
        }
    };
    let mut read = read_links(dump, scope).await.map_err(what("links"))?;
    vlan::read(dump, &mut read)
        .await
        .map_err(what("VLANs of bridges"))?;
    let shown = scope
        .interfaces
        .as_deref()
        .map(|names| scope::closure(&read.links, names));
    let addresses = address::read(dump, shown.as_ref(), scope.usable_addresses)
        .await
        .map_err(what("addresses"))?;
    let endpoints = mptcp::read(generic)
        .await
        .map_err(what("MPTCP endpoints"))?;
    read.learn_names(dump, endpoints.keys().copied().collect())
        .await
        .map_err(what("links"))?;
    let lost_endpoints = mptcp::lost(&endpoints, &read.names);
    let routes = if scope.routes || scope.all_routes {
        let through = shown.as_ref().filter(|_| !scope.all_routes);
        let observed = route::read(dump, through, !scope.without_connected_routes)
            .await
            .map_err(what("routes"))?;
        if shown.is_some() {
            read.learn_names(dump, route::interfaces(&observed))
                .await
                .map_err(what("links"))?;
        }
        Some(Routes {
            running: Some(route::assemble(observed, &read.names)),
            config: None,
        })
    } else {
        None
    };
    let route_rules = if scope.rules {
        RouteRules::of(route_rule::read(dump).await.map_err(what("rules"))?)
    } else {
        None
    };
    Ok(NetworkState {
        interfaces: assemble::interfaces(read, shown.as_ref(), addresses, endpoints),
        routes,
        route_rules,
        lost_endpoints,
        ..NetworkState::default()
    })
}

async fn read_links(
    dump: &DumpSocket,
    scope: &QueryScope,
) -> Result<scope::ReadLinks, NetlinkError> {
    if let Some(names) = &scope.interfaces
        && names.len() <= TARGETED_MAX
        && let Some(read) = scope::read_few(dump, names).await?
    {
        return Ok(read);
    }
    let links = dump
        .links_map(LinkFilter::default(), Link::from_message)
        .await?;
    let mut read = scope::ReadLinks::default();
    // An interrupted dump may repeat links.
    let mut seen = HashSet::with_capacity(links.len());
    for link in links {
        if seen.insert(link.facts.index) {
            read.push(link);
        }
    }
    Ok(read)
}
