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
}

overlay!(Veth { peer });
