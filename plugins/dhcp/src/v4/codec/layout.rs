// SPDX-License-Identifier: Apache-2.0

//! The outer shape of a DHCP packet, checked before anything is believed.
//!
//! The packet is walked by hand because a parser that stops silently at a malformed option would drop whatever follows
//! it. Here a packet either has a sound shape to its last byte, or it is refused.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::DecodeError;

/// Fixed fields before the magic cookie (RFC 2131 §2, figure 1).
const HEADER_LENGTH: usize = 236;
/// The magic cookie that starts the options (RFC 2131 §3).
const MAGIC_COOKIE: [u8; 4] = [99, 130, 83, 99];
/// `op` of a message from a server.
const BOOT_REPLY: u8 = 2;
/// Room for a hardware address in the header.
const HARDWARE_ROOM: u8 = 16;

const OPTION_PAD: u8 = 0;
const OPTION_OVERLOAD: u8 = 52;
const OPTION_END: u8 = 255;

/// The options of a packet by code: overloaded fields unfolded (RFC 2131 §4.1), split options joined (RFC 3396).
pub(super) type Options = BTreeMap<u8, Vec<u8>>;

/// A packet whose shape is sound.
#[derive(Debug)]
pub(super) struct Layout {
    /// `yiaddr`.
    pub(super) your_address: Ipv4Addr,
    /// All options.
    pub(super) options: Options,
}

/// Checks header and options of a reply to the exchange `transaction` of the client with this hardware address.
pub(super) fn check(
    packet: &[u8],
    transaction: u32,
    hardware: &[u8],
) -> Result<Layout, DecodeError> {
    let (header, rest) = packet
        .split_at_checked(HEADER_LENGTH)
        .ok_or(DecodeError::TooShort)?;
    let (cookie, options_area) = rest
        .split_at_checked(MAGIC_COOKIE.len())
        .ok_or(DecodeError::TooShort)?;
    if cookie != MAGIC_COOKIE {
        return Err(DecodeError::NoMagicCookie);
    }
    let byte = |at: usize| header.get(at).copied().unwrap_or(0);
    if byte(0) != BOOT_REPLY {
        return Err(DecodeError::NotAReply);
    }
    // Slicing by a longer `hlen` is what makes careless parsers read out of bounds.
    let hardware_length = byte(2);
    if hardware_length > HARDWARE_ROOM {
        return Err(DecodeError::HardwareLength(hardware_length));
    }
    if header.get(4..8) != Some(transaction.to_be_bytes().as_slice()) {
        return Err(DecodeError::OtherTransaction);
    }
    if header.get(28..28 + usize::from(hardware_length)) != Some(hardware) {
        return Err(DecodeError::OtherClient);
    }
    let your_address = Ipv4Addr::new(byte(16), byte(17), byte(18), byte(19));

    let mut options = Options::new();
    walk(options_area, &mut options, true)?;
    let overload = match options.get(&OPTION_OVERLOAD).map(Vec::as_slice) {
        None => 0,
        Some([value @ 1..=3]) => *value,
        Some(_) => return Err(DecodeError::Overload),
    };
    // The order is that of RFC 2131 §4.1: options, then `file`, then `sname`.
    if overload & 1 != 0 {
        walk(
            header.get(108..236).unwrap_or_default(),
            &mut options,
            false,
        )?;
    }
    if overload & 2 != 0 {
        walk(header.get(44..108).unwrap_or_default(), &mut options, false)?;
    }
    Ok(Layout {
        your_address,
        options,
    })
}

/// Walks one area of options up to its end mark. Pieces of an option that came in several are appended.
fn walk(area: &[u8], options: &mut Options, may_overload: bool) -> Result<(), DecodeError> {
    let mut rest = area;
    loop {
        match rest {
            // Some servers leave out the end mark; nothing is lost by that when the last option ends where the packet does.
            [] | [OPTION_END, ..] => return Ok(()),
            [OPTION_PAD, after @ ..] => rest = after,
            [code] => return Err(DecodeError::OptionLength(*code)),
            [code, length, after @ ..] => {
                let (value, after) = after
                    .split_at_checked(usize::from(*length))
                    .ok_or(DecodeError::OptionLength(*code))?;
                if *code == OPTION_OVERLOAD && !may_overload {
                    // An overload inside an overloaded field could send us round in circles.
                    return Err(DecodeError::Overload);
                }
                options.entry(*code).or_default().extend_from_slice(value);
                rest = after;
            }
        }
    }
}
