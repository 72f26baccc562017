// SPDX-License-Identifier: Apache-2.0

//! DHCPv6 messages as the client thinks of them: typed, validated, free of any wire format.
//!
//! `codec` turns these into packets and back; the state machine sees nothing else.

use std::fmt;
use std::net::Ipv6Addr;

/// A time of this many seconds lasts for ever (RFC 8415 §7.7).
pub const FOR_EVER: u32 = u32::MAX;

/// By what a server is known (RFC 8415 §11).
#[derive(Clone, PartialEq, Eq)]
pub struct ServerDuid(pub Vec<u8>);

impl fmt::Display for ServerDuid {
    /// Hexadecimal bytes with colons between.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(formatter, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ServerDuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What a server says (RFC 8415 §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerMessageKind {
    /// ADVERTISE: "you could have this".
    Advertise,
    /// REPLY: "it is yours", "it isn't", or settings.
    Reply,
}

/// How something went (option 13, RFC 8415 §21.13).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Well; also when nothing was said.
    #[default]
    Success,
    /// NoAddrsAvail.
    NoAddresses,
    /// NoBinding: the server knows of no lease.
    NoBinding,
    /// NotOnLink: the address belongs elsewhere.
    NotOnLink,
    /// Badly, for another reason.
    Other(u16),
}

/// One address of an IA_NA (option 5, RFC 8415 §21.6): one that a host can have, and `preferred_time <= valid_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LentAddress {
    /// The address.
    pub address: Ipv6Addr,
    /// Seconds until it is deprecated; [`FOR_EVER`].
    pub preferred_time: u32,
    /// Seconds until it is invalid; [`FOR_EVER`]; zero for an address that must go now.
    pub valid_time: u32,
}

/// The IA_NA of this client (option 3, RFC 8415 §21.4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Association {
    /// How it went.
    pub status: Status,
    /// T1 in seconds, as sent; zero leaves it to the client.
    pub renewal_time: u32,
    /// T2 in seconds, as sent; zero leaves it to the client.
    pub rebinding_time: u32,
    /// Its addresses, at most 16.
    pub addresses: Vec<LentAddress>,
}

impl Association {
    /// Whether it lends anything.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.status == Status::Success
            && self.addresses.iter().any(|address| address.valid_time > 0)
    }
}

/// A message of a server to this client, checked by the codec: what is in here can be used as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMessage {
    /// What it says.
    pub kind: ServerMessageKind,
    /// Who says it (option 2).
    pub server: ServerDuid,
    /// How the whole request went.
    pub status: Status,
    /// Human-readable reason beside a status, of the message or of the IA_NA.
    pub text: Option<String>,
    /// How much the server wants to be taken (option 7). Of no effect: the first Advertise with an address is taken.
    pub preference: u8,
    /// The lease is granted without a Request (option 14).
    pub rapid_commit: bool,
    /// The IA_NA of this client; none when the message has none.
    pub association: Option<Association>,
    /// DNS servers (option 23, RFC 3646).
    pub dns_servers: Vec<Ipv6Addr>,
    /// Search list (option 24, RFC 3646).
    pub dns_search: Vec<String>,
    /// Information refresh time in seconds (option 32, RFC 8415 §21.23).
    pub refresh_time: Option<u32>,
    /// Longest wait between Solicits in seconds (option 82, RFC 8415 §21.24), 60 to 86400.
    pub solicit_limit: Option<u32>,
    /// Longest wait between Information-requests in seconds (option 83, RFC 8415 §21.25), 60 to 86400.
    pub information_limit: Option<u32>,
}

impl ServerMessage {
    /// What is granted, be it that addresses are taken away.
    #[must_use]
    pub fn granted(&self) -> Option<&Association> {
        let association = self.association.as_ref()?;
        let statuses = (self.status, association.status);
        (statuses == (Status::Success, Status::Success)).then_some(association)
    }

    /// The addresses that are lent, if any are.
    #[must_use]
    pub fn usable(&self) -> Option<&Association> {
        self.association
            .as_ref()
            .filter(|association| self.status == Status::Success && association.is_usable())
    }
}

/// What the client says (RFC 8415 §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientMessageKind {
    /// SOLICIT: "who can lend me an address?"
    Solicit,
    /// REQUEST: "I take these".
    Request,
    /// RENEW: "may I keep them?", to the server that lent them.
    Renew,
    /// REBIND: the same to all servers.
    Rebind,
    /// RELEASE: "I need them no longer".
    Release,
    /// DECLINE: "another host has them".
    Decline,
    /// INFORMATION-REQUEST: "what are the settings here?"
    InformationRequest,
}

/// A message of the client. Who the client is ([`crate::v6::codec::Identity`]) is added when it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMessage {
    /// What it says.
    pub kind: ClientMessageKind,
    /// Random number of 24 bits that ties replies to it.
    pub transaction: u32,
    /// Hundredths of a second since the client began this exchange (option 8), saturated.
    pub elapsed: u16,
    /// The server spoken to (option 2).
    pub server: Option<ServerDuid>,
    /// Addresses that are meant, or wished for, in the IA_NA.
    pub addresses: Vec<Ipv6Addr>,
}
