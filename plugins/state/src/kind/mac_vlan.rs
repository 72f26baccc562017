// SPDX-License-Identifier: Apache-2.0

//! MAC VLAN and MAC VTAP: `mode` changes in place, unless passthru is involved (`macvlan_changelink`,
//! drivers/net/macvlan.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType, MacVlan as Section, MacVlanMode};
use nipart_schemas::overlay::Difference;
use serde_json::Value;

use super::Kind;

/// Keys that need the link to be created anew.
const FIXED: [&str; 2] = ["base-iface", "promiscuous"];

/// Whether the link has to be created anew: also for a `mode` from or to passthru.
fn is_fixed(key: &str, difference: &Difference) -> bool {
    let is_passthru = |value: &Value| value.as_str() == Some("passthru");
    FIXED.contains(&key)
        || key == "mode" && (is_passthru(&difference.current) || is_passthru(&difference.desired))
}

pub(super) struct MacVlan;

impl Kind for MacVlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::MacVlan
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        check("mac-vlan", interface.mac_vlan.as_deref(), is_new, path)
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        is_fixed(key, difference)
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }
}

pub(super) struct MacVtap;

impl Kind for MacVtap {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::MacVtap
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        check("mac-vtap", interface.mac_vtap.as_deref(), is_new, path)
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        is_fixed(key, difference)
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }
}

fn check(
    key: &str,
    section: Option<&Section>,
    is_new: bool,
    path: &str,
) -> Result<(), NipartError> {
    if is_new
        && section.is_none_or(|section| section.base_iface.is_none() || section.mode.is_none())
    {
        return Err(NipartError::invalid(
            path,
            format!(
                "a new {key} needs the interface below and a mode: {key}: {{base-iface: NAME, mode: bridge}}"
            ),
        ));
    }
    if let Some(section) = section
        && section.promiscuous == Some(false)
        && section
            .mode
            .is_some_and(|mode| mode != MacVlanMode::Passthru)
    {
        return Err(NipartError::invalid(
            format!("{path}.{key}.promiscuous"),
            "promiscuous: false is possible with mode passthru only",
        ));
    }
    Ok(())
}
