// SPDX-License-Identifier: Apache-2.0

//! Numbers of the links that operations name.

use std::collections::{BTreeSet, HashMap};

use nipart_netlink::{DumpSocket, LinkFilter, NetlinkError};
use nipart_schemas::error::NipartError;
use nipart_schemas::operation::Operation;

use crate::error::no_such_link;
use crate::query::{Link, TARGETED_MAX};

/// What is known of the names so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    indexes: HashMap<String, u32>,
    /// Whether all links were read and none was created since: then what isn't known doesn't exist.
    complete: bool,
}

impl Names {
    /// Looks up those that aren't known yet: a few one by one, many by one dump.
    pub(super) async fn learn(
        &mut self,
        dump: &DumpSocket,
        needed: impl Iterator<Item = &str>,
    ) -> Result<(), NetlinkError> {
        if self.complete {
            return Ok(());
        }
        let missing: BTreeSet<&str> = needed
            .filter(|name| !self.indexes.contains_key(*name))
            .collect();
        if missing.len() > TARGETED_MAX {
            let map = |message| Link::from_message(message).map(|link| link.facts);
            let links = dump.links_map(LinkFilter::default(), map).await?;
            self.indexes = links
                .into_iter()
                .map(|link| (link.name, link.index))
                .collect();
            self.complete = true;
            return Ok(());
        }
        for name in missing {
            let found = dump.link(name, LinkFilter::default()).await?;
            // The kernel looks among alternative names as well.
            if let Some(link) = found.and_then(Link::from_message)
                && link.facts.name == name
            {
                self.indexes.insert(link.facts.name, link.facts.index);
            }
        }
        Ok(())
    }

    /// Those of tests.
    #[cfg(test)]
    pub(crate) fn of<const N: usize>(known: [(&str, u32); N]) -> Self {
        Self {
            indexes: known.map(|(name, index)| (name.to_string(), index)).into(),
            complete: true,
        }
    }

    /// The number of a link that an operation needs.
    pub(crate) fn index(&self, name: &str) -> Result<u32, NipartError> {
        self.find(name).ok_or_else(|| no_such_link(name))
    }

    /// The number of a link, none if it doesn't exist.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.indexes.get(name).copied()
    }

    /// Forgets what the operation, now executed, has made untrue.
    pub(super) fn outdate(&mut self, operation: &Operation) {
        let awaited = match operation {
            Operation::AwaitLink { interface } => Some(interface.name.as_str()),
            _ => None,
        };
        for name in created(operation).chain(awaited) {
            self.complete = false;
            self.indexes.remove(name);
        }
        if let Operation::DeleteLink { interface } = operation {
            self.indexes.remove(interface);
        }
    }
}

/// The links that the operation creates.
pub(super) fn created(operation: &Operation) -> impl Iterator<Item = &str> {
    let links = match operation {
        Operation::CreateLink { interface, peer } => {
            let peer = peer.as_ref().map(|peer| peer.name.as_str());
            [
                Some(interface.name.as_str()),
                peer.or(interface.veth_peer()),
            ]
        }
        _ => [None, None],
    };
    links.into_iter().flatten()
}
