// SPDX-License-Identifier: Apache-2.0

//! VXLAN: the kernel changes `learning` and `remote` in place (`vxlan_changelink`, drivers/net/vxlan/vxlan_core.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType, Vxlan as Section};
use nipart_schemas::overlay::Difference;
use serde_json::Value;

use super::Kind;

/// Keys that need the link to be created anew.
const FIXED: [&str; 4] = ["id", "base-iface", "local", "destination-port"];

const LARGEST_ID: u32 = (1 << 24) - 1;

pub(super) struct Vxlan;

impl Kind for Vxlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Vxlan
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        check(interface.vxlan.as_deref(), is_new, path)
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        // Also a `remote` of another address family than the present one, and its removal.
        let is_ipv6 = |value: &Value| value.as_str().map(|text| text.contains(':'));
        let (current, desired) = (is_ipv6(&difference.current), is_ipv6(&difference.desired));
        FIXED.contains(&key) || (key == "remote" && current.is_some() && current != desired)
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }
}

fn check(section: Option<&Section>, is_new: bool, path: &str) -> Result<(), NipartError> {
    let id = section.and_then(|section| section.id);
    if is_new && id.is_none() {
        return Err(NipartError::invalid(
            path,
            "a new vxlan needs its identifier: vxlan: {id: NUMBER}",
        ));
    }
    if let Some(id) = id.filter(|id| *id > LARGEST_ID) {
        return Err(NipartError::invalid(
            format!("{path}.vxlan.id"),
            format!("VXLAN identifier {id} is too large: the largest is {LARGEST_ID}"),
        ));
    }
    let Some(section) = section else {
        return Ok(());
    };
    if let (Some(local), Some(remote)) = (section.local, section.remote)
        && local.is_ipv4() != remote.is_ipv4()
    {
        return Err(NipartError::invalid(
            format!("{path}.vxlan.remote"),
            format!("remote {remote} is of another address family than local {local}"),
        ));
    }
    if section.remote.is_some_and(|remote| remote.is_multicast())
        && is_new
        && section.base_iface.is_none()
    {
        return Err(NipartError::invalid(
            format!("{path}.vxlan.remote"),
            "a multicast group as remote needs a base-iface",
        ));
    }
    Ok(())
}
