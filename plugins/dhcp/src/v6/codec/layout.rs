// SPDX-License-Identifier: Apache-2.0

//! The shape of a list of options (RFC 8415 §21.1), in a packet or in an option around it.

use super::DecodeError;

/// Number of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u16);

impl Code {
    pub(super) const CLIENT_ID: Code = Code(1);
    pub(super) const SERVER_ID: Code = Code(2);
    pub(super) const IA_NA: Code = Code(3);
    pub(super) const IA_ADDRESS: Code = Code(5);
    pub(super) const PREFERENCE: Code = Code(7);
    pub(super) const STATUS: Code = Code(13);
    pub(super) const RAPID_COMMIT: Code = Code(14);
    pub(super) const DNS_SERVERS: Code = Code(23);
    pub(super) const DOMAIN_LIST: Code = Code(24);
    pub(super) const REFRESH_TIME: Code = Code(32);
    pub(super) const SOL_MAX_RT: Code = Code(82);
    pub(super) const INF_MAX_RT: Code = Code(83);
}

/// Options in their order, with their values.
pub(super) type Options<'a> = Vec<(Code, &'a [u8])>;

/// Walks one area of options to its end: either all of it has a sound shape, or it is refused.
pub(super) fn walk(area: &[u8]) -> Result<Options<'_>, DecodeError> {
    let mut options = Vec::new();
    let mut rest = area;
    while let Some((code, after)) = rest.split_first_chunk() {
        let code = u16::from_be_bytes(*code);
        let beyond = || DecodeError::OptionLength(code);
        let (length, after) = after.split_first_chunk().ok_or_else(beyond)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (value, after) = after.split_at_checked(length).ok_or_else(beyond)?;
        options.push((Code(code), value));
        rest = after;
    }
    match rest {
        [] => Ok(options),
        // Half a code.
        _ => Err(DecodeError::OptionLength(0)),
    }
}

/// The first option of this number: those of which there must be one are not to be repeated (RFC 8415 §21).
pub(super) fn first<'a>(options: &Options<'a>, code: Code) -> Option<&'a [u8]> {
    all(options, code).next()
}

/// All options of this number.
pub(super) fn all<'a>(options: &Options<'a>, code: Code) -> impl Iterator<Item = &'a [u8]> {
    options
        .iter()
        .filter(move |(other, _)| *other == code)
        .map(|(_, value)| *value)
}
