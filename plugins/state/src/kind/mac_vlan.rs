// SPDX-License-Identifier: Apache-2.0

//! MAC VLAN and MAC VTAP: `mode` changes in place, unless passthru is involved (`macvlan_changelink`,
//! drivers/net/macvlan.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{MacVlan, MacVlanMode};
use nipart_schemas::overlay::Difference;
use serde_json::Value;

/// Keys that need the link to be created anew.
pub(super) const FIXED: [&str; 2] = ["base-iface", "promiscuous"];

/// Also a `mode` from or to passthru.
pub(super) fn is_fixed(key: &str, difference: &Difference) -> bool {
    let is_passthru = |value: &Value| value.as_str() == Some("passthru");
    key == "mode" && (is_passthru(&difference.current) || is_passthru(&difference.desired))
}

pub(super) fn check(
    key: &str,
    section: Option<&MacVlan>,
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
