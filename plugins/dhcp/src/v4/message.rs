// SPDX-License-Identifier: Apache-2.0

//! DHCP messages as the client thinks of them: typed, validated, free of any wire format.
//!
//! `codec` turns these into packets and back; the state machine sees nothing else.

use std::net::Ipv4Addr;

use nipart_schemas::lease::LeaseRoute;

pub use crate::link::LinkAddress;

/// What a server says (RFC 2131 §3.1, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerMessageKind {
    /// DHCPOFFER: "you could have this address".
    Offer,
    /// DHCPACK: "it is yours".
    Acknowledge,
    /// DHCPNAK: "you cannot have it".
    Refuse,
}

/// A reply of a server, checked by the codec: what is in here can be used as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMessage {
    /// What it says (option 53).
    pub kind: ServerMessageKind,
    /// The address offered or granted (`yiaddr`); a usable unicast address unless the kind is `Refuse`.
    pub address: Ipv4Addr,
    /// Who says it (option 54). Mandatory in all three kinds (RFC 2131 §4.3.1, table 3).
    pub server: Ipv4Addr,
    /// Prefix length from a contiguous subnet mask (option 1).
    pub prefix_length: Option<u8>,
    /// Routers in order of preference (option 3).
    pub routers: Vec<Ipv4Addr>,
    /// Classless routes (option 121); `None` when the option did not come or was malformed.
    pub classless_routes: Option<Vec<LeaseRoute>>,
    /// DNS servers (option 6).
    pub dns_servers: Vec<Ipv4Addr>,
    /// Domain name (option 15), then the search list (option 119), without repetitions.
    pub dns_search: Vec<String>,
    /// Link MTU (option 26), at least 68.
    pub mtu: Option<u16>,
    /// Dhcpv4Lease time in seconds (option 51); `u32::MAX` is for ever.
    pub lease_time: Option<u32>,
    /// T1 in seconds (option 58), as sent.
    pub renewal_time: Option<u32>,
    /// T2 in seconds (option 59), as sent.
    pub rebinding_time: Option<u32>,
    /// Human-readable reason (option 56), mostly in a `Refuse`.
    pub text: Option<String>,
    /// The server grants without an offer (option 80, RFC 4039). Not asked for yet.
    pub rapid_commit: bool,
    /// Seconds for which IPv4 can be left off (option 108, RFC 8925). Not asked for yet.
    pub ipv6_only_wait: Option<u32>,
}

/// What the client says (RFC 2131 §3.1, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientMessageKind {
    /// DHCPDISCOVER: "who can lend me an address?"
    Discover,
    /// DHCPREQUEST: "I take this one", or "may I keep it?"
    Request,
    /// DHCPDECLINE: "somebody uses that one already". For conflict detection (RFC 5227), which is still to come.
    Decline,
    /// DHCPRELEASE: "I need it no longer".
    Release,
}

/// A message of the client. Who the client is ([`crate::v4::codec::Identity`]) is added when it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMessage {
    /// What it says (option 53).
    pub kind: ClientMessageKind,
    /// Random number that ties replies to it (`xid`).
    pub transaction: u32,
    /// Seconds since the client began this exchange (`secs`), saturated.
    pub seconds: u16,
    /// The client's own address, when it has one in use (`ciaddr`), else `0.0.0.0`.
    pub client_address: Ipv4Addr,
    /// The address asked for (option 50).
    pub requested_address: Option<Ipv4Addr>,
    /// The server spoken to (option 54).
    pub server: Option<Ipv4Addr>,
}

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// To everybody on the link, through the packet socket.
    Broadcast {
        /// Source address of the IP header: `0.0.0.0` before there is a lease.
        source: Ipv4Addr,
    },
    /// Through the kernel's routing and ARP, from a UDP socket bound to the leased address.
    Routed {
        /// The leased address.
        source: Ipv4Addr,
        /// The server.
        destination: Ipv4Addr,
    },
    /// To a hardware address that is known already, through the packet socket: needs no ARP and no address on the link.
    Direct {
        /// The leased address.
        source: Ipv4Addr,
        /// The server.
        destination: Ipv4Addr,
        /// Where the server's last message came from: the server itself or the relay before it.
        neighbour: LinkAddress,
    },
}
