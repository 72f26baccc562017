// SPDX-License-Identifier: Apache-2.0

//! Which VLANs pass the ports of bridges: asked for only where a bridge looks at them.

use std::collections::HashMap;

use nipart_netlink::packet::link::{BridgeVlanInfo, InfoBridge, InfoData};
use nipart_netlink::{DumpSocket, NetlinkError};

use super::link::LinkFacts;
use super::scope::ReadLinks;
use crate::kind::port_vlan;

impl LinkFacts {
    /// Whether it is a bridge that looks at VLANs.
    pub(crate) fn filters_vlans(&self) -> bool {
        match &self.data {
            Some(InfoData::Bridge(attributes)) => {
                attributes.contains(&InfoBridge::VlanFiltering(true))
            }
            _ => false,
        }
    }
}

/// Adds to the links what bridges say of them.
pub(super) async fn read(dump: &DumpSocket, read: &mut ReadLinks) -> Result<(), NetlinkError> {
    if !read.links.iter().any(|link| link.facts.filters_vlans()) {
        return Ok(());
    }
    let told = dump
        .bridge_ports_map(|message| Some((message.header.index, port_vlan::entries(message))))
        .await?;
    let mut vlans: HashMap<u32, Vec<BridgeVlanInfo>> = HashMap::new();
    // A network card that is a bridge by itself tells of its ports, too.
    for (index, entries) in told.into_iter().filter(|(_, entries)| !entries.is_empty()) {
        vlans.insert(index, entries);
    }
    for link in &mut read.links {
        link.facts.vlans = vlans.remove(&link.facts.index).unwrap_or_default();
    }
    Ok(())
}
