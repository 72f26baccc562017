// SPDX-License-Identifier: Apache-2.0

//! The values of single options, from bytes to types, each refused when it makes no sense.

use std::net::Ipv6Addr;

use super::DecodeError;
use super::layout::{self, Code, Options};
use crate::names;
use crate::v6::message::{Association, LentAddress, Status};

/// Most addresses of an IA_NA that are taken over.
const MOST_ADDRESSES: usize = 16;
/// Most DNS servers that are taken over.
const MOST_SERVERS: usize = 32;

/// Whether a host can be spoken to by this address.
fn is_usable(address: Ipv6Addr) -> bool {
    !address.is_unspecified() && !address.is_loopback() && !address.is_multicast()
}

/// A list of one or more addresses; unusable ones and repetitions are left out.
pub(super) fn addresses(value: &[u8]) -> Option<Vec<Ipv6Addr>> {
    let (chunks, rest) = value.as_chunks::<16>();
    if chunks.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut list = Vec::new();
    for address in chunks.iter().copied().map(Ipv6Addr::from) {
        if is_usable(address) && !list.contains(&address) && list.len() < MOST_SERVERS {
            list.push(address);
        }
    }
    Some(list)
}

/// A number of 32 bits, big-endian.
pub(super) fn number(value: &[u8]) -> Option<u32> {
    <[u8; 4]>::try_from(value).ok().map(u32::from_be_bytes)
}

/// SOL_MAX_RT and INF_MAX_RT: other values must be ignored (RFC 8415 §21.24, §21.25).
pub(super) fn limit(value: &[u8]) -> Option<u32> {
    number(value).filter(|seconds| (60..=86_400).contains(seconds))
}

/// The status of a message or of an option that has options, and the text with it.
pub(super) fn status(options: &Options<'_>) -> Result<(Status, Option<String>), DecodeError> {
    let Some(value) = layout::first(options, Code::STATUS) else {
        return Ok((Status::Success, None));
    };
    let (number, text) = value
        .split_first_chunk()
        .ok_or(DecodeError::OptionLength(Code::STATUS.0))?;
    let status = match u16::from_be_bytes(*number) {
        0 => Status::Success,
        2 => Status::NoAddresses,
        3 => Status::NoBinding,
        4 => Status::NotOnLink,
        other => Status::Other(other),
    };
    Ok((status, names::text(text)))
}

/// The IA_NA with this number, and the text of its status. Those of other numbers are none of ours.
pub(super) fn association(
    options: &Options<'_>,
    iaid: [u8; 4],
) -> Result<(Option<Association>, Option<String>), DecodeError> {
    for value in layout::all(options, Code::IA_NA) {
        let short = DecodeError::OptionLength(Code::IA_NA.0);
        let ([number, renewal, rebinding], area) = words(value).ok_or(short)?;
        if number.to_be_bytes() != iaid {
            continue;
        }
        let inner = layout::walk(area)?;
        let (status, text) = status(&inner)?;
        let mut association = Association {
            status,
            renewal_time: renewal,
            rebinding_time: rebinding,
            addresses: Vec::new(),
        };
        for value in layout::all(&inner, Code::IA_ADDRESS) {
            let Some(lent) = lent_address(value)? else {
                continue;
            };
            let known = |other: &LentAddress| other.address == lent.address;
            if association.addresses.len() < MOST_ADDRESSES
                && !association.addresses.iter().any(known)
            {
                association.addresses.push(lent);
            }
        }
        return Ok((Some(association), text));
    }
    Ok((None, None))
}

/// One address of an IA_NA; none when it must be ignored (RFC 8415 §18.2.10.1, §21.6).
fn lent_address(value: &[u8]) -> Result<Option<LentAddress>, DecodeError> {
    let short = || DecodeError::OptionLength(Code::IA_ADDRESS.0);
    let (address, rest) = value.split_first_chunk::<16>().ok_or_else(short)?;
    let ([preferred_time, valid_time], area) = words(rest).ok_or_else(short)?;
    let (status, _) = status(&layout::walk(area)?)?;
    let address = Ipv6Addr::from(*address);
    let lent = LentAddress {
        address,
        preferred_time,
        valid_time,
    };
    let sound = is_usable(address)
        && !address.is_unicast_link_local()
        // An IPv4 address in disguise (RFC 4291 §2.5.5.2), which the kernel would take.
        && address.to_ipv4_mapped().is_none()
        && preferred_time <= valid_time
        && status == Status::Success;
    Ok(sound.then_some(lent))
}

/// The first `N` numbers of 32 bits, and what follows.
fn words<const N: usize>(value: &[u8]) -> Option<([u32; N], &[u8])> {
    let (chunks, _) = value.as_chunks::<4>();
    let numbers: &[[u8; 4]; N] = chunks.first_chunk()?;
    let rest = value.get(4 * N..)?;
    Some((numbers.map(u32::from_be_bytes), rest))
}

/// A host name as option 39 has it (RFC 4704 §4.2): with the root's zero when it is complete, without for a single label.
pub(super) fn fqdn(hostname: &str) -> Option<Vec<u8>> {
    let name = names::domain(hostname)?;
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(u8::try_from(label.len()).ok()?);
        wire.extend(label.bytes());
    }
    if name.contains('.') {
        wire.push(0);
    }
    Some(wire)
}
