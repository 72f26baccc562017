// SPDX-License-Identifier: Apache-2.0

//! What Ethernet agrees upon at the two ends of a cable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sr_iov::SrIov;
use crate::lenient;
use crate::overlay::overlay;
use crate::word::words;

/// Key `ethernet`. `ETHTOOL_A_LINKMODES_*` of `linux/ethtool_netlink.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ethernet {
    /// Whether both ends agree upon speed and duplex by themselves: then these are shown only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto_negotiation: Option<bool>,
    /// Megabits a second.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub speed: Option<u32>,
    /// Whether both ends may send at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplex: Option<Duplex>,
    /// Virtual functions, of cards that can have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sr_iov: Option<Box<SrIov>>,
}

overlay!(Ethernet {
    auto_negotiation,
    speed,
    duplex,
    sr_iov,
});

words! {
    /// `DUPLEX_*` of `linux/ethtool.h`.
    Duplex {
        /// One at a time.
        Half = 0 "half",
        /// Both at the same time.
        Full = 1 "full",
    }
}

impl Ethernet {
    /// What both ends agree upon alone; none when nothing is said of it.
    #[must_use]
    pub fn link_modes(&self) -> Option<Self> {
        let modes = Self {
            sr_iov: None,
            ..self.clone()
        };
        (modes != Self::default()).then_some(modes)
    }

    /// Forgets speed and duplex if they are what both ends have agreed upon: nobody has set them.
    pub fn forget_negotiated(&mut self) {
        if self.auto_negotiation == Some(true) {
            (self.speed, self.duplex) = (None, None);
        }
    }
}
