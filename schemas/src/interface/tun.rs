// SPDX-License-Identifier: Apache-2.0

//! Tun and tap devices: links whose other end is a program (`Documentation/networking/tuntap.rst`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Section `tun`. Attributes `IFLA_TUN_*` of `linux/if_link.h`. The device stays without a program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tun {
    /// What the program reads and writes. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<TunMode>,
    /// Number of the user who may attach a program to it without `CAP_NET_ADMIN`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub owner: Option<u32>,
    /// Number of the group whose members may.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub group: Option<u32>,
    /// Whether a program may have several queues. Default false.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub multi_queue: Option<bool>,
}

overlay!(Tun {
    mode,
    owner,
    group,
    multi_queue
});

/// `IFF_TUN`, `IFF_TAP` of `linux/if_tun.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TunMode {
    /// IP packets.
    Tun,
    /// Ethernet frames.
    Tap,
}

overlay_leaf!(TunMode);
