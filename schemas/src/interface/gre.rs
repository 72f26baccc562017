// SPDX-License-Identifier: Apache-2.0

//! Generic routing encapsulation (RFC 2784, 2890), with IP packets (`gre`) or Ethernet frames (`gretap`) inside.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::overlay;

/// Section `gre` or `gretap`. Attributes `IFLA_GRE_*` of `linux/if_tunnel.h`.
///
/// The address family of `local` and `remote` is that of the outer packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Gre {
    /// The interface that carries the tunnel. Default: whatever the route to the remote end leads through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// Source address of the tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// The other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<IpAddr>,
    /// Key of the packets that are taken.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub input_key: Option<u32>,
    /// Key of the packets that are sent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub output_key: Option<u32>,
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
    /// Over IPv6: flow label of the outer packets, up to 0xfffff.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub flow_label: Option<u32>,
    /// Over IPv4: outer packets may not be fragmented. Kernel default true; `false` needs a `ttl` of 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub pmtu_disc: Option<bool>,
    /// Over IPv6: how often a packet may be put into further tunnels. Default 4, as iproute2's.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub encap_limit: Option<u8>,
    /// Mark of the outer packets.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub fwmark: Option<u32>,
}

overlay!(Gre {
    base_iface,
    local,
    remote,
    input_key,
    output_key,
    ttl,
    tos,
    flow_label,
    pmtu_disc,
    encap_limit,
    fwmark
});

impl Gre {
    /// Whether the outer packets are IPv6.
    pub fn is_over_ipv6(&self) -> bool {
        self.local
            .or(self.remote)
            .is_some_and(|address| address.is_ipv6())
    }
}
