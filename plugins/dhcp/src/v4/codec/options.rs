// SPDX-License-Identifier: Apache-2.0

//! The values of single options, from bytes to types, each refused when it makes no sense.
//!
//! A function gives `None` for a value that cannot be used. What that means for the message is the caller's decision.

use std::net::Ipv4Addr;

use nipart_schemas::lease::LeaseRoute;

use crate::names::{MOST_DOMAINS, domain};

/// Smallest MTU that a link may have (RFC 2132 §5.1, RFC 791).
const SMALLEST_MTU: u16 = 68;

/// Whether a host can have this address and be spoken to by it.
pub(super) fn is_usable(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    // 0.0.0.0/8 "this network", 127.0.0.0/8 loopback, 224.0.0.0/3 multicast, reserved and broadcast.
    first != 0 && first != 127 && first < 224
}

/// One IPv4 address.
pub(super) fn address(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}

/// A list of one or more IPv4 addresses; unusable ones and repetitions are left out.
pub(super) fn addresses(value: &[u8]) -> Option<Vec<Ipv4Addr>> {
    let (chunks, rest) = value.as_chunks::<4>();
    if chunks.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut list = Vec::new();
    for address in chunks.iter().copied().map(Ipv4Addr::from) {
        if is_usable(address) && !list.contains(&address) {
            list.push(address);
        }
    }
    Some(list)
}

/// A number of 32 bits, big-endian.
pub(super) fn number(value: &[u8]) -> Option<u32> {
    <[u8; 4]>::try_from(value).ok().map(u32::from_be_bytes)
}

/// Prefix length of a contiguous mask that leaves at least one bit (option 1).
pub(super) fn prefix_length(value: &[u8]) -> Option<u8> {
    let mask = number(value)?;
    let length = mask.leading_ones();
    let contiguous = length + mask.trailing_zeros() == u32::BITS;
    (length > 0 && contiguous).then_some(length as u8)
}

/// Link MTU (option 26).
pub(super) fn mtu(value: &[u8]) -> Option<u16> {
    let mtu = u16::from_be_bytes(<[u8; 2]>::try_from(value).ok()?);
    (mtu >= SMALLEST_MTU).then_some(mtu)
}

/// Classless static routes (option 121, RFC 3442): all of them, or none when one is malformed.
///
/// A list that was accepted in part would send packets where the administrator did not want them.
pub(super) fn classless_routes(value: &[u8]) -> Option<Vec<LeaseRoute>> {
    let mut routes = Vec::new();
    let mut rest = value;
    while let Some((&prefix_length, after)) = rest.split_first() {
        if prefix_length > 32 {
            return None;
        }
        let significant = usize::from(prefix_length.div_ceil(8));
        let (network, after) = after.split_at_checked(significant)?;
        let (gateway, after) = after.split_at_checked(4)?;
        let mut octets = [0; 4];
        octets.get_mut(..significant)?.copy_from_slice(network);
        let gateway = address(gateway)?;
        if !gateway.is_unspecified() && !is_usable(gateway) {
            return None;
        }
        let mask = u32::MAX
            .checked_shl(32 - u32::from(prefix_length))
            .unwrap_or(0);
        let route = LeaseRoute {
            // RFC 3442: bits beyond the mask must be cleared by the client.
            destination: Ipv4Addr::from(u32::from_be_bytes(octets) & mask),
            prefix_length,
            gateway,
        };
        if !routes.contains(&route) {
            routes.push(route);
        }
        rest = after;
    }
    // RFC 3442: the shortest option describes one route.
    (!routes.is_empty()).then_some(routes)
}

/// Domain names (option 15). Some servers send several, parted by spaces.
pub(super) fn domains_from_text(value: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0');
    let domains: Option<Vec<String>> = text
        .split_ascii_whitespace()
        .take(MOST_DOMAINS)
        .map(domain)
        .collect();
    domains.filter(|domains| !domains.is_empty())
}
