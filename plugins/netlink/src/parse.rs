// SPDX-License-Identifier: Apache-2.0

//! Lenient parsing: an attribute that the library cannot read is kept as raw bytes instead of costing the
//! whole message, and a message that cannot be read at all is skipped, never fatal.
//!
//! The strict parser of the library runs first, so the lenient path costs nothing as long as all is well.

use netlink_packet_core::{
    DecodeError, DefaultNla, NlaBuffer, NlasIterator, Parseable, ParseableParametrized,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressHeader, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkHeader, LinkMessage};
use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteLwEnCapType, RouteMessage};

/// `RTM_NEWLINK` and its siblings, `linux/rtnetlink.h`.
pub(crate) mod message_type {
    pub(crate) const NEW_LINK: u16 = 16;
    pub(crate) const DELETE_LINK: u16 = 17;
    pub(crate) const NEW_ADDRESS: u16 = 20;
    pub(crate) const DELETE_ADDRESS: u16 = 21;
    pub(crate) const NEW_ROUTE: u16 = 24;
    pub(crate) const DELETE_ROUTE: u16 = 25;
}

/// `sizeof(struct ifinfomsg)`, `sizeof(struct ifaddrmsg)`, `sizeof(struct rtmsg)`.
const LINK_HEADER_LENGTH: usize = 16;
const ADDRESS_HEADER_LENGTH: usize = 8;
const ROUTE_HEADER_LENGTH: usize = 12;

/// Parses any message; `None` when not even its fixed header can be read, or its type is unknown.
pub(crate) fn parse_message(kind: u16, payload: &[u8]) -> Option<RouteNetlinkMessage> {
    // NLMSG_DONE and its like end or acknowledge something; they carry nothing to parse.
    if kind < message_type::NEW_LINK {
        return None;
    }
    match RouteNetlinkMessage::parse_with_param(payload, kind) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::debug!(kind, %error, "netlink message does not parse");
            match kind {
                message_type::NEW_LINK => degraded_link(payload).map(RouteNetlinkMessage::NewLink),
                message_type::DELETE_LINK => {
                    degraded_link(payload).map(RouteNetlinkMessage::DelLink)
                }
                message_type::NEW_ADDRESS => {
                    degraded_address(payload).map(RouteNetlinkMessage::NewAddress)
                }
                message_type::DELETE_ADDRESS => {
                    degraded_address(payload).map(RouteNetlinkMessage::DelAddress)
                }
                message_type::NEW_ROUTE => {
                    degraded_route(payload).map(RouteNetlinkMessage::NewRoute)
                }
                message_type::DELETE_ROUTE => {
                    degraded_route(payload).map(RouteNetlinkMessage::DelRoute)
                }
                _ => None,
            }
        }
    }
}

fn degraded_link(payload: &[u8]) -> Option<LinkMessage> {
    let mut message = LinkMessage::default();
    message.header = readable(LinkHeader::parse(payload))?;
    let family = message.header.interface_family;
    message.attributes = attributes(
        payload.get(LINK_HEADER_LENGTH..)?,
        |raw| LinkAttribute::parse_with_param(raw, family),
        LinkAttribute::Other,
    );
    Some(message)
}

fn degraded_address(payload: &[u8]) -> Option<AddressMessage> {
    let mut message = AddressMessage::default();
    message.header = readable(AddressHeader::parse(payload))?;
    message.attributes = attributes(
        payload.get(ADDRESS_HEADER_LENGTH..)?,
        |raw| AddressAttribute::parse(raw),
        AddressAttribute::Other,
    );
    Some(message)
}

fn degraded_route(payload: &[u8]) -> Option<RouteMessage> {
    let mut message = RouteMessage::default();
    message.header = readable(RouteHeader::parse(payload))?;
    // The encapsulation's own attributes depend on a type that is another attribute; without it they are kept
    // as raw bytes, which is all that a route we do not understand needs.
    let context = (
        message.header.address_family,
        message.header.kind,
        RouteLwEnCapType::None,
    );
    message.attributes = attributes(
        payload.get(ROUTE_HEADER_LENGTH..)?,
        |raw| RouteAttribute::parse_with_param(raw, context),
        RouteAttribute::Other,
    );
    Some(message)
}

fn readable<T>(parsed: Result<T, DecodeError>) -> Option<T> {
    parsed
        .inspect_err(|error| tracing::debug!(%error, "netlink message skipped"))
        .ok()
}

fn attributes<T>(
    bytes: &[u8],
    parse: impl Fn(&NlaBuffer<&[u8]>) -> Result<T, DecodeError>,
    raw: impl Fn(DefaultNla) -> T,
) -> Vec<T> {
    NlasIterator::new(bytes)
        .flatten()
        .map(|attribute| match parse(&attribute) {
            Ok(parsed) => parsed,
            Err(error) => {
                tracing::debug!(kind = attribute.kind(), %error, "netlink attribute kept raw");
                raw(DefaultNla::new(
                    attribute.kind(),
                    attribute.value().to_vec(),
                ))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An `RTM_NEWLINK` payload: interface 7, a one-byte MTU (malformed), a name, an attribute of the future.
    fn strange_link() -> Vec<u8> {
        let mut bytes = vec![0; LINK_HEADER_LENGTH];
        bytes[4..8].copy_from_slice(&7u32.to_ne_bytes());
        for (kind, value) in [(4u16, &[1u8][..]), (3, b"eth7\0"), (900, &[1, 2, 3, 4])] {
            bytes.extend_from_slice(&u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            bytes.extend_from_slice(&kind.to_ne_bytes());
            bytes.extend_from_slice(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn link_with_malformed_attribute_keeps_the_rest() {
        let payload = strange_link();
        assert!(LinkMessage::parse(&payload).is_err());
        let Some(RouteNetlinkMessage::NewLink(link)) =
            parse_message(message_type::NEW_LINK, &payload)
        else {
            panic!("the link was dropped");
        };
        assert_eq!(link.header.index, 7);
        assert_eq!(
            link.attributes[0],
            LinkAttribute::Other(DefaultNla::new(4, vec![1]))
        );
        assert_eq!(link.attributes[1], LinkAttribute::IfName("eth7".to_owned()));
        assert_eq!(
            link.attributes[2],
            LinkAttribute::Other(DefaultNla::new(900, vec![1, 2, 3, 4]))
        );
    }

    #[test]
    fn hopeless_messages_are_skipped() {
        assert!(parse_message(message_type::NEW_LINK, &[0; 3]).is_none());
        assert!(parse_message(message_type::NEW_ADDRESS, &[]).is_none());
        assert!(parse_message(message_type::NEW_ROUTE, &[2; 5]).is_none());
        assert!(parse_message(9999, &[0; 32]).is_none());
    }

    #[test]
    fn truncated_attributes_keep_the_ones_before() {
        let mut payload = strange_link();
        payload.truncate(payload.len() - 3);
        assert!(matches!(
            parse_message(message_type::DELETE_LINK, &payload),
            Some(RouteNetlinkMessage::DelLink(link)) if link.attributes.len() == 2
        ));
    }
}
