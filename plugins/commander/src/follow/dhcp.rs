// SPDX-License-Identifier: Apache-2.0

//! The DHCP clients that an interface is to have: pure.

use std::net::IpAddr;

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::{IpFamily, Ipv4, Ipv6, PROTOCOL_DHCP};
use nipart_schemas::lease::{DhcpConfig, Dhcpv4Config, Dhcpv6Config, LeaseKey};
use nipart_schemas::network_state::NetworkState;

/// At most one for each version of the protocol.
pub(super) fn clients(interface: &Interface) -> Vec<DhcpConfig> {
    let name = interface.name.as_str();
    let ipv4 = interface.ipv4.as_ref();
    let ipv4 = ipv4.filter(|_| interface.wants_dhcp(IpFamily::Ipv4));
    let ipv6 = interface.ipv6.as_ref();
    let ipv6 = ipv6.filter(|_| interface.wants_dhcp(IpFamily::Ipv6));
    let ipv4 = ipv4.map(|ipv4| DhcpConfig::Ipv4(dhcpv4(name, ipv4)));
    let ipv6 = ipv6.map(|ipv6| DhcpConfig::Ipv6(dhcpv6(name, ipv6)));
    ipv4.into_iter().chain(ipv6).collect()
}

fn dhcpv4(interface: &str, ipv4: &Ipv4) -> Dhcpv4Config {
    let client_id = ipv4.dhcp_client_id.as_deref();
    Dhcpv4Config {
        interface: interface.to_string(),
        // What can't be one was refused.
        client_id: client_id
            .and_then(|text| nipart_state::client_id(text).ok())
            .unwrap_or_default(),
        hostname: hostname(ipv4.dhcp_send_hostname, ipv4.dhcp_custom_hostname.as_ref()),
        previous_address: None,
    }
}

fn dhcpv6(interface: &str, ipv6: &Ipv6) -> Dhcpv6Config {
    let duid = ipv6.dhcp_duid.as_deref();
    Dhcpv6Config {
        interface: interface.to_string(),
        // What can't be one was refused.
        duid: duid
            .and_then(|text| nipart_state::duid(text).ok())
            .unwrap_or_default(),
        hostname: hostname(ipv6.dhcp_send_hostname, ipv6.dhcp_custom_hostname.as_ref()),
        previous_address: None,
    }
}

fn hostname(is_sent: Option<bool>, custom: Option<&String>) -> Option<String> {
    match is_sent {
        Some(false) => None,
        _ => custom.cloned().or_else(system_hostname),
    }
}

/// The kernel's name for this machine, unless it is nobody's in particular.
fn system_hostname() -> Option<String> {
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    (!name.is_empty() && name != "localhost" && name != "(none)").then_some(name)
}

/// The address that a lease of before a restart left on the link.
pub(super) fn leased_address(observed: &NetworkState, key: &LeaseKey) -> Option<IpAddr> {
    let addresses = observed.interface(&key.interface)?.addresses();
    let mut leased = addresses.filter(|address| address.protocol == Some(PROTOCOL_DHCP));
    leased
        .find(|address| IpFamily::from(address.ip) == key.family)
        .map(|address| address.ip)
}
