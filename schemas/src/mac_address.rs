// SPDX-License-Identifier: Apache-2.0

//! Link-layer addresses.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::overlay::overlay_leaf;

/// A link-layer address of 6 bytes (Ethernet) or 20 (InfiniBand), written `52:54:00:AA:BB:CC`: upper case, as nmstate does.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct MacAddress(Vec<u8>);

impl MacAddress {
    /// The address of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it names a group: such an address can't be an interface's own. Those of InfiniBand have no such bit.
    pub fn is_multicast(&self) -> bool {
        self.0.len() == 6 && self.0.first().is_some_and(|byte| byte & 1 == 1)
    }
}

impl FromStr for MacAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes: Option<Vec<u8>> = text
            .split([':', '-'])
            .map(|part| {
                (part.len() == 2)
                    .then(|| u8::from_str_radix(part, 16).ok())
                    .flatten()
            })
            .collect();
        match bytes {
            Some(bytes) if matches!(bytes.len(), 6 | 20) => Ok(Self(bytes)),
            _ => Err(format!(
                "{text:?} is not a MAC address: expected six (InfiniBand: twenty) pairs of hexadecimal digits such as 52:54:00:AA:BB:CC"
            )),
        }
    }
}

impl TryFrom<String> for MacAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(address: MacAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ":" };
            write!(formatter, "{separator}{byte:02X}")?;
        }
        Ok(())
    }
}

overlay_leaf!(MacAddress);
