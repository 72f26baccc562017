// SPDX-License-Identifier: Apache-2.0

//! What is particular to each type of interface when states are checked and planned. One file per type.
//!
//! To add a type: a file here with its `check` and what can't be changed in place, and a line in each function below.

pub(crate) mod linux_bridge;
mod mac_vlan;
mod veth;
mod vxlan;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::{Difference, Overlay, Path};

/// The sections that are written, with the type that each belongs to.
pub(crate) fn sections(interface: &Interface) -> Vec<(&'static str, InterfaceType)> {
    [
        (interface.veth.is_some(), "veth", InterfaceType::Veth),
        (
            interface.bridge.is_some(),
            "bridge",
            InterfaceType::LinuxBridge,
        ),
        (interface.vxlan.is_some(), "vxlan", InterfaceType::Vxlan),
        (
            interface.mac_vlan.is_some(),
            "mac-vlan",
            InterfaceType::MacVlan,
        ),
        (
            interface.mac_vtap.is_some(),
            "mac-vtap",
            InterfaceType::MacVtap,
        ),
    ]
    .into_iter()
    .filter(|(written, ..)| *written)
    .map(|(_, key, interface_type)| (key, interface_type))
    .collect()
}

/// Checks the values of the section, and that all is there that a link which doesn't exist yet needs.
pub(crate) fn check(interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
    match interface.interface_type {
        Some(InterfaceType::Veth) => veth::check(interface.veth.as_ref(), is_new, path),
        Some(InterfaceType::Vxlan) => vxlan::check(interface.vxlan.as_ref(), is_new, path),
        Some(InterfaceType::MacVlan) => {
            mac_vlan::check("mac-vlan", interface.mac_vlan.as_ref(), is_new, path)
        }
        Some(InterfaceType::MacVtap) => {
            mac_vlan::check("mac-vtap", interface.mac_vtap.as_ref(), is_new, path)
        }
        _ => linux_bridge::check(interface.bridge.as_ref(), path),
    }
}

/// How the present section differs from the wanted one.
pub(crate) fn section_differences(wanted: &Interface, present: &Interface) -> Vec<Difference> {
    let mut out = Vec::new();
    let root = Path::root("");
    // A peer that isn't shown lives in another network namespace: the pair is left as it is.
    if present.veth_peer().is_some() {
        wanted
            .veth
            .differences(&present.veth, root.child("veth"), &mut out);
    }
    wanted
        .bridge
        .differences(&present.bridge, root.child("bridge"), &mut out);
    wanted
        .vxlan
        .differences(&present.vxlan, root.child("vxlan"), &mut out);
    wanted
        .mac_vlan
        .differences(&present.mac_vlan, root.child("mac-vlan"), &mut out);
    wanted
        .mac_vtap
        .differences(&present.mac_vtap, root.child("mac-vtap"), &mut out);
    out
}

/// Whether the kernel can't make one of these changes on the living link, so that it has to be created anew.
pub(crate) fn needs_recreation(differences: &[Difference]) -> bool {
    differences.iter().any(|difference| {
        let mut keys = difference.path.trim_start_matches('.').split('.');
        let (section, key) = (keys.next(), keys.next().unwrap_or_default());
        match section {
            Some("veth") => true,
            Some("vxlan") => vxlan::FIXED.contains(&key) || vxlan::is_fixed(key, difference),
            Some("mac-vlan" | "mac-vtap") => {
                mac_vlan::FIXED.contains(&key) || mac_vlan::is_fixed(key, difference)
            }
            _ => false,
        }
    })
}

/// Whether the present section has a key that the one of before didn't have: the kernel can't take it off again.
pub(crate) fn has_gained(before: &Interface, now: &Interface) -> bool {
    let is_new = |difference: &Difference| {
        let section = difference.path.trim_start_matches('.').split('.').next();
        difference.current.is_null() && matches!(section, Some("vxlan" | "mac-vlan" | "mac-vtap"))
    };
    section_differences(now, before).iter().any(is_new)
}

/// Name, type, and in the section only what changes: the payload of an operation that changes options in place.
pub(crate) fn section_changes(
    wanted: &Interface,
    present: &Interface,
    interface_type: &InterfaceType,
) -> Interface {
    let mut changes = Interface {
        name: wanted.name.clone(),
        interface_type: Some(interface_type.clone()),
        bridge: wanted.bridge.clone(),
        vxlan: wanted.vxlan.clone(),
        mac_vlan: wanted.mac_vlan.clone(),
        mac_vtap: wanted.mac_vtap.clone(),
        ..Interface::default()
    };
    if let Some(bridge) = &mut changes.bridge {
        bridge.port = None;
        bridge.allow_extra_ports = None;
    }
    changes.bridge.keep_differences(&present.bridge);
    changes.vxlan.keep_differences(&present.vxlan);
    changes.mac_vlan.keep_differences(&present.mac_vlan);
    changes.mac_vtap.keep_differences(&present.mac_vtap);
    changes
}
