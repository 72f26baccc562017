// SPDX-License-Identifier: Apache-2.0

//! IP over InfiniBand: cards, and partitions of the network over them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Section `infiniband`. Attributes `IFLA_IPOIB_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Infiniband {
    /// The card below. Needed to create the link of a partition; a card has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// How packets are carried. Kernel default `datagram`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<InfinibandMode>,
    /// Key of the partition. Needed to create its link; `0xffff` is the card itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkey: Option<PartitionKey>,
}

overlay!(Infiniband {
    base_iface,
    mode,
    pkey,
});

/// `IPOIB_MODE_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InfinibandMode {
    /// Each packet by itself (RFC 4391).
    Datagram,
    /// Over a connection to each host, with a far larger MTU (RFC 4755).
    Connected,
}

/// Key of a partition (InfiniBand Architecture Specification, volume 1, 10.9), with the bit of full members: the kernel
/// sets it whatever it is told (`ipoib_ndo_init`, drivers/infiniband/ulp/ipoib/ipoib_main.c).
///
/// Written `0x8001`, as nmstate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionKey(u16);

impl PartitionKey {
    /// The default partition, which every card is in: in nmstate the word for the card itself.
    pub const DEFAULT: Self = Self(0xffff);
    /// Says that its owner may talk to all others of the partition.
    const FULL_MEMBER: u16 = 0x8000;

    /// The key with this number.
    pub fn new(number: u16) -> Self {
        Self(number | Self::FULL_MEMBER)
    }

    /// Its number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// Whether no partition has this key.
    pub fn is_none(self) -> bool {
        self.0 == Self::FULL_MEMBER
    }
}

impl fmt::Display for PartitionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#06x}", self.0)
    }
}

impl Serialize for PartitionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartitionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lenient::required_number(deserializer).map(Self::new)
    }
}

impl JsonSchema for PartitionKey {
    fn schema_name() -> Cow<'static, str> {
        "PartitionKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Key of an InfiniBand partition, such as 0x8001.",
            "type": ["string", "integer"],
        })
    }
}

overlay_leaf!(InfinibandMode, PartitionKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_partitions() {
        for (text, expected) in [
            ("'0x8001'", "0x8001"),
            ("0x8001", "0x8001"),
            ("1", "0x8001"),
            ("'0x7FFF'", "0xffff"),
            ("65535", "0xffff"),
        ] {
            let key: PartitionKey = crate::yaml::parse(text).unwrap();
            assert_eq!(key.to_string(), expected, "{text}");
        }
        assert!(crate::yaml::parse::<PartitionKey>("0x10000").is_err());
        assert!(PartitionKey::new(0).is_none());
        let section: Infiniband = crate::yaml::parse("{pkey: 0x8007, mode: connected}").unwrap();
        let written = crate::yaml::to_string(&section).unwrap();
        assert_eq!(written, "---\nmode: connected\npkey: '0x8007'\n");
        assert_eq!(crate::yaml::parse(&written), Ok(section));
    }
}
