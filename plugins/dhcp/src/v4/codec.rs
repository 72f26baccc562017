// SPDX-License-Identifier: Apache-2.0

//! DHCPv4 packets to typed messages and back (RFC 2131 §2, RFC 2132).
//!
//! For DHCPv4 this is the only file that names `dhcproto`. That crate writes the client's packets. Replies are read by
//! `layout` and `options` instead: `dhcproto` 0.15 accepts any magic cookie, stops silently at a malformed option,
//! drops bad list items without a word, does not unfold overloaded fields, and its `chaddr()` panics on a packet whose
//! hardware length exceeds 16. Its decoder serves the tests as a second opinion.
//!
//! Two degrees of mistrust: a packet whose shape is wrong, or that lacks what every reply must carry, is refused whole
//! ([`DecodeError`]); an optional value that makes no sense is left out, and the rest is used.

mod layout;
mod options;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, Flags, HType, Message, MessageType, OptionCode};
use dhcproto::{Encodable, Encoder};
use thiserror::Error;

use crate::names::{self, Compression};
use crate::v4::message::{
    ClientMessage, ClientMessageKind, LinkAddress, ServerMessage, ServerMessageKind,
};

/// Packets are filled up to this length, which BOOTP relays and servers expect (RFC 1542 §2.1, RFC 951).
const SMALLEST_PACKET: usize = 300;
/// Hardware type of Ethernet (`htype`).
const HARDWARE_ETHERNET: u8 = 1;

/// What is asked for in option 55, in this order. Option 121 goes before 3 (RFC 3442).
const WANTED: [OptionCode; 10] = [
    OptionCode::SubnetMask,
    OptionCode::ClasslessStaticRoute,
    OptionCode::Router,
    OptionCode::DomainNameServer,
    OptionCode::DomainName,
    OptionCode::DomainSearch,
    OptionCode::InterfaceMtu,
    OptionCode::AddressLeaseTime,
    OptionCode::Renewal,
    OptionCode::Rebinding,
];

/// Who the client is: the same in every message of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Hardware address of the link (`chaddr`).
    pub hardware: LinkAddress,
    /// Client identifier (option 61); hardware type and address when none (RFC 2132 §9.14).
    pub client_id: Option<Vec<u8>>,
    /// Host name (option 12).
    pub hostname: Option<String>,
    /// Longest IP packet that the link takes, for option 57.
    pub mtu: u16,
}

/// Why a packet was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Shorter than the fixed header and the magic cookie.
    #[error("the packet is shorter than a DHCP header")]
    TooShort,
    /// No DHCP options follow the header.
    #[error("the packet has no DHCP magic cookie")]
    NoMagicCookie,
    /// A request of another client, not a reply.
    #[error("the packet is not a reply")]
    NotAReply,
    /// A hardware address longer than the field for it.
    #[error("the hardware address length {0} exceeds 16")]
    HardwareLength(u8),
    /// An answer to a question that was not asked, or asked long ago.
    #[error("the packet belongs to another transaction")]
    OtherTransaction,
    /// An answer to somebody else.
    #[error("the packet is for another hardware address")]
    OtherClient,
    /// An option that runs beyond the packet.
    #[error("option {0} runs beyond its area")]
    OptionLength(u8),
    /// Option 52 with a meaningless value or in a meaningless place.
    #[error("option 52 (overload) is malformed")]
    Overload,
    /// No message type, or not one that a server sends to a client.
    #[error("option 53 (message type) is missing or not a server's")]
    MessageType,
    /// No server identifier, or not the address of a host.
    #[error("option 54 (server identifier) is missing or unusable")]
    Server,
    /// An offered or granted address that no host can have.
    #[error("{0} is not an address that a host can have")]
    Address(Ipv4Addr),
}

/// Why a message could not be written.
#[derive(Debug, Error)]
#[error("cannot encode a DHCP message: {0}")]
pub struct EncodeError(String);

/// Reads a reply to the exchange `transaction` of the client with this hardware address.
///
/// # Errors
/// [`DecodeError`] when the packet is malformed or is not for us. Never panics, whatever the bytes.
pub fn decode(
    packet: &[u8],
    transaction: u32,
    hardware: LinkAddress,
) -> Result<ServerMessage, DecodeError> {
    let layout = layout::check(packet, transaction, &hardware.0)?;
    let value = |code: OptionCode| layout.options.get(&u8::from(code)).map(Vec::as_slice);

    let kind =
        match value(OptionCode::MessageType).map(|value| (value.len(), value.first().copied())) {
            Some((1, Some(2))) => ServerMessageKind::Offer,
            Some((1, Some(5))) => ServerMessageKind::Acknowledge,
            Some((1, Some(6))) => ServerMessageKind::Refuse,
            _ => return Err(DecodeError::MessageType),
        };
    let server = value(OptionCode::ServerIdentifier)
        .and_then(options::address)
        .filter(|server| options::is_usable(*server))
        .ok_or(DecodeError::Server)?;
    if kind != ServerMessageKind::Refuse && !options::is_usable(layout.your_address) {
        return Err(DecodeError::Address(layout.your_address));
    }

    let mut dns_search = value(OptionCode::DomainName)
        .and_then(options::domains_from_text)
        .unwrap_or_default();
    for domain in value(OptionCode::DomainSearch)
        .and_then(|value| names::domains_from_wire(value, Compression::Allowed))
        .unwrap_or_default()
    {
        if !dns_search.contains(&domain) {
            dns_search.push(domain);
        }
    }
    Ok(ServerMessage {
        kind,
        address: layout.your_address,
        server,
        prefix_length: value(OptionCode::SubnetMask).and_then(options::prefix_length),
        routers: value(OptionCode::Router)
            .and_then(options::addresses)
            .unwrap_or_default(),
        classless_routes: value(OptionCode::ClasslessStaticRoute)
            .and_then(options::classless_routes),
        dns_servers: value(OptionCode::DomainNameServer)
            .and_then(options::addresses)
            .unwrap_or_default(),
        dns_search,
        mtu: value(OptionCode::InterfaceMtu).and_then(options::mtu),
        lease_time: value(OptionCode::AddressLeaseTime).and_then(options::number),
        renewal_time: value(OptionCode::Renewal).and_then(options::number),
        rebinding_time: value(OptionCode::Rebinding).and_then(options::number),
        text: value(OptionCode::Message).and_then(names::text),
        rapid_commit: value(OptionCode::RapidCommit).is_some_and(<[u8]>::is_empty),
        // dhcproto calls option 106 "IPv6-only preferred"; the number of RFC 8925 is 108.
        ipv6_only_wait: layout
            .options
            .get(&108)
            .map(Vec::as_slice)
            .and_then(options::number),
    })
}

/// Writes a message of the client as the payload of a UDP datagram, at least 300 bytes long.
///
/// A host name or client identifier that no option can carry (empty, or longer than 255 bytes) is left out.
///
/// # Errors
/// [`EncodeError`] when `dhcproto` refuses; no message of this client is known to cause it.
pub fn encode(message: &ClientMessage, identity: &Identity) -> Result<Vec<u8>, EncodeError> {
    let nowhere = Ipv4Addr::UNSPECIFIED;
    let mut packet = Message::new_with_id(
        message.transaction,
        message.client_address,
        nowhere,
        nowhere,
        nowhere,
        &identity.hardware.0,
    );
    packet
        .set_htype(HType::Eth)
        .set_secs(message.seconds)
        .set_flags(Flags::default());

    let options = packet.opts_mut();
    options.insert(DhcpOption::MessageType(match message.kind {
        ClientMessageKind::Discover => MessageType::Discover,
        ClientMessageKind::Request => MessageType::Request,
        ClientMessageKind::Decline => MessageType::Decline,
        ClientMessageKind::Release => MessageType::Release,
    }));
    options.insert(DhcpOption::ClientIdentifier(client_id(identity)));
    if let Some(address) = message.requested_address {
        options.insert(DhcpOption::RequestedIpAddress(address));
    }
    if let Some(server) = message.server {
        options.insert(DhcpOption::ServerIdentifier(server));
    }
    // Only questions carry wishes (RFC 2131 §4.4.1, table 5).
    if matches!(
        message.kind,
        ClientMessageKind::Discover | ClientMessageKind::Request
    ) {
        options.insert(DhcpOption::ParameterRequestList(WANTED.to_vec()));
        // Every host must take 576 bytes; larger than Ethernet's MTU is of no use to a server.
        options.insert(DhcpOption::MaxMessageSize(identity.mtu.clamp(576, 1500)));
        if let Some(hostname) = &identity.hostname
            && (1..=255).contains(&hostname.len())
        {
            options.insert(DhcpOption::Hostname(hostname.clone()));
        }
    }

    let mut bytes = Vec::with_capacity(SMALLEST_PACKET);
    packet
        .encode(&mut Encoder::new(&mut bytes))
        .map_err(|error| EncodeError(error.to_string()))?;
    // Zero is the pad option, also after the end mark.
    bytes.resize(bytes.len().max(SMALLEST_PACKET), 0);
    Ok(bytes)
}

/// Value of option 61: at least two bytes (RFC 2132 §9.14), at most what one option holds.
fn client_id(identity: &Identity) -> Vec<u8> {
    match &identity.client_id {
        Some(bytes) if (2..=255).contains(&bytes.len()) => bytes.clone(),
        _ => [HARDWARE_ETHERNET]
            .into_iter()
            .chain(identity.hardware.0)
            .collect(),
    }
}
