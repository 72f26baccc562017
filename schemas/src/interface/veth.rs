// SPDX-License-Identifier: Apache-2.0

//! A pair of virtual Ethernet links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::overlay::overlay;

/// Section `veth`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Veth {
    /// Name of the other end. Needed to create the pair; not shown when that end is in another network namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Whether this end has more queues than the one that it uses: one for each processor, which `ethtool -L` can put to
    /// use (`IFLA_NUM_TX_QUEUES`, `IFLA_NUM_RX_QUEUES`). That is how the kernel creates it by itself, and takes time and
    /// memory. Counts when the pair is created, by default `false`; a pair that is there stays as it is. Shown where it is so.
    #[serde(
        default,
        deserialize_with = "crate::lenient::boolean",
        skip_serializing_if = "Option::is_none"
    )]
    pub spare_queues: Option<bool>,
}

overlay!(Veth { peer } read_only { spare_queues });
