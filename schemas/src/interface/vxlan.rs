// SPDX-License-Identifier: Apache-2.0

//! VXLAN (RFC 7348).

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::overlay;

/// Section `vxlan`. Attributes `IFLA_VXLAN_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Vxlan {
    /// VXLAN network identifier, 0 to 16777215. Needed to create the link.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub id: Option<u32>,
    /// The interface that carries the tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// Learn remote endpoints from received frames. Kernel default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub learning: Option<bool>,
    /// Source address of the tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// Endpoint, or multicast group, for destinations that are not learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// UDP port. Default 4789 (IANA), as nmstate's, not the kernel's 8472.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub destination_port: Option<u16>,
}

overlay!(Vxlan {
    id,
    base_iface,
    learning,
    local,
    remote,
    destination_port
});
