// SPDX-License-Identifier: Apache-2.0

//! Keys that nmstate's users know and that Nipart doesn't do yet: refused with a text that says so.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Key `802.1x`. There is no value of it: it is refused while the file is read, so that its secrets get nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub enum PortAuthentication {}

overlay_leaf!(PortAuthentication);

impl<'de> Deserialize<'de> for PortAuthentication {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Err(D::Error::custom(
            "802.1x is not supported yet: port authentication needs a supplicant; leave the key out and run one beside Nipart",
        ))
    }
}

/// Key `lldp`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lldp {
    /// Only `false` for now.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub enabled: Option<bool>,
}

overlay!(Lldp { enabled });
