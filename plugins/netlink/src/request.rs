// SPDX-License-Identifier: Apache-2.0

//! Requests that change something: a message plus the `NLM_F_*` flags that say what to do when the object
//! exists already.

use netlink_packet_core::NetlinkSerializable;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;

use crate::wire::{HEADER_LENGTH, align};

/// One change, to be executed by [`crate::ApplySocket`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetlinkRequest {
    body: Body,
    flags: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    Typed(Box<RouteNetlinkMessage>),
    Raw { message_type: u16, payload: Vec<u8> },
}

impl NetlinkRequest {
    /// Any message with any flags (`NLM_F_*`, `linux/netlink.h`); `NLM_F_REQUEST` and `NLM_F_ACK` are added.
    #[must_use]
    pub fn new(message: RouteNetlinkMessage, flags: u16) -> Self {
        Self {
            body: Body::Typed(Box::new(message)),
            flags,
        }
    }

    /// A message the library has no type for: `message_type` is an `RTM_*` number (`linux/rtnetlink.h`),
    /// `payload` is what follows the netlink header.
    #[must_use]
    pub fn raw(message_type: u16, flags: u16, payload: Vec<u8>) -> Self {
        Self {
            body: Body::Raw {
                message_type,
                payload,
            },
            flags,
        }
    }

    /// Creates a link; fails with `EEXIST` if the name is taken.
    #[must_use]
    pub fn create_link(message: LinkMessage) -> Self {
        Self::new(
            RouteNetlinkMessage::NewLink(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Changes an existing link, its kind's options included (`RTM_NEWLINK` without `NLM_F_CREATE`). The link
    /// is named by index, or by `IFLA_IFNAME` when the index is 0.
    #[must_use]
    pub fn change_link(message: LinkMessage) -> Self {
        Self::new(RouteNetlinkMessage::NewLink(message), 0)
    }

    /// Changes what is no option of the link's kind (`RTM_SETLINK`): with family `AF_BRIDGE` also the VLANs of
    /// bridges and ports.
    #[must_use]
    pub fn set_link(message: LinkMessage) -> Self {
        Self::new(RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Deletes the link with this index; with index 0 the one named by `IFLA_IFNAME`, or the group in
    /// `IFLA_GROUP`. With family `AF_BRIDGE`: removes VLANs.
    #[must_use]
    pub fn delete_link(message: LinkMessage) -> Self {
        Self::new(RouteNetlinkMessage::DelLink(message), 0)
    }

    /// Adds alternative names (`IFLA_PROP_LIST`) to a link.
    #[must_use]
    pub fn add_alternative_names(message: LinkMessage) -> Self {
        Self::new(
            RouteNetlinkMessage::NewLinkProp(message),
            NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND,
        )
    }

    /// Removes alternative names (`IFLA_PROP_LIST`) from a link.
    #[must_use]
    pub fn delete_alternative_names(message: LinkMessage) -> Self {
        Self::new(RouteNetlinkMessage::DelLinkProp(message), 0)
    }

    /// Adds an address; fails with `EEXIST` if the link has it.
    #[must_use]
    pub fn add_address(message: AddressMessage) -> Self {
        Self::new(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Adds an address, or gives the existing one new lifetimes and flags.
    #[must_use]
    pub fn replace_address(message: AddressMessage) -> Self {
        Self::new(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    /// Deletes an address.
    #[must_use]
    pub fn delete_address(message: AddressMessage) -> Self {
        Self::new(RouteNetlinkMessage::DelAddress(message), 0)
    }

    /// Adds a route; fails with `EEXIST` if one with the same destination, metric and table exists.
    #[must_use]
    pub fn add_route(message: RouteMessage) -> Self {
        Self::new(
            RouteNetlinkMessage::NewRoute(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Adds a route in place of the one with the same destination, metric and table.
    #[must_use]
    pub fn replace_route(message: RouteMessage) -> Self {
        Self::new(
            RouteNetlinkMessage::NewRoute(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
    }

    /// Adds a route behind those with the same destination (IPv4), or as one more path (IPv6).
    #[must_use]
    pub fn append_route(message: RouteMessage) -> Self {
        Self::new(
            RouteNetlinkMessage::NewRoute(message),
            NLM_F_CREATE | NLM_F_APPEND,
        )
    }

    /// Deletes the first route that matches all given attributes.
    #[must_use]
    pub fn delete_route(message: RouteMessage) -> Self {
        Self::new(RouteNetlinkMessage::DelRoute(message), 0)
    }

    /// Adds a rule behind those of the same priority, also when there is one like it: with `NLM_F_EXCL` the kernel
    /// would take one with more selectors for the same (`rule_exists`, net/core/fib_rules.c).
    #[must_use]
    pub fn add_rule(message: RuleMessage) -> Self {
        Self::new(RouteNetlinkMessage::NewRule(message), NLM_F_CREATE)
    }

    /// Deletes the first rule that has all that the message says.
    #[must_use]
    pub fn delete_rule(message: RuleMessage) -> Self {
        Self::new(RouteNetlinkMessage::DelRule(message), 0)
    }

    /// The typed message, `None` for raw requests.
    #[must_use]
    pub fn message(&self) -> Option<&RouteNetlinkMessage> {
        match &self.body {
            Body::Typed(message) => Some(message),
            Body::Raw { .. } => None,
        }
    }

    /// Room in bytes that the request takes in a batch.
    pub(crate) fn encoded_length(&self) -> usize {
        align(HEADER_LENGTH + self.payload_length())
    }

    fn payload_length(&self) -> usize {
        match &self.body {
            Body::Typed(message) => message.buffer_len(),
            Body::Raw { payload, .. } => payload.len(),
        }
    }

    /// Appends the request to a batch, asking for an ack.
    pub(crate) fn encode(&self, sequence: u32, batch: &mut Vec<u8>) {
        self.encode_with(NLM_F_REQUEST | NLM_F_ACK, sequence, batch);
    }

    /// Appends the request to a batch with `NLM_F_REQUEST` only: the answer is the data itself.
    pub(crate) fn encode_question(&self, sequence: u32, batch: &mut Vec<u8>) {
        self.encode_with(NLM_F_REQUEST, sequence, batch);
    }

    fn encode_with(&self, flags: u16, sequence: u32, batch: &mut Vec<u8>) {
        let message_type = match &self.body {
            Body::Typed(message) => message.message_type(),
            Body::Raw { message_type, .. } => *message_type,
        };
        let payload_length = self.payload_length();
        let length = HEADER_LENGTH + payload_length;
        // A request beyond 4 GiB cannot exist: the socket refuses whatever exceeds its send buffer.
        let length_field = u32::try_from(length).unwrap_or(u32::MAX);
        batch.extend_from_slice(&length_field.to_ne_bytes());
        batch.extend_from_slice(&message_type.to_ne_bytes());
        batch.extend_from_slice(&(self.flags | flags).to_ne_bytes());
        batch.extend_from_slice(&sequence.to_ne_bytes());
        batch.extend_from_slice(&0u32.to_ne_bytes());
        let start = batch.len();
        batch.resize(start + payload_length, 0);
        match &self.body {
            Body::Typed(message) => message.serialize(&mut batch[start..]),
            Body::Raw { payload, .. } => batch[start..].copy_from_slice(payload),
        }
        batch.resize(start + align(payload_length), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages;

    #[test]
    fn batches_are_aligned_and_numbered() {
        let requests = [
            NetlinkRequest::raw(104, NLM_F_CREATE, vec![1, 2, 3, 4, 5]),
            NetlinkRequest::create_link(LinkMessage::default()),
        ];
        let mut batch = Vec::new();
        for (sequence, request) in (41..).zip(&requests) {
            let before = batch.len();
            request.encode(sequence, &mut batch);
            assert_eq!(batch.len() - before, request.encoded_length());
        }
        let read: Vec<_> = messages(&batch).collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].message_type, read[0].sequence), (104, 41));
        assert_eq!(read[0].flags, NLM_F_CREATE | NLM_F_REQUEST | NLM_F_ACK);
        assert_eq!(read[0].payload, [1, 2, 3, 4, 5]);
        assert_eq!((read[1].message_type, read[1].sequence), (16, 42));
    }
}
