// SPDX-License-Identifier: Apache-2.0

//! Attributes (`struct nlattr`, `linux/netlink.h`), one inside the other.

use netlink_packet_core::NlasIterator;

/// The high bits of a kind, `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
const KIND_MASK: u16 = 0x3fff;
const NLA_F_NESTED: u16 = 0x8000;
const HEADER_LENGTH: usize = 4;

/// Attributes being written. No `Debug`: they may hold secrets.
#[derive(Default, Clone)]
pub(super) struct Attributes(Vec<u8>);

impl Attributes {
    pub(super) fn value(&mut self, kind: u16, value: &[u8]) {
        // Nothing that is written here comes near the limit: lists are cut into several messages.
        let length = u16::try_from(HEADER_LENGTH + value.len()).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0
            .resize(self.0.len().next_multiple_of(HEADER_LENGTH), 0);
    }

    pub(super) fn text(&mut self, kind: u16, text: &str) {
        let mut value = text.as_bytes().to_vec();
        value.push(0);
        self.value(kind, &value);
    }

    pub(super) fn nested(&mut self, kind: u16, inner: &Self) {
        self.value(kind | NLA_F_NESTED, &inner.0);
    }

    pub(super) fn length(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// One attribute that was read.
#[derive(Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) kind: u16,
    pub(super) value: &'a [u8],
}

/// The attributes in `bytes`, as far as they can be read.
pub(super) fn read(bytes: &[u8]) -> Vec<Attribute<'_>> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while let Some(attribute) = NlasIterator::new(rest).next().and_then(Result::ok) {
        let length = usize::from(attribute.length());
        let Some(value) = rest.get(HEADER_LENGTH..length) else {
            break;
        };
        found.push(Attribute {
            kind: attribute.kind() & KIND_MASK,
            value,
        });
        let next = length.next_multiple_of(HEADER_LENGTH);
        rest = rest.get(next..).unwrap_or_default();
    }
    found
}

pub(super) fn read_u8(value: &[u8]) -> Option<u8> {
    value.first().copied()
}

pub(super) fn read_u16(value: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes(value.get(..2)?.try_into().ok()?))
}

pub(super) fn read_u32(value: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(value.get(..4)?.try_into().ok()?))
}
