// SPDX-License-Identifier: Apache-2.0

//! Changes of an interface's IP stacks that aren't addresses.

use std::fmt;
use std::net::Ipv6Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ip::AddrGenMode;

/// Switches of IPv6 on a link that change. What is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Ipv6Changes {
    /// The link.
    pub interface: String,
    /// `disable_ipv6`, inverted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `autoconf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoconf: Option<bool>,
    /// `accept_ra`: 0 never, 1 unless packets are forwarded, 2 always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_ra: Option<u8>,
    /// `accept_ra_defrtr`: the kernel makes the default route of router advertisements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_ra_defrtr: Option<bool>,
    /// `forwarding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarding: Option<bool>,
    /// `addr_gen_mode`, and for stable addresses a `stable_secret` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr_gen_mode: Option<AddrGenMode>,
    /// `IFLA_INET6_TOKEN`; `::` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Ipv6Addr>,
}

impl Ipv6Changes {
    /// No change of this link.
    pub fn of(interface: impl Into<String>) -> Self {
        Self {
            interface: interface.into(),
            ..Self::default()
        }
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::of(&*self.interface)
    }
}

impl fmt::Display for Ipv6Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            interface,
            enabled,
            autoconf,
            accept_ra,
            accept_ra_defrtr,
            forwarding,
            addr_gen_mode,
            token,
        } = self;
        write!(formatter, "change IPv6 of {interface}:")?;
        if let Some(enabled) = enabled {
            write!(formatter, " enabled {enabled}")?;
        }
        match (autoconf, accept_ra) {
            (Some(autoconf), _) => write!(formatter, " autoconf {autoconf}")?,
            (None, Some(accept_ra)) => write!(formatter, " accept-ra {accept_ra}")?,
            (None, None) => {}
        }
        if let Some(accept) = accept_ra_defrtr {
            write!(formatter, " accept-ra-defrtr {accept}")?;
        }
        if let Some(forwarding) = forwarding {
            write!(formatter, " forwarding {forwarding}")?;
        }
        if let Some(mode) = addr_gen_mode {
            write!(formatter, " addr-gen-mode {mode}")?;
        }
        match token {
            Some(token) if token.is_unspecified() => formatter.write_str(" no token"),
            Some(token) => write!(formatter, " token {token}"),
            None => Ok(()),
        }
    }
}
