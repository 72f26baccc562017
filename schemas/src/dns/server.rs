// SPDX-License-Identifier: Apache-2.0

//! Addresses of DNS servers, and names of domains.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest name of a link (`IFNAMSIZ` without its zero).
const LONGEST_LINK_NAME: usize = 15;

/// A server's address: IPv4, IPv6, or link-local IPv6 with its interface (`fe80::1%eth0`, RFC 4007 §11).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DnsServer {
    address: IpAddr,
    zone: Option<String>,
}

impl From<IpAddr> for DnsServer {
    fn from(address: IpAddr) -> Self {
        Self {
            address,
            zone: None,
        }
    }
}

impl DnsServer {
    /// A server that was told of on a link: one with a link-local address can be reached there only (RFC 4007 §11).
    #[must_use]
    pub fn on_link(address: IpAddr, interface: &str) -> Self {
        let is_of_link = matches!(address, IpAddr::V6(ip) if ip.is_unicast_link_local());
        Self {
            address,
            zone: is_of_link.then(|| interface.to_string()),
        }
    }

    /// The interface of a link-local address.
    pub(crate) fn zone_mut(&mut self) -> Option<&mut String> {
        self.zone.as_mut()
    }
}

impl FromStr for DnsServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| {
            format!(
                "{text:?} is not the address of a DNS server: expected IPv4, IPv6, or fe80::1%eth0"
            )
        })?;
        let is_link_local = matches!(address, IpAddr::V6(ip) if ip.is_unicast_link_local());
        match zone {
            None if is_link_local => Err(format!(
                "DNS server {text} is link-local: write the interface behind it, as in {text}%eth0"
            )),
            Some(_) if !is_link_local => Err(format!(
                "DNS server {text}: only link-local IPv6 addresses have an interface"
            )),
            Some(zone) if !is_link_name(zone) => Err(format!(
                "DNS server {text}: {zone:?} can't be the name of an interface"
            )),
            _ if address.is_unspecified() || address.is_multicast() => {
                Err(format!("{text} can't be the address of a DNS server"))
            }
            zone => Ok(Self {
                address,
                zone: zone.map(str::to_string),
            }),
        }
    }
}

fn is_link_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b':';
    (1..=LONGEST_LINK_NAME).contains(&name.len()) && name.bytes().all(allowed)
}

impl fmt::Display for DnsServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            Some(zone) => write!(formatter, "{}%{zone}", self.address),
            None => self.address.fmt(formatter),
        }
    }
}

/// The name of a domain: labels of 1 to 63 letters, digits, dashes and underscores, up to 253 bytes in all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DomainName(String);

/// Longest name without the dot at its end (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 253;
/// Longest label (RFC 1035 §2.3.4).
const LONGEST_LABEL: usize = 63;

impl FromStr for DomainName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=LONGEST_LABEL).contains(&label.len())
                && label.bytes().all(allowed)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > LONGEST_NAME || !name.split('.').all(is_label) {
            return Err(format!(
                "{text:?} is not a domain: labels of 1 to 63 letters, digits and dashes, with dots between them, are accepted"
            ));
        }
        Ok(Self(text.to_string()))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

macro_rules! as_string {
    ($($type:ty),*) => { $(
        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    )* };
}

as_string!(DnsServer, DomainName, super::ResolverOption);
