// SPDX-License-Identifier: Apache-2.0

//! Checks that several kinds of tunnels share.

use std::net::IpAddr;

use nipart_schemas::error::NipartError;
use nipart_schemas::overlay::Difference;
use serde_json::Value;

const LARGEST_FLOW_LABEL: u32 = 0xf_ffff;

/// What of a section is the same in all of them.
pub(super) struct Tunnel<'a> {
    /// Of the section.
    pub(super) path: &'a str,
    pub(super) local: Option<IpAddr>,
    pub(super) remote: Option<IpAddr>,
    pub(super) ttl: Option<u8>,
    pub(super) flow_label: Option<u32>,
    pub(super) pmtu_disc: Option<bool>,
}

impl Tunnel<'_> {
    pub(super) fn check(&self) -> Result<(), NipartError> {
        if let (Some(local), Some(remote)) = (self.local, self.remote)
            && local.is_ipv4() != remote.is_ipv4()
        {
            return Err(NipartError::invalid(
                format!("{}.remote", self.path),
                format!("remote {remote} is of another address family than local {local}"),
            ));
        }
        if let Some(label) = self.flow_label.filter(|label| *label > LARGEST_FLOW_LABEL) {
            return Err(NipartError::invalid(
                format!("{}.flow-label", self.path),
                format!("flow label {label} is too large: the largest is {LARGEST_FLOW_LABEL}"),
            ));
        }
        if self.pmtu_disc == Some(false) && self.ttl.is_some_and(|ttl| ttl != 0) {
            return Err(NipartError::invalid(
                format!("{}.pmtu-disc", self.path),
                "pmtu-disc: false needs a ttl of 0: a packet could circle for ever",
            ));
        }
        Ok(())
    }
}

/// Whether an end of a living tunnel can't be changed so: to another family, or from none (`ip_tunnel_changelink`,
/// net/ipv4/ip_tunnel.c).
pub(super) fn is_fixed_end(key: &str, difference: &Difference) -> bool {
    let is_ipv6 = |value: &Value| value.as_str().map(|text| text.contains(':'));
    let (current, desired) = (is_ipv6(&difference.current), is_ipv6(&difference.desired));
    matches!(key, "local" | "remote") && current != desired
}
