// SPDX-License-Identifier: Apache-2.0

//! DHCPv6 packets to typed messages and back (RFC 8415 §8, §21).
//!
//! For DHCPv6 this is the only file that names `dhcproto`. That crate writes the client's packets. Replies are read by
//! `layout` and `options` instead: `dhcproto` 0.15 stops silently at a malformed option, subtracts without a check from
//! the lengths of status codes and vendor options (a panic, or bytes of the next option), reads options of a fixed size
//! whatever their length says, and knows neither SOL_MAX_RT nor the information refresh time. Its decoder serves the
//! tests as a second opinion.
//!
//! Two degrees of mistrust: a packet whose shape is wrong, or that lacks what every reply must carry, is refused whole
//! ([`DecodeError`]); an optional value that makes no sense is left out, and the rest is used.

mod layout;
mod options;
#[cfg(test)]
mod tests;

use dhcproto::v6::{
    DhcpOption, DhcpOptions, IAAddr, IANA, Message, MessageType, ORO, OptionCode, UnknownOption,
};
use dhcproto::{Encodable, Encoder};
use thiserror::Error;

use crate::names::{self, Compression};
use crate::v6::message::{
    ClientMessage, ClientMessageKind, ServerDuid, ServerMessage, ServerMessageKind,
};

use layout::Code;

/// Flag "the server should update the AAAA record" (S) of the client FQDN option (RFC 4704 §4.1).
const FQDN_SERVER_UPDATES: u8 = 1;

/// Who the client is: the same in every message of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Client identifier (option 1).
    pub duid: Vec<u8>,
    /// Number of the link's IA_NA.
    pub iaid: [u8; 4],
    /// Host name (option 39), sent when it is a domain name.
    pub hostname: Option<String>,
}

/// Why a packet was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Shorter than the fixed header.
    #[error("the packet is shorter than a DHCPv6 header")]
    TooShort,
    /// Neither Advertise nor Reply.
    #[error("message type {0} is not a server's answer")]
    MessageType(u8),
    /// An answer to a question that was not asked, or asked long ago.
    #[error("the packet belongs to another transaction")]
    OtherTransaction,
    /// An option that runs beyond the packet or the option around it, or is too short for its fixed part.
    #[error("option {0} does not fit what is around it")]
    OptionLength(u16),
    /// An answer to somebody else.
    #[error("option 1 (client identifier) is missing or another client's")]
    OtherClient,
    /// No server identifier, or not one of 3 to 130 bytes.
    #[error("option 2 (server identifier) is missing or unusable")]
    Server,
}

/// Why a message could not be written.
#[derive(Debug, Error)]
#[error("cannot encode a DHCPv6 message: {0}")]
pub struct EncodeError(String);

/// Reads an answer in the exchange `transaction` of this client (RFC 8415 §16.3, §16.10).
///
/// # Errors
/// [`DecodeError`] when the packet is malformed or is not for us. Never panics, whatever the bytes.
pub fn decode(
    packet: &[u8],
    transaction: u32,
    identity: &Identity,
) -> Result<ServerMessage, DecodeError> {
    let (header, area) = packet.split_first_chunk().ok_or(DecodeError::TooShort)?;
    let [kind, high, middle, low] = *header;
    let kind = match kind {
        2 => ServerMessageKind::Advertise,
        7 => ServerMessageKind::Reply,
        other => return Err(DecodeError::MessageType(other)),
    };
    if u32::from_be_bytes([0, high, middle, low]) != transaction {
        return Err(DecodeError::OtherTransaction);
    }
    let options = layout::walk(area)?;
    let value = |code: Code| layout::first(&options, code);

    if value(Code::CLIENT_ID) != Some(&identity.duid) {
        return Err(DecodeError::OtherClient);
    }
    let server = value(Code::SERVER_ID)
        .filter(|server| (3..=130).contains(&server.len()))
        .ok_or(DecodeError::Server)?;
    let (association, association_text) = options::association(&options, identity.iaid)?;
    let (status, text) = options::status(&options)?;
    Ok(ServerMessage {
        kind,
        server: ServerDuid(server.to_vec()),
        status,
        text: text.or(association_text),
        preference: match value(Code::PREFERENCE) {
            Some(&[preference]) => preference,
            _ => 0,
        },
        rapid_commit: value(Code::RAPID_COMMIT).is_some_and(<[u8]>::is_empty),
        association,
        dns_servers: value(Code::DNS_SERVERS)
            .and_then(options::addresses)
            .unwrap_or_default(),
        dns_search: value(Code::DOMAIN_LIST)
            .and_then(|value| names::domains_from_wire(value, Compression::Refused))
            .unwrap_or_default(),
        refresh_time: value(Code::REFRESH_TIME).and_then(options::number),
        solicit_limit: value(Code::SOL_MAX_RT).and_then(options::limit),
        information_limit: value(Code::INF_MAX_RT).and_then(options::limit),
    })
}

/// Writes a message of the client as the payload of a UDP datagram.
///
/// # Errors
/// [`EncodeError`] when `dhcproto` refuses; no message of this client is known to cause it.
pub fn encode(message: &ClientMessage, identity: &Identity) -> Result<Vec<u8>, EncodeError> {
    use ClientMessageKind as Kind;
    let kind = match message.kind {
        Kind::Solicit => MessageType::Solicit,
        Kind::Request => MessageType::Request,
        Kind::Renew => MessageType::Renew,
        Kind::Rebind => MessageType::Rebind,
        Kind::Release => MessageType::Release,
        Kind::Decline => MessageType::Decline,
        Kind::InformationRequest => MessageType::InformationRequest,
    };
    let [_, transaction @ ..] = message.transaction.to_be_bytes();
    let mut packet = Message::new_with_id(kind, transaction);

    let options = packet.opts_mut();
    options.insert(DhcpOption::ClientId(identity.duid.clone()));
    if let Some(ServerDuid(server)) = &message.server {
        options.insert(DhcpOption::ServerId(server.clone()));
    }
    options.insert(DhcpOption::ElapsedTime(message.elapsed));
    if message.kind != Kind::InformationRequest {
        options.insert(DhcpOption::IANA(association(message, identity)));
    }
    if message.kind == Kind::Solicit {
        options.insert(DhcpOption::RapidCommit);
    }
    let is_question = !matches!(message.kind, Kind::Release | Kind::Decline);
    // Only questions carry wishes (RFC 8415 §21.7).
    if is_question {
        options.insert(DhcpOption::ORO(ORO {
            opts: wanted(message.kind),
        }));
    }
    // Where an address is bound to a name (RFC 4704 §5).
    if is_question
        && message.kind != Kind::InformationRequest
        && let Some(name) = identity.hostname.as_deref().and_then(options::fqdn)
    {
        let value = [&[FQDN_SERVER_UPDATES][..], &name].concat();
        let option = UnknownOption::new(OptionCode::ClientFqdn, value);
        options.insert(DhcpOption::Unknown(option));
    }

    let mut bytes = Vec::with_capacity(256);
    packet
        .encode(&mut Encoder::new(&mut bytes))
        .map_err(|error| EncodeError(error.to_string()))?;
    Ok(bytes)
}

/// The IA_NA: T1, T2 and lifetimes are the server's business (RFC 8415 §18.2.1).
fn association(message: &ClientMessage, identity: &Identity) -> IANA {
    let addresses = message.addresses.iter().map(|address| {
        DhcpOption::IAAddr(IAAddr {
            addr: *address,
            preferred_life: 0,
            valid_life: 0,
            opts: DhcpOptions::new(),
        })
    });
    IANA {
        id: u32::from_be_bytes(identity.iaid),
        t1: 0,
        t2: 0,
        opts: addresses.collect(),
    }
}

/// What is asked for in option 6 (RFC 8415 §18.2.1, §18.2.6).
fn wanted(kind: ClientMessageKind) -> Vec<OptionCode> {
    let settings = [OptionCode::DomainNameServers, OptionCode::DomainSearchList];
    let limits: &[OptionCode] = match kind {
        ClientMessageKind::InformationRequest => {
            &[OptionCode::InformationRefreshTime, OptionCode::InfMaxRt]
        }
        _ => &[OptionCode::SolMaxRt],
    };
    [&settings, limits].concat()
}
