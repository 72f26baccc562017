// SPDX-License-Identifier: Apache-2.0

//! Deleting links, many at once.
//!
//! Each `RTM_DELLINK` waits for the end of several RCU grace periods: about 20 ms for a veth pair, 40 for a bridge.
//! A message that names a group (`IFLA_GROUP`) deletes all links of the group and waits once: measured 0.6 ms for
//! each of 63 pairs, 17 ms for each bridge. So links are first put into a group that nobody uses, which costs
//! microseconds. The kernel checks first whether all links of the group can be deleted, and else deletes none;
//! then they are deleted one by one, so that each failure is told for its own link.

use std::collections::HashMap;

use nipart_netlink::packet::link::{LinkAttribute, LinkMessage};
use nipart_netlink::{
    ApplySocket, DumpSocket, LinkFilter, NetlinkError, NetlinkRequest, OnFailure,
};

use super::link::numbered;
use super::{BATCH, Outcome};
use crate::error::from_netlink;

/// Links of one group: with the message that deletes them they fit into one system call. It also bounds how long
/// the kernel's network lock is held: about a second.
const GROUP_SIZE: usize = BATCH - 1;
/// Groups from here on are tried: far from those that people number by hand.
const FIRST_GROUP: u32 = 0x6e70_0000;

/// Deletes the links; gone already counts as deleted.
pub(super) async fn delete(dump: &DumpSocket, apply: &ApplySocket, links: &[u32]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(links.len());
    let groups = match links.len() {
        0 | 1 => None,
        _ => groups(dump).await.ok(),
    };
    for chunk in links.chunks(GROUP_SIZE) {
        let results = match &groups {
            Some(groups) => delete_group(apply, chunk, groups).await,
            None => delete_singly(apply, chunk).await,
        };
        outcomes.extend(results.into_iter().map(|result| match result {
            Err(error) if error.is_not_found() => Some(Ok(())),
            other => Some(other.map_err(|error| from_netlink(&error))),
        }));
        if outcomes.iter().flatten().any(Result::is_err) {
            break;
        }
    }
    outcomes.resize(links.len(), None);
    outcomes
}

type Results = Vec<Result<(), NetlinkError>>;

/// The group of each link.
async fn groups(dump: &DumpSocket) -> Result<HashMap<u32, u32>, NetlinkError> {
    let group = |message: LinkMessage| {
        let index = message.header.index;
        let mut attributes = message.attributes.into_iter();
        attributes.find_map(|attribute| match attribute {
            LinkAttribute::Group(group) => Some((index, group)),
            _ => None,
        })
    };
    let groups = dump.links_map(LinkFilter::default(), group).await?;
    Ok(groups.into_iter().collect())
}

/// A group that is free, and isn't taken by another process like this one either.
fn free_group(groups: &HashMap<u32, u32>) -> u32 {
    let own = FIRST_GROUP + (std::process::id() & 0xffff);
    (own..)
        .find(|group| !groups.values().any(|used| used == group))
        .unwrap_or(own)
}

async fn delete_group(apply: &ApplySocket, links: &[u32], groups: &HashMap<u32, u32>) -> Results {
    let group = free_group(groups);
    let mut requests: Vec<_> = links.iter().map(|link| move_to(*link, group)).collect();
    let mut deletion = LinkMessage::default();
    deletion.attributes.push(LinkAttribute::Group(group));
    requests.push(NetlinkRequest::delete_link(deletion));
    let mut moved = apply.execute(requests, OnFailure::Continue).await;
    let deleted = moved.pop().unwrap_or(Err(NetlinkError::NotSent));
    match deleted {
        Ok(()) => moved,
        // Nothing is in the group: all links were gone, or none could be moved.
        Err(error) if error.is_not_found() => moved,
        Err(error) if error.is_outcome_unknown() => vec![Err(error); links.len()],
        Err(error) => {
            tracing::debug!(%error, "the group can't be deleted as a whole");
            let results = delete_singly(apply, links).await;
            let kept = links
                .iter()
                .zip(&results)
                .filter(|(_, result)| matches!(result, Err(error) if !error.is_not_found()));
            let back = kept
                .map(|(link, _)| move_to(*link, groups.get(link).copied().unwrap_or(0)))
                .collect();
            apply.execute(back, OnFailure::Continue).await;
            results
        }
    }
}

fn move_to(link: u32, group: u32) -> NetlinkRequest {
    let mut message = numbered(link);
    message.attributes.push(LinkAttribute::Group(group));
    NetlinkRequest::change_link(message)
}

async fn delete_singly(apply: &ApplySocket, links: &[u32]) -> Results {
    let requests = links
        .iter()
        .map(|link| NetlinkRequest::delete_link(numbered(*link)))
        .collect();
    apply.execute(requests, OnFailure::Continue).await
}
