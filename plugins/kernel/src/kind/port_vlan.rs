// SPDX-License-Identifier: Apache-2.0

//! VLANs of bridges and their ports (`net/bridge/br_vlan.c`): attributes of the family `AF_BRIDGE`.

use nipart_netlink::NetlinkRequest;
use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::link::{
    AfSpecBridge, BridgeFlag, BridgeVlanInfo, BridgeVlanInfoFlags, LinkAttribute, LinkMessage,
};
use nipart_schemas::interface::PortVlan;
use nipart_schemas::interface::port_vlan::VlanTable;

/// Whose VLANs they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VlansOf {
    /// A port's.
    Port,
    /// The bridge's own.
    Bridge,
}

/// All `IFLA_BRIDGE_VLAN_INFO` of a message.
pub(crate) fn entries(message: LinkMessage) -> Vec<BridgeVlanInfo> {
    let attributes = message.attributes.into_iter();
    attributes
        .filter_map(|attribute| match attribute {
            LinkAttribute::AfSpecBridge(items) => Some(items),
            _ => None,
        })
        .flatten()
        .filter_map(|item| match item {
            AfSpecBridge::VlanInfo(info) => Some(info),
            _ => None,
        })
        .collect()
}

/// What entries say, of which ranges are two: their begin and their end. A VLAN that only leaves without its tag counts
/// as one that passes: there is no word for it.
pub(crate) fn observe(entries: &[BridgeVlanInfo]) -> PortVlan {
    let mut native = None;
    let mut tagged = Vec::new();
    let mut begin = None;
    for BridgeVlanInfo { flags, vid } in entries {
        if flags.contains(BridgeVlanInfoFlags::Pvid) {
            native = Some(*vid);
        }
        if flags.contains(BridgeVlanInfoFlags::RangeBegin) {
            begin = Some(*vid);
        } else {
            tagged.push((begin.take().unwrap_or(*vid), *vid));
        }
    }
    VlanTable::new(native, tagged).into()
}

/// What makes the table so: first what is in it comes, or changes, then all the rest goes. What stays the same isn't
/// touched.
pub(crate) fn compose(index: u32, of: VlansOf, vlan: &PortVlan) -> Vec<NetlinkRequest> {
    let table = vlan.table();
    let native = table.native.map(|vid| BridgeVlanInfo {
        flags: BridgeVlanInfoFlags::Pvid | BridgeVlanInfoFlags::Untagged,
        vid,
    });
    let wanted: Vec<BridgeVlanInfo> = native.into_iter().chain(ranges(&table.tagged)).collect();
    let unwanted: Vec<BridgeVlanInfo> = ranges(&table.others()).collect();
    let mut requests = Vec::with_capacity(2);
    if !wanted.is_empty() {
        requests.push(NetlinkRequest::set_link(message(index, of, wanted)));
    }
    if !unwanted.is_empty() {
        requests.push(NetlinkRequest::delete_link(message(index, of, unwanted)));
    }
    requests
}

fn ranges(list: &[(u16, u16)]) -> impl Iterator<Item = BridgeVlanInfo> {
    list.iter().flat_map(|(min, max)| {
        let entry = |flags, vid| BridgeVlanInfo { flags, vid };
        let (begin, end) = match min == max {
            true => (None, BridgeVlanInfoFlags::empty()),
            false => (
                Some(entry(BridgeVlanInfoFlags::RangeBegin, *min)),
                BridgeVlanInfoFlags::RangeEnd,
            ),
        };
        begin.into_iter().chain([entry(end, *max)])
    })
}

fn message(index: u32, of: VlansOf, entries: Vec<BridgeVlanInfo>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Bridge;
    message.header.index = index;
    let flag = match of {
        VlansOf::Port => BridgeFlag::Controller,
        VlansOf::Bridge => BridgeFlag::LowerDev,
    };
    let entries = entries.into_iter().map(AfSpecBridge::VlanInfo);
    let items = [AfSpecBridge::Flags(flag)].into_iter().chain(entries);
    let items = LinkAttribute::AfSpecBridge(items.collect());
    message.attributes.push(items);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_there_and_back() {
        for (native, tagged) in [
            (Some(1), vec![]),
            (None, vec![(5, 5), (7, 4094)]),
            (Some(7), vec![(6, 6), (8, 9)]),
            (None, vec![]),
        ] {
            let vlan: PortVlan = VlanTable::new(native, tagged.clone()).into();
            let native = native.map(|vid| BridgeVlanInfo {
                flags: BridgeVlanInfoFlags::Pvid | BridgeVlanInfoFlags::Untagged,
                vid,
            });
            let sent: Vec<BridgeVlanInfo> = native.into_iter().chain(ranges(&tagged)).collect();
            assert_eq!(observe(&sent), vlan);
        }
    }
}
