// SPDX-License-Identifier: Apache-2.0

//! Which addresses of a link multipath TCP may use. The kernel keeps endpoints when their address or link goes: they
//! are taken away before.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use nipart_schemas::interface::Interface;
use nipart_schemas::interface::mptcp::{MptcpAddressFlags, MptcpEndpoint, can_be_endpoint};
use nipart_schemas::ip::Address;

use super::{Fate, Goal, Goals, address};
use crate::context::Context;

/// Says of each link that changes which endpoints it is to have, unless they stay as they are.
pub(crate) fn resolve<'a>(context: &Context<'a>, goals: &mut Goals<'a>) {
    add_vanishing_peers(context, goals);
    for goal in &mut goals.links {
        goal.endpoints = endpoints(context, goal);
    }
    goals.lost_endpoints = lost_endpoints(context, goals);
}

/// Numbers of links that are gone, and whose endpoints are in the way, or may be those of a link that is missed.
fn lost_endpoints(context: &Context<'_>, goals: &Goals<'_>) -> Vec<u32> {
    let is_missed = |wanted: &Interface| {
        let name = wanted.name.as_str();
        let has_endpoints = wanted.wants_endpoints() || remembered(context, name).is_some();
        has_endpoints && !context.present.contains_key(name)
    };
    let misses_one = context.desired.interfaces.iter().any(is_missed);
    let wanted = goals.links.iter().flat_map(|goal| &goal.endpoints);
    let wanted: HashSet<IpAddr> = wanted.flatten().map(|endpoint| endpoint.ip).collect();
    let lost = context.observed.lost_endpoints.iter();
    lost.filter(|lost| misses_one || lost.ip.iter().any(|ip| wanted.contains(ip)))
        .map(|lost| lost.link)
        .collect()
}

/// The other end of a pair goes without being named.
fn add_vanishing_peers<'a>(context: &Context<'a>, goals: &mut Goals<'a>) {
    let named: HashSet<&str> = goals.links.iter().map(Goal::name).collect();
    let vanishing: Vec<&'a Interface> = context
        .observed
        .interfaces
        .iter()
        .filter(|present| context.doomed.contains(present.name.as_str()))
        .filter(|present| !present.mptcp_endpoints().is_empty())
        .filter(|present| !named.contains(present.name.as_str()))
        .collect();
    let goal = |present: &'a Interface| {
        let gone = Interface::named(&present.name);
        Goal::new(gone, Some(present), Fate::Delete)
    };
    goals.links.extend(vanishing.into_iter().map(goal));
}

fn written(interface: &Interface) -> Option<MptcpAddressFlags> {
    interface.mptcp.as_ref()?.address_flags
}

fn remembered(context: &Context<'_>, name: &str) -> Option<MptcpAddressFlags> {
    let saved = context.remembered.get(name)?;
    written(saved).filter(|_| saved.wants_endpoints())
}

fn endpoints(context: &Context<'_>, goal: &Goal<'_>) -> Option<Vec<MptcpEndpoint>> {
    let name = goal.name();
    let leaves = || {
        let wanted = context.wanted.get(name);
        wanted.is_some_and(|wanted| wanted.wanted_state().takes_down())
    };
    if goal.fate == Fate::Delete {
        return Some(Vec::new());
    }
    let remembered = remembered(context, name);
    if leaves() {
        return remembered.map(|_| Vec::new());
    }
    if let Some(flags) = written(&goal.wanted) {
        let all = meant(goal).into_iter();
        let all = all.filter(|_| !flags.is_empty());
        return Some(all.map(|ip| MptcpEndpoint { ip, flags }).collect());
    }
    if remembered.is_none() && !goal.is_created() {
        return None;
    }
    // Only what is said of addresses changes their endpoints.
    let kept = meant(goal);
    let mut known: BTreeMap<IpAddr, MptcpEndpoint> = goal
        .present
        .into_iter()
        .flat_map(Interface::mptcp_endpoints)
        .filter(|endpoint| kept.contains(&endpoint.ip))
        .map(|endpoint| (endpoint.ip, *endpoint))
        .collect();
    if let Some(flags) = remembered {
        let named = goal
            .addresses
            .iter()
            .filter(|address| can_be_endpoint(address));
        known.extend(named.map(|Address { ip, .. }| (*ip, MptcpEndpoint { ip: *ip, flags })));
    }
    Some(known.into_values().collect())
}

/// The addresses that the link will have and that can be endpoints, sorted.
fn meant(goal: &Goal<'_>) -> Vec<IpAddr> {
    let has_ipv6 = goal.wanted.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false);
    let is_unwanted = |address: &Address| {
        let mut unwanted = goal.unwanted_addresses.iter();
        unwanted.any(|unwanted| unwanted.key() == address.key())
    };
    let present = goal.surviving().into_iter().flat_map(address::all);
    let mut meant: Vec<IpAddr> = present
        .filter(|address| !is_unwanted(address))
        .chain(goal.addresses.iter().copied())
        .filter(|address| can_be_endpoint(address) && (has_ipv6 || address.ip.is_ipv4()))
        .map(|address| address.ip)
        .collect();
    meant.sort_unstable();
    meant.dedup();
    meant
}
