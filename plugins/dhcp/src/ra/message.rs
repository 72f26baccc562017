// SPDX-License-Identifier: Apache-2.0

//! What a router says (RFC 4861 §4.2), as far as it is not the kernel's business.

use std::net::Ipv6Addr;

/// A lifetime without an end, in seconds (RFC 4191 §2.3, RFC 8106 §5).
pub const FOR_EVER: u32 = u32::MAX;

/// How much a router wants to be used (RFC 4191 §2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Preference {
    /// After all others.
    Low,
    /// What a router says that knows nothing of preferences.
    #[default]
    Medium,
    /// Before all others.
    High,
}

/// Something with the time that it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lasting<T> {
    /// What.
    pub what: T,
    /// Seconds from now on; 0 takes it back, [`FOR_EVER`] has no end.
    pub lifetime: u32,
}

/// Where a router leads (RFC 4191 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// Network address, host bits zero.
    pub address: Ipv6Addr,
    /// 0 to 128; with 0 it is about the default route.
    pub prefix_length: u8,
    /// Compared with other routers to the same destination.
    pub preference: Preference,
}

/// A router advertisement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement {
    /// Link-local address of the router.
    pub router: Ipv6Addr,
    /// How long it is a default router, in seconds; 0 when it is none.
    pub lifetime: u16,
    /// As a default router.
    pub preference: Preference,
    /// Route Information Options, in their order.
    pub routes: Vec<Lasting<Destination>>,
    /// Recursive DNS servers, in their order.
    pub dns_servers: Vec<Lasting<Ipv6Addr>>,
    /// Search list, in its order.
    pub dns_search: Vec<Lasting<String>>,
}

/// What a host says: where are you, routers? (RFC 4861 §4.1)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Solicitation;
