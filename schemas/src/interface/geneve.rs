// SPDX-License-Identifier: Apache-2.0

//! GENEVE (RFC 8926).

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::overlay;

/// Section `geneve`. Attributes `IFLA_GENEVE_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Geneve {
    /// Virtual network identifier, 0 to 16777215. Needed to create the link.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub id: Option<u32>,
    /// The other end. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// UDP port. Default 6081.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub destination_port: Option<u16>,
    /// Hop limit of the outer packets. 0: taken from the inner one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub ttl: Option<u8>,
    /// Type of service, or traffic class, of the outer packets. 1 over IPv4: taken from the inner one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub tos: Option<u8>,
}

overlay!(Geneve {
    id,
    remote,
    destination_port,
    ttl,
    tos
});
