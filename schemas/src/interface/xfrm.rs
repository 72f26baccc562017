// SPDX-License-Identifier: Apache-2.0

//! XFRM interfaces: what IPsec policies with the same number protect passes through them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::overlay;

/// Section `xfrm`. Attributes `IFLA_XFRM_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Xfrm {
    /// The interface that the protected packets leave through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// Number in policies and states (`if_id`), not 0. Needed to create the link.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub interface_id: Option<u32>,
}

overlay!(Xfrm {
    base_iface,
    interface_id
});
