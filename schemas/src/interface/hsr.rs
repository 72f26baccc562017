// SPDX-License-Identifier: Apache-2.0

//! High-availability Seamless Redundancy and the Parallel Redundancy Protocol (IEC 62439-3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::mac_address::MacAddress;
use crate::overlay::{overlay, overlay_leaf};

/// Section `hsr`. Attributes `IFLA_HSR_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hsr {
    /// The first of the two links of the ring. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port1: Option<String>,
    /// The second. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port2: Option<String>,
    /// The link to another ring, or to nodes that know nothing of it; not with `prp`. Linux 6.10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interlink: Option<String>,
    /// Last byte of the address of supervision frames. Kernel default 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_spec: Option<u8>,
    /// Default `hsr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<HsrProtocol>,
    /// Shown only: where supervision frames are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision_address: Option<MacAddress>,
}

overlay!(Hsr {
    port1,
    port2,
    interlink,
    multicast_spec,
    protocol,
} read_only { supervision_address });

/// `HSR_PROTOCOL_*` of `linux/if_link.h`, and the version of HSR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HsrProtocol {
    /// HSR of 2010.
    #[serde(rename = "hsr", alias = "hsr-2010")]
    Hsr,
    /// HSR of 2012. The kernel shows it as `hsr`.
    #[serde(rename = "hsr-2012")]
    Hsr2012,
    /// PRP.
    #[serde(rename = "prp")]
    Prp,
}

overlay_leaf!(HsrProtocol);
