// SPDX-License-Identifier: Apache-2.0

//! Messages of router discovery from and to bytes.
//!
//! ICMPv6 begins with type and code; the kernel has checked the checksum, and the socket's filter the hop limit.

use std::net::Ipv6Addr;

use thiserror::Error;

use super::message::{Advertisement, Destination, Lasting, Preference};
use crate::link::LinkAddress;
use crate::names::{Compression, domains_from_wire};

/// `ND_ROUTER_SOLICIT` and `ND_ROUTER_ADVERT` (RFC 4861 §4.1, §4.2).
const SOLICITATION: u8 = 133;
pub(crate) const ADVERTISEMENT: u8 = 134;
/// Bytes before the options.
const HEADER_LENGTH: usize = 16;
/// Lengths of options count in units of so many bytes (RFC 4861 §4.6).
const UNIT: usize = 8;
/// Source link-layer address (RFC 4861 §4.6.1).
const OPTION_SOURCE: u8 = 1;
/// Route information (RFC 4191 §2.3).
const OPTION_ROUTE: u8 = 24;
/// Recursive DNS servers (RFC 8106 §5.1).
const OPTION_DNS_SERVERS: u8 = 25;
/// DNS search list (RFC 8106 §5.2).
const OPTION_DNS_SEARCH: u8 = 31;

/// Why a message is dropped whole (RFC 4861 §6.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Shorter than any advertisement.
    #[error("{0} bytes are too few")]
    TooShort(usize),
    /// Another message.
    #[error("type {0}, code {1} is no router advertisement")]
    OtherMessage(u8, u8),
    /// An option of length 0, or one that ends beyond the message.
    #[error("option {0} has a wrong length")]
    OptionLength(u8),
    /// Not of a neighbour.
    #[error("{0} is no link-local address")]
    Sender(Ipv6Addr),
}

/// Reads a router advertisement. An option that makes no sense in itself is left out (RFC 4191 §2.3, RFC 8106 §5.3.1).
///
/// # Errors
/// [`DecodeError`] when the message must not be used at all.
pub fn decode(bytes: &[u8], sender: Ipv6Addr) -> Result<Advertisement, DecodeError> {
    if !sender.is_unicast_link_local() {
        return Err(DecodeError::Sender(sender));
    }
    let too_short = DecodeError::TooShort(bytes.len());
    let (header, mut rest) = bytes.split_at_checked(HEADER_LENGTH).ok_or(too_short)?;
    let &[kind, code, _, _, _, flags, high, low, ..] = header else {
        return Err(too_short);
    };
    if (kind, code) != (ADVERTISEMENT, 0) {
        return Err(DecodeError::OtherMessage(kind, code));
    }
    let mut advertisement = Advertisement {
        router: sender,
        lifetime: u16::from_be_bytes([high, low]),
        // The reserved value means the same as none (RFC 4191 §2.2).
        preference: preference(flags).unwrap_or_default(),
        routes: Vec::new(),
        dns_servers: Vec::new(),
        dns_search: Vec::new(),
    };
    // Also the rest is looked at whole before anything of it counts.
    while let Some(&code) = rest.first() {
        let wrong_length = DecodeError::OptionLength(code);
        let units = rest.get(1).copied().unwrap_or(0);
        let length = usize::from(units) * UNIT;
        let (option, after) = match length {
            0 => return Err(wrong_length),
            _ => rest.split_at_checked(length).ok_or(wrong_length)?,
        };
        rest = after;
        match code {
            OPTION_ROUTE => advertisement.routes.extend(route(option)),
            OPTION_DNS_SERVERS => advertisement.dns_servers.extend(dns_servers(option)),
            OPTION_DNS_SEARCH => advertisement.dns_search.extend(dns_search(option)),
            _ => {}
        }
    }
    Ok(advertisement)
}

/// A router solicitation. The link's own address spares the router a question (RFC 4861 §4.1); the kernel fills in the
/// checksum.
#[must_use]
pub fn solicitation(hardware: Option<LinkAddress>) -> Vec<u8> {
    let mut bytes = vec![SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
    if let Some(LinkAddress(address)) = hardware {
        bytes.extend([OPTION_SOURCE, 1]);
        bytes.extend(address);
    }
    bytes
}

/// The two bits of a preference, in the byte of flags (RFC 4191 §2.1); none for the reserved value.
fn preference(flags: u8) -> Option<Preference> {
    match flags >> 3 & 0b11 {
        0b00 => Some(Preference::Medium),
        0b01 => Some(Preference::High),
        0b11 => Some(Preference::Low),
        _ => None,
    }
}

/// The lifetime in the second half of an option's first unit.
fn lifetime(option: &[u8]) -> Option<u32> {
    let bytes = option.get(4..8)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn route(option: &[u8]) -> Option<Lasting<Destination>> {
    let (&prefix_length, &flags) = (option.get(2)?, option.get(3)?);
    let prefix = option.get(UNIT..)?;
    let is_long_enough = match prefix_length {
        0 => prefix.len() <= 16,
        1..=64 => matches!(prefix.len(), 8 | 16),
        65..=128 => prefix.len() == 16,
        _ => false,
    };
    let mut bytes = [0; 16];
    bytes.get_mut(..prefix.len())?.copy_from_slice(prefix);
    let mask = u128::MAX
        .checked_shl(128 - u32::from(prefix_length.min(128)))
        .unwrap_or(0);
    let address = Ipv6Addr::from_bits(u128::from_be_bytes(bytes) & mask);
    let is_of_the_link =
        address.is_multicast() || address.is_unicast_link_local() || address.is_loopback();
    (is_long_enough && !is_of_the_link).then_some(Lasting {
        what: Destination {
            address,
            prefix_length,
            preference: preference(flags)?,
        },
        lifetime: lifetime(option)?,
    })
}

/// Whole addresses, at least one; those that can't be a server's are left out.
fn dns_servers(option: &[u8]) -> Vec<Lasting<Ipv6Addr>> {
    let (addresses, rest) = option.get(UNIT..).unwrap_or_default().as_chunks::<16>();
    let Some(lifetime) = lifetime(option).filter(|_| rest.is_empty()) else {
        return Vec::new();
    };
    let addresses = addresses.iter().map(|bytes| Ipv6Addr::from(*bytes));
    addresses
        .filter(|server| {
            !(server.is_unspecified() || server.is_multicast() || server.is_loopback())
        })
        .map(|what| Lasting { what, lifetime })
        .collect()
}

/// Names one after the other, then zeros up to a whole unit.
fn dns_search(option: &[u8]) -> Vec<Lasting<String>> {
    let names = option
        .get(UNIT..)
        .and_then(|names| domains_from_wire(names, Compression::Refused));
    let (Some(names), Some(lifetime)) = (names, lifetime(option)) else {
        return Vec::new();
    };
    let names = names.into_iter();
    names.map(|what| Lasting { what, lifetime }).collect()
}

#[cfg(test)]
mod tests;
