// SPDX-License-Identifier: Apache-2.0

//! MACsec (IEEE 802.1AE).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Section `macsec`. Attributes `IFLA_MACSEC_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Macsec {
    /// The interface below. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// Encrypt, rather than only sign.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub encrypt: Option<bool>,
    /// Number of the secure channel. Kernel default 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub port: Option<u16>,
    /// What happens to received frames that aren't valid. Kernel default `strict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<MacsecValidation>,
    /// Send the identifier of the secure channel with each frame. Kernel default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub send_sci: Option<bool>,
    /// Who does the work. Kernel default `off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offload: Option<MacsecOffload>,
    /// Refused: keys that are agreed upon need a daemon that does that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mka_cak: Option<String>,
    /// Refused, as `mka-cak`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mka_ckn: Option<String>,
}

overlay!(Macsec {
    base_iface,
    encrypt,
    port,
    validation,
    send_sci,
    offload,
    mka_cak,
    mka_ckn
});

/// `MACSEC_VALIDATE_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MacsecValidation {
    /// They are taken without a look.
    Disabled,
    /// They are counted and taken.
    Check,
    /// They are dropped.
    Strict,
}

/// `MACSEC_OFFLOAD_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MacsecOffload {
    /// The kernel.
    Off,
    /// The PHY.
    Phy,
    /// The network card.
    Mac,
}

overlay_leaf!(MacsecValidation, MacsecOffload);
