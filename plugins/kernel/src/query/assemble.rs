// SPDX-License-Identifier: Apache-2.0

//! Relates what was read: numbers become names, ports come to their controllers, addresses to their links.

use std::collections::{HashMap, HashSet};

use nipart_schemas::interface::Interface;
use nipart_schemas::interface::mptcp::MptcpEndpoint;

use super::address::{self, LinkAddresses};
use super::link::{Link, LinkFacts};
use super::scope::ReadLinks;
use crate::kind;

/// The links around one whose section is being told.
pub(crate) struct Surroundings<'a> {
    names: &'a HashMap<u32, String>,
    ports: HashMap<u32, Vec<&'a LinkFacts>>,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(links: &'a [LinkFacts], names: &'a HashMap<u32, String>) -> Self {
        let mut ports: HashMap<u32, Vec<&LinkFacts>> = HashMap::new();
        for link in links {
            if let Some(controller) = link.controller {
                ports.entry(controller).or_default().push(link);
            }
        }
        Self { names, ports }
    }

    /// The name of the link with this number.
    pub(crate) fn name(&self, index: u32) -> Option<String> {
        self.names.get(&index).cloned()
    }

    /// The interface below, or the other end of a pair; none in another network namespace.
    pub(crate) fn base_of(&self, link: &LinkFacts) -> Option<String> {
        link.base.and_then(|index| self.name(index))
    }

    /// The links whose controller it is.
    pub(crate) fn ports_of(&self, link: &LinkFacts) -> impl Iterator<Item = &'a LinkFacts> {
        self.ports.get(&link.index).into_iter().flatten().copied()
    }

    /// Their names, sorted.
    pub(crate) fn port_names_of(&self, link: &LinkFacts) -> Vec<String> {
        let mut names: Vec<String> = self.ports_of(link).map(|port| port.name.clone()).collect();
        names.sort_unstable();
        names
    }
}

/// The interfaces of a state: those shown, or all, sorted by name.
pub(super) fn interfaces(
    read: ReadLinks,
    shown: Option<&HashSet<u32>>,
    mut addresses: HashMap<u32, LinkAddresses>,
    mut endpoints: HashMap<u32, Vec<MptcpEndpoint>>,
) -> Vec<Interface> {
    let ReadLinks { links, names } = read;
    let (interfaces, facts): (Vec<Box<Interface>>, Vec<LinkFacts>) = links
        .into_iter()
        .map(|Link { interface, facts }| (interface, facts))
        .unzip();
    let surroundings = Surroundings::new(&facts, &names);
    let mut kept: Vec<Box<Interface>> = interfaces
        .into_iter()
        .zip(&facts)
        .filter(|(_, link)| shown.is_none_or(|shown| shown.contains(&link.index)))
        .map(|(mut interface, link)| {
            let lists = addresses.remove(&link.index).unwrap_or_default();
            complete(&mut interface, link, &surroundings, lists);
            interface.observe_mptcp(endpoints.remove(&link.index).unwrap_or_default());
            interface
        })
        .collect();
    kept.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    kept.into_iter().map(|interface| *interface).collect()
}

fn complete(
    interface: &mut Interface,
    link: &LinkFacts,
    surroundings: &Surroundings<'_>,
    addresses: LinkAddresses,
) {
    interface.controller = link.controller.and_then(|index| surroundings.name(index));
    if let Some(kind) = link.kind.as_ref().and_then(kind::of_kernel) {
        kind.observe(link, surroundings, interface);
    }
    let ipv4 = interface.ipv4.get_or_insert_default();
    ipv4.enabled = Some(!addresses.ipv4.is_empty());
    ipv4.prefix_route_metric = address::common_metric(&addresses.ipv4);
    ipv4.address = Some(addresses.ipv4);
    let ipv6 = interface.ipv6.get_or_insert_default();
    ipv6.prefix_route_metric = address::common_metric(&addresses.ipv6);
    ipv6.address = Some(addresses.ipv6);
}
