// SPDX-License-Identifier: Apache-2.0

//! MAC VLAN and MAC VTAP: the same section, one as a network link, one with a tap device beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Section `mac-vlan` or `mac-vtap`. Attributes `IFLA_MACVLAN_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MacVlan {
    /// The interface below. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// How links over the same base reach each other. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<MacVlanMode>,
    /// Whether the base is put into promiscuous mode; `false` only with passthru.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean",
        alias = "accept-all-mac"
    )]
    pub promiscuous: Option<bool>,
}

overlay!(MacVlan {
    base_iface,
    mode,
    promiscuous
});

/// `MACVLAN_MODE_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MacVlanMode {
    /// Through the external switch.
    Vepa,
    /// Directly.
    Bridge,
    /// Not at all.
    Private,
    /// The only link over its base, with the base's own address.
    Passthru,
    /// Only from the MAC addresses of a list.
    Source,
}

overlay_leaf!(MacVlanMode);
