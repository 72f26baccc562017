// SPDX-License-Identifier: Apache-2.0

//! Virtual Routing and Forwarding: its ports use a routing table of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::overlay;

/// Section `vrf`. Attribute `IFLA_VRF_TABLE` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Vrf {
    /// Its ports. Replaces the list that was applied before; ports that others attached stay.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ports")]
    pub port: Option<Vec<String>>,
    /// The routing table of its ports, 1 to 4294967295. Needed to create the link.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub route_table_id: Option<u32>,
}

// Ports are a list with rules of its own.
overlay!(Vrf { route_table_id } read_only { port });
