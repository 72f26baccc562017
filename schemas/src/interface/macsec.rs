// SPDX-License-Identifier: Apache-2.0

//! MACsec (IEEE 802.1AE), and the key that its ends agree upon keys by (MKA, IEEE 802.1X-2010).

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Interface;
use crate::key::{Cak, KeyName};
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
    /// Number of the secure channel, 1 to 65535. Kernel default 1. 0 is as good as nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given_port"
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
    /// The key that both ends have, from which they derive those of the channels. 32 hexadecimal digits, or 64; `""` takes
    /// it away. Shown as `<hidden>`, which also stands for the one that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mka_cak: Option<Cak>,
    /// Its name, by which each end knows that the other one means the same key: 2 to 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mka_ckn: Option<KeyName>,
}

/// nmstate's examples have a 0, which no channel has (IEEE 802.1AE): the key is as good as left out.
fn given_port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let port = lenient::number(deserializer)?;
    Ok(port.filter(|port| *port != 0))
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

impl Interface {
    /// Whether its ends are to agree upon keys.
    pub fn agrees_upon_keys(&self) -> bool {
        self.macsec
            .as_ref()
            .is_some_and(|section| section.has_key())
    }

    /// The key by which they do.
    pub fn macsec_key_mut(&mut self) -> Option<&mut Cak> {
        self.macsec.as_mut()?.mka_cak.as_mut()
    }
}

impl Macsec {
    /// Whether the ends are to agree upon keys (MKA).
    pub fn has_key(&self) -> bool {
        self.mka_cak.as_ref().is_some_and(|key| !key.is_none())
    }

    /// Writes out that a key which isn't there is not to be there: one that isn't written says nothing.
    pub fn spell_out_missing_key(&mut self) {
        self.mka_cak.get_or_insert(Cak::NONE);
        self.mka_ckn.get_or_insert(KeyName::NONE);
    }
}

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
