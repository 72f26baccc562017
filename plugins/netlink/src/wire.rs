// SPDX-License-Identifier: Apache-2.0

//! Reads a datagram from the kernel as netlink messages, and acks with their extended texts
//! (`struct nlmsghdr`, `struct nlmsgerr` and `NLMSGERR_ATTR_*` in `linux/netlink.h`).

use netlink_packet_core::NlasIterator;

use crate::error::KernelError;

/// `sizeof(struct nlmsghdr)`.
pub(crate) const HEADER_LENGTH: usize = 16;
/// `NLMSG_ERROR`: an ack, or a refusal when its code is not zero.
pub(crate) const NLMSG_ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump.
pub(crate) const NLMSG_DONE: u16 = 3;

const NLM_F_CAPPED: u16 = netlink_packet_core::NLM_F_CAPPED;
const NLM_F_ACK_TLVS: u16 = netlink_packet_core::NLM_F_ACK_TLVS;
const NLMSGERR_ATTR_MSG: u16 = 1;
const NLMSGERR_ATTR_OFFS: u16 = 2;
const NLMSGERR_ATTR_MISS_TYPE: u16 = 5;

/// One message, its payload not yet interpreted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawMessage<'a> {
    /// `nlmsg_type`
    pub(crate) message_type: u16,
    /// `nlmsg_flags`
    pub(crate) flags: u16,
    /// `nlmsg_seq`
    pub(crate) sequence: u32,
    /// What follows the header.
    pub(crate) payload: &'a [u8],
}

/// Walks over the messages of one datagram; ends early where a length makes no sense.
pub(crate) struct RawMessages<'a> {
    rest: &'a [u8],
}

/// Iterates over the messages of `datagram`.
pub(crate) fn messages(datagram: &[u8]) -> RawMessages<'_> {
    RawMessages { rest: datagram }
}

impl<'a> Iterator for RawMessages<'a> {
    type Item = RawMessage<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let length = read_u32(self.rest, 0)? as usize;
        let message = self.rest.get(..length)?;
        let item = RawMessage {
            message_type: read_u16(message, 4)?,
            flags: read_u16(message, 6)?,
            sequence: read_u32(message, 8)?,
            payload: message.get(HEADER_LENGTH..)?,
        };
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(item)
    }
}

/// The kernel's verdict in an `NLMSG_ERROR` or `NLMSG_DONE` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Refusal, or `None` for success.
    pub(crate) error: Option<KernelError>,
    /// Text on success: a warning.
    pub(crate) warning: Option<String>,
}

impl RawMessage<'_> {
    /// Reads code and extended ack; `None` when the message is too short to hold a code.
    ///
    /// A `NLMSG_DONE` without code, as some families send, is a success.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        let code = match read_u32(self.payload, 0) {
            Some(code) => code.cast_signed(),
            None if self.message_type == NLMSG_DONE => 0,
            None => return None,
        };
        let mut detail = KernelError::from_errno(code.saturating_neg());
        if self.flags & NLM_F_ACK_TLVS != 0 {
            let attributes = self.payload.get(self.extended_ack_offset()..);
            read_extended_ack(attributes.unwrap_or_default(), &mut detail);
        }
        Some(if code < 0 {
            Verdict {
                error: Some(detail),
                warning: None,
            }
        } else {
            Verdict {
                error: None,
                warning: detail.text,
            }
        })
    }

    /// Offset of the extended ack in the payload: behind the code, and for `NLMSG_ERROR` behind the header of
    /// the refused request, and the rest of that request unless the ack is capped.
    fn extended_ack_offset(&self) -> usize {
        if self.message_type == NLMSG_DONE {
            return 4;
        }
        if self.flags & NLM_F_CAPPED != 0 {
            return 4 + HEADER_LENGTH;
        }
        let request_length = read_u32(self.payload, 4).unwrap_or(0) as usize;
        4 + align(request_length.max(HEADER_LENGTH))
    }
}

fn read_extended_ack(attributes: &[u8], detail: &mut KernelError) {
    for attribute in NlasIterator::new(attributes).flatten() {
        let value = attribute.value();
        match attribute.kind() {
            NLMSGERR_ATTR_MSG => {
                let text = String::from_utf8_lossy(value);
                detail.text = Some(text.trim_end_matches('\0').to_owned());
            }
            NLMSGERR_ATTR_OFFS => detail.attribute_offset = read_u32(value, 0),
            NLMSGERR_ATTR_MISS_TYPE => detail.missing_attribute = read_u32(value, 0),
            _ => {}
        }
    }
}

/// `NLMSG_ALIGN`: messages start at multiples of four bytes.
pub(crate) fn align(length: usize) -> usize {
    length.saturating_add(3) & !3
}

fn read_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..offset.checked_add(2)?)?;
    Some(u16::from_ne_bytes(field.try_into().ok()?))
}

fn read_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_ne_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests;
