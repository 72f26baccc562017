// SPDX-License-Identifier: Apache-2.0

//! IPVLAN: several interfaces with one link-layer address, told apart by their IP addresses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Section `ipvlan`. Attributes `IFLA_IPVLAN_*` of `linux/if_link.h`.
///
/// The kernel keeps mode and flags once for each base: all IPVLANs over it have the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ipvlan {
    /// The interface below. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// Up to which layer the base takes part. Kernel default `l3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<IpvlanMode>,
    /// Links over the same base don't reach each other. Not with `vepa`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub private: Option<bool>,
    /// Links over the same base reach each other through the external switch. Not with `private`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub vepa: Option<bool>,
}

overlay!(Ipvlan {
    base_iface,
    mode,
    private,
    vepa
});

/// `IPVLAN_MODE_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IpvlanMode {
    /// Each link resolves addresses and takes broadcasts itself.
    L2,
    /// The base's network namespace routes and resolves.
    L3,
    /// The same through the netfilter of the base's network namespace.
    L3s,
}

overlay_leaf!(IpvlanMode);
