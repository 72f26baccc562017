// SPDX-License-Identifier: Apache-2.0

//! Which links a scope takes in, and how to read them without reading all.
//!
//! Shown are the links that are named, and one step around them: controllers, ports, base interfaces, veth peers.
//! What is shown is as complete as in a full query, so more is read than shown: all ports of each bridge, and the
//! names of links that those shown refer to.

use std::collections::{HashMap, HashSet};

use nipart_netlink::{DumpSocket, LinkFilter, NetlinkError};
use nipart_schemas::interface::InterfaceType;

use super::{Link, TARGETED_MAX};

/// The links that were read.
#[derive(Default)]
pub(crate) struct ReadLinks {
    /// Each once.
    pub(super) links: Vec<Link>,
    /// Their names and those of others, by number.
    pub(super) names: HashMap<u32, String>,
}

impl ReadLinks {
    pub(super) fn push(&mut self, link: Link) {
        self.names.insert(link.facts.index, link.facts.name.clone());
        self.links.push(link);
    }

    fn has(&self, index: u32) -> bool {
        self.links.iter().any(|link| link.facts.index == index)
    }

    /// Learns the names of more links: a few one by one, many by a dump.
    pub(super) async fn learn_names(
        &mut self,
        dump: &DumpSocket,
        indexes: HashSet<u32>,
    ) -> Result<(), NetlinkError> {
        let missing: Vec<u32> = indexes
            .into_iter()
            .filter(|index| !self.names.contains_key(index))
            .collect();
        if missing.len() > TARGETED_MAX {
            let name = |message| Link::from_message(message).map(|link| link.facts);
            for facts in dump.links_map(LinkFilter::default(), name).await? {
                self.names.entry(facts.index).or_insert(facts.name);
            }
            return Ok(());
        }
        for index in missing {
            if let Some(link) = read_link(dump, index).await? {
                self.names.insert(index, link.facts.name);
            }
        }
        Ok(())
    }
}

/// Numbers of the links that are shown when these are named.
pub(super) fn closure(links: &[Link], names: &[String]) -> HashSet<u32> {
    let names: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut shown = HashSet::new();
    let mut controllers = HashSet::new();
    for link in links {
        if names.contains(link.facts.name.as_str()) {
            shown.insert(link.facts.index);
            shown.extend(link.facts.references());
            if is_controller(link) {
                controllers.insert(link.facts.index);
            }
        }
    }
    for Link { facts, .. } in links {
        if facts
            .controller
            .is_some_and(|index| controllers.contains(&index))
        {
            shown.insert(facts.index);
        }
    }
    shown
}

/// Reads what a query of these few names needs; none when that turns out to be more than a few.
pub(super) async fn read_few(
    dump: &DumpSocket,
    names: &[String],
) -> Result<Option<ReadLinks>, NetlinkError> {
    let mut read = ReadLinks::default();
    for name in names {
        let found = dump.link(name, LinkFilter::default()).await?;
        // The kernel looks among alternative names as well.
        if let Some(link) = found.and_then(Link::from_message)
            && link.facts.name == *name
            && !read.has(link.facts.index)
        {
            read.push(link);
        }
    }
    for index in closure(&read.links, names) {
        if !read.has(index)
            && let Some(link) = read_link(dump, index).await?
        {
            read.push(link);
        }
    }
    let controllers: Vec<u32> = read
        .links
        .iter()
        .filter(|link| is_controller(link))
        .map(|link| link.facts.index)
        .collect();
    for controller in controllers {
        let filter = LinkFilter {
            controller: Some(controller),
            ..LinkFilter::default()
        };
        for port in dump.links_map(filter, Link::from_message).await? {
            if !read.names.contains_key(&port.facts.index) {
                read.push(port);
            }
        }
    }
    let shown = closure(&read.links, names);
    let named_by_shown: HashSet<u32> = read
        .links
        .iter()
        .filter(|link| shown.contains(&link.facts.index))
        .flat_map(|link| link.facts.references())
        .filter(|index| !read.names.contains_key(index))
        .collect();
    if named_by_shown.len() > TARGETED_MAX {
        return Ok(None);
    }
    read.learn_names(dump, named_by_shown).await?;
    Ok(Some(read))
}

async fn read_link(dump: &DumpSocket, index: u32) -> Result<Option<Link>, NetlinkError> {
    let found = dump.link_by_index(index, LinkFilter::default()).await?;
    Ok(found.and_then(Link::from_message))
}

fn is_controller(link: &Link) -> bool {
    link.interface
        .interface_type
        .as_ref()
        .is_some_and(InterfaceType::is_controller)
}
