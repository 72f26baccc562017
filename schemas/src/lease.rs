// SPDX-License-Identifier: Apache-2.0

//! What a DHCPv4 server has lent us, and what the DHCP client is told to do.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// One classless static route of a lease (RFC 3442).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LeaseRoute {
    /// Network address of the destination, host bits zero.
    pub destination: Ipv4Addr,
    /// Prefix length of the destination, 0 to 32.
    pub prefix_length: u8,
    /// Gateway; `0.0.0.0` means that the destination is on the link itself.
    pub gateway: Ipv4Addr,
}

/// A DHCPv4 lease as the server granted it. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Lease {
    /// Kernel name of the link that the lease is for.
    pub interface: String,
    /// The leased address (`yiaddr`, RFC 2131 §2).
    pub address: Ipv4Addr,
    /// From option 1, or the class of the address when the server sent none.
    pub prefix_length: u8,
    /// Identifier of the server that granted the lease (option 54).
    pub server: Ipv4Addr,
    /// Routers in order of preference (option 3). Empty when option 121 came, which overrides it (RFC 3442).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<Ipv4Addr>,
    /// Classless static routes (option 121).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classless_routes: Vec<LeaseRoute>,
    /// DNS servers (option 6).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_servers: Vec<Ipv4Addr>,
    /// Domain name (option 15) and search list (option 119).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    /// Link MTU (option 26), at least 68.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// The lease's whole duration; `u32::MAX` is for ever.
    pub lease_time: u32,
    /// Renewal time T1, from the start of the lease.
    pub renewal_time: u32,
    /// Rebinding time T2, from the start of the lease.
    pub rebinding_time: u32,
    /// What is left of `lease_time` when this message was made; `u32::MAX` is for ever.
    pub remaining_time: u32,
}

/// What a client calls itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientId {
    /// Type and address of the hardware (RFC 2132 §9.14).
    #[default]
    LinkLayer,
    /// A number for the link and one for the machine (RFC 4361 §6.1).
    IaidAndDuid,
    /// These bytes, the first of them their type.
    Bytes(Vec<u8>),
}

/// What to run on one link: the part of `ipv4` that the DHCP client needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DhcpClientConfig {
    /// Kernel name of the link.
    pub interface: String,
    /// Client identifier (option 61).
    #[serde(default)]
    pub client_id: ClientId,
    /// Host name to send (option 12); none when `dhcp-send-hostname: false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// An address held before: asked for again first (INIT-REBOOT, RFC 2131 §3.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_address: Option<Ipv4Addr>,
}

/// Why a lease is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaseLoss {
    /// Its time ran out with no server renewing it.
    Expired,
    /// The server said NAK.
    Refused,
    /// The client was told to stop.
    Released,
    /// The link went down or away.
    LinkLost,
}

/// What the DHCP client tells about one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaseEvent {
    /// There was no lease, now there is one.
    Acquired(Lease),
    /// A lease with another address or other options took the place of the last.
    Changed(Lease),
    /// The same lease, extended.
    Renewed(Lease),
    /// There is no lease any more.
    #[serde(rename_all = "kebab-case")]
    Lost {
        /// Kernel name of the link.
        interface: String,
        /// Why.
        reason: LeaseLoss,
    },
}

/// Stop the client of one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DhcpStop {
    /// Kernel name of the link.
    pub interface: String,
    /// Give the lease back (RFC 2131 §4.4.6). Without it the client only pauses, because the link is down: the next
    /// start asks for the same address first.
    pub release: bool,
}
