// SPDX-License-Identifier: Apache-2.0

//! VLANs of bridges and their ports: `net/bridge/br_vlan.c`. They are always there, and shown where the bridge filters.

use nipart_schemas::interface::{BridgePort, LinuxBridge, PortVlan};

/// What the kernel gives every port, and the bridge itself.
pub(super) fn default() -> PortVlan {
    PortVlan::default_of(1)
}

pub(super) fn fill_defaults(bridge: &mut LinuxBridge) {
    let options = bridge.options.get_or_insert_default();
    options.vlan_filtering.get_or_insert(false);
    options.vlan_default_pvid.get_or_insert(1);
    bridge.vlan.get_or_insert_with(default);
}

/// `__br_vlan_set_default_pvid`: who has nothing but the old one gets the new one.
pub(super) fn change_default<'p>(
    old: &LinuxBridge,
    new: &mut LinuxBridge,
    ports: impl Iterator<Item = &'p mut BridgePort>,
) {
    let default_of = |bridge: &LinuxBridge| {
        let options = bridge.options.as_ref();
        let pvid = options.and_then(|options| options.vlan_default_pvid);
        PortVlan::default_of(pvid.unwrap_or(1))
    };
    let (before, after) = (default_of(old), default_of(new));
    // What this very message says of the bridge itself is done first.
    let vlans = ports.map(|port| &mut port.vlan).chain([&mut new.vlan]);
    for vlan in vlans.filter(|vlan| vlan.as_ref() == Some(&before)) {
        *vlan = Some(after.clone());
    }
}

pub(super) fn show(bridge: &mut LinuxBridge, mut ports: Vec<BridgePort>) {
    let options = bridge.options.as_ref();
    if options.and_then(|options| options.vlan_filtering) != Some(true) {
        bridge.vlan = None;
        ports.iter_mut().for_each(|port| port.vlan = None);
    }
    bridge.port = Some(ports);
}
