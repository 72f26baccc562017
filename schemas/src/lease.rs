// SPDX-License-Identifier: Apache-2.0

//! What DHCP servers have lent us, what routers advertise, and what the clients of both are told to do.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::ip::IpFamily;

/// What one server has lent to one link, or its routers have told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lease {
    /// Of a DHCPv4 server.
    Ipv4(Dhcpv4Lease),
    /// Of a DHCPv6 server.
    Ipv6(Dhcpv6Lease),
    /// Of all routers of the link. It has no addresses: these the kernel makes.
    RouterAdvertisement(AdvertisedLease),
}

/// By what a link learns its addresses, routes and name servers: each has a client of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaseProtocol {
    /// DHCPv4 (RFC 2131).
    Dhcpv4,
    /// DHCPv6 (RFC 8415).
    Dhcpv6,
    /// Router advertisements (RFC 4861).
    RouterAdvertisement,
}

impl LeaseProtocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dhcpv4, Self::Dhcpv6, Self::RouterAdvertisement];

    /// The version of the Internet Protocol that it serves.
    pub fn family(self) -> IpFamily {
        match self {
            Self::Dhcpv4 => IpFamily::Ipv4,
            Self::Dhcpv6 | Self::RouterAdvertisement => IpFamily::Ipv6,
        }
    }

    /// The version of DHCP that lends addresses of this family.
    pub fn lending(family: IpFamily) -> Self {
        match family {
            IpFamily::Ipv4 => Self::Dhcpv4,
            IpFamily::Ipv6 => Self::Dhcpv6,
        }
    }
}

/// As users call it.
impl fmt::Display for LeaseProtocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dhcpv4 => "DHCP",
            Self::Dhcpv6 => "DHCPv6",
            Self::RouterAdvertisement => "router discovery",
        })
    }
}

/// What a lease is known by: there is at most one for each protocol on a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LeaseKey {
    /// Kernel name of the link.
    pub interface: String,
    /// Which client has it.
    pub protocol: LeaseProtocol,
}

impl fmt::Display for LeaseKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {}", self.protocol, self.interface)
    }
}

impl Lease {
    /// What it is known by.
    pub fn key(&self) -> LeaseKey {
        LeaseKey {
            interface: self.interface().to_string(),
            protocol: self.protocol(),
        }
    }

    /// Kernel name of the link that the lease is for.
    pub fn interface(&self) -> &str {
        match self {
            Self::Ipv4(lease) => &lease.interface,
            Self::Ipv6(lease) => &lease.interface,
            Self::RouterAdvertisement(lease) => &lease.interface,
        }
    }

    /// Which client got it.
    pub fn protocol(&self) -> LeaseProtocol {
        match self {
            Self::Ipv4(_) => LeaseProtocol::Dhcpv4,
            Self::Ipv6(_) => LeaseProtocol::Dhcpv6,
            Self::RouterAdvertisement(_) => LeaseProtocol::RouterAdvertisement,
        }
    }

    /// The leased address, the first if there are several; none where a server tells settings only, or a router does.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Ipv4(lease) => Some(lease.address.into()),
            Self::Ipv6(lease) => Some(lease.addresses.first()?.address.into()),
            Self::RouterAdvertisement(_) => None,
        }
    }

    /// Servers for name resolution, in the order of preference.
    pub fn dns_servers(&self) -> Vec<IpAddr> {
        fn any_family<A: Copy + Into<IpAddr>>(servers: &[A]) -> Vec<IpAddr> {
            servers.iter().map(|server| (*server).into()).collect()
        }
        match self {
            Self::Ipv4(lease) => any_family(&lease.dns_servers),
            Self::Ipv6(lease) => any_family(&lease.dns_servers),
            Self::RouterAdvertisement(lease) => any_family(&lease.dns_servers),
        }
    }

    /// Domains that names are looked for in.
    pub fn dns_search(&self) -> &[String] {
        match self {
            Self::Ipv4(lease) => &lease.dns_search,
            Self::Ipv6(lease) => &lease.dns_search,
            Self::RouterAdvertisement(lease) => &lease.dns_search,
        }
    }
}

impl From<Dhcpv4Lease> for Lease {
    fn from(lease: Dhcpv4Lease) -> Self {
        Self::Ipv4(lease)
    }
}

impl From<Dhcpv6Lease> for Lease {
    fn from(lease: Dhcpv6Lease) -> Self {
        Self::Ipv6(lease)
    }
}

impl From<AdvertisedLease> for Lease {
    fn from(lease: AdvertisedLease) -> Self {
        Self::RouterAdvertisement(lease)
    }
}

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
pub struct Dhcpv4Lease {
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

/// One address of a DHCPv6 lease (RFC 8415 §21.6), on the link without a network of its own: prefix length 128 (RFC 5942 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dhcpv6Address {
    /// The leased address.
    pub address: Ipv6Addr,
    /// Seconds from when this message was made until it is deprecated; `u32::MAX` is for ever.
    pub preferred_time: u32,
    /// Seconds from when this message was made until it is invalid; `u32::MAX` is for ever.
    pub valid_time: u32,
}

/// A DHCPv6 lease as the server granted it. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dhcpv6Lease {
    /// Kernel name of the link that the lease is for.
    pub interface: String,
    /// The leased addresses (IA_NA). Empty where the server tells settings only (stateless DHCPv6, RFC 8415 §6.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Dhcpv6Address>,
    /// DUID of the server, as hexadecimal bytes with colons between.
    pub server: String,
    /// DNS servers (option 23).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_servers: Vec<Ipv6Addr>,
    /// Search list (option 24).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    /// Renewal time T1, or the information refresh time (RFC 8415 §21.23), from the start of the lease.
    pub renewal_time: u32,
    /// Rebinding time T2, from the start of the lease.
    pub rebinding_time: u32,
}

/// One route of a Route Information Option (RFC 4191 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AdvertisedRoute {
    /// Network address of the destination, host bits zero.
    pub destination: Ipv6Addr,
    /// Prefix length of the destination, 1 to 128.
    pub prefix_length: u8,
    /// The router that advertises it: of several, the one that prefers it most.
    pub gateway: Ipv6Addr,
}

/// What the routers of a link advertise together, of what is valid now (RFC 4861, RFC 4191, RFC 8106). How long it is,
/// the client knows: it tells when something goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AdvertisedLease {
    /// Kernel name of the link.
    pub interface: String,
    /// Link-local address of the best default router, if there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_router: Option<Ipv6Addr>,
    /// Other routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<AdvertisedRoute>,
    /// DNS servers (RDNSS, RFC 8106 §5.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_servers: Vec<Ipv6Addr>,
    /// Search list (DNSSL, RFC 8106 §5.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
}

/// What a DHCPv4 client calls itself.
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

/// The client to run on one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DhcpConfig {
    /// For DHCPv4.
    Ipv4(Dhcpv4Config),
    /// For DHCPv6.
    Ipv6(Dhcpv6Config),
    /// For router advertisements.
    RouterAdvertisement(DiscoveryConfig),
}

impl DhcpConfig {
    /// Kernel name of the link.
    pub fn interface(&self) -> &str {
        match self {
            Self::Ipv4(config) => &config.interface,
            Self::Ipv6(config) => &config.interface,
            Self::RouterAdvertisement(config) => &config.interface,
        }
    }

    /// The lease that it asks for.
    pub fn key(&self) -> LeaseKey {
        LeaseKey {
            interface: self.interface().to_string(),
            protocol: match self {
                Self::Ipv4(_) => LeaseProtocol::Dhcpv4,
                Self::Ipv6(_) => LeaseProtocol::Dhcpv6,
                Self::RouterAdvertisement(_) => LeaseProtocol::RouterAdvertisement,
            },
        }
    }

    /// The address that is asked for first.
    pub fn previous_address(&self) -> Option<IpAddr> {
        match self {
            Self::Ipv4(config) => config.previous_address.map(IpAddr::from),
            Self::Ipv6(config) => config.previous_address.map(IpAddr::from),
            Self::RouterAdvertisement(_) => None,
        }
    }

    /// Sets it; one of the other family is none.
    pub fn set_previous_address(&mut self, address: Option<IpAddr>) {
        match self {
            Self::Ipv4(config) => {
                config.previous_address = match address {
                    Some(IpAddr::V4(address)) => Some(address),
                    _ => None,
                };
            }
            Self::Ipv6(config) => {
                config.previous_address = match address {
                    Some(IpAddr::V6(address)) => Some(address),
                    _ => None,
                };
            }
            Self::RouterAdvertisement(_) => {}
        }
    }
}

/// What to run on one link: the part of `ipv4` that the DHCPv4 client needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dhcpv4Config {
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

/// What a DHCPv6 client calls itself (DHCP unique identifier, RFC 8415 §11).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duid {
    /// Made of the machine's identifier (DUID-UUID, RFC 6355).
    #[default]
    Uuid,
    /// Type and address of the hardware (DUID-LL, RFC 8415 §11.4).
    LinkLayer,
    /// The same with a time, which is that of the machine's identifier (DUID-LLT, RFC 8415 §11.2).
    LinkLayerTime,
    /// These bytes, the first two of them their type.
    Bytes(Vec<u8>),
}

/// What to run on one link: the part of `ipv6` that the DHCPv6 client needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dhcpv6Config {
    /// Kernel name of the link.
    pub interface: String,
    /// Client identifier (option 1).
    #[serde(default)]
    pub duid: Duid,
    /// Host name to send (client FQDN, RFC 4704); none when `dhcp-send-hostname: false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// An address held before: wished for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_address: Option<Ipv6Addr>,
}

/// What to listen to on one link: routers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DiscoveryConfig {
    /// Kernel name of the link.
    pub interface: String,
    /// Whether the default route is Nipart's, not the kernel's. The client does nothing else by that, but a start with another
    /// value makes it ask the routers again: from the answer, whose the route is now learns it.
    pub takes_default_route: bool,
}

/// Why a lease is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaseLoss {
    /// Its time ran out with no server, or router, renewing it; or no router answers after a start.
    Expired,
    /// The server said NAK.
    Refused,
    /// Another host has the address (RFC 8415 §18.2.8).
    Conflict,
    /// The client was told to stop.
    Released,
    /// The link went down or away.
    LinkLost,
}

/// What a client tells about one link.
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
        /// Which client lost it.
        protocol: LeaseProtocol,
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
    /// Which client.
    pub protocol: LeaseProtocol,
    /// Give the lease back (RFC 2131 §4.4.6, RFC 8415 §18.2.7). Without it the client only pauses, because the link is down: the next
    /// start asks for the same address first.
    pub release: bool,
}
