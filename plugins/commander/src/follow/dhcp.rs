// SPDX-License-Identifier: Apache-2.0

//! The clients that an interface is to have, of DHCP and of routers: pure.

use std::net::IpAddr;

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::{Ipv4, Ipv6, PROTOCOL_DHCP};
use nipart_schemas::lease::{
    DhcpConfig, Dhcpv4Config, Dhcpv6Config, DiscoveryConfig, LeaseKey, LeaseProtocol,
};
use nipart_schemas::network_state::NetworkState;

/// At most one for each protocol.
pub(super) fn clients(interface: &Interface) -> Vec<DhcpConfig> {
    let name = interface.name.as_str();
    let ipv4 = interface.ipv4.as_ref();
    let ipv6 = interface.ipv6.as_ref();
    let wanted = LeaseProtocol::ALL.into_iter();
    wanted
        .filter(|protocol| interface.wants_lease(*protocol))
        .filter_map(|protocol| {
            Some(match protocol {
                LeaseProtocol::Dhcpv4 => DhcpConfig::Ipv4(dhcpv4(name, ipv4?)),
                LeaseProtocol::Dhcpv6 => DhcpConfig::Ipv6(dhcpv6(name, ipv6?)),
                LeaseProtocol::RouterAdvertisement => {
                    DhcpConfig::RouterAdvertisement(DiscoveryConfig {
                        interface: name.to_string(),
                        takes_default_route: ipv6?.takes_default_route(),
                    })
                }
            })
        })
        .collect()
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

/// The address that a lease of before a restart left on the link. Routers lend none.
pub(super) fn leased_address(observed: &NetworkState, key: &LeaseKey) -> Option<IpAddr> {
    let addresses = observed.interface(&key.interface)?.addresses();
    let mut leased = addresses.filter(|address| address.protocol == Some(PROTOCOL_DHCP));
    leased
        .find(|address| LeaseProtocol::lending(address.ip.into()) == key.protocol)
        .map(|address| address.ip)
}
