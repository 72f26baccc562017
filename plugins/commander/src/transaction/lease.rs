// SPDX-License-Identifier: Apache-2.0

//! What leases mean for the way back: pure.

use std::collections::HashSet;
use std::time::Duration;

use nipart_schemas::dns::{DnsOrigin, DnsSource};
use nipart_schemas::interface::Interface;
use nipart_schemas::interface::mptcp::MptcpEndpoint;
use nipart_schemas::ip::{Address, PROTOCOL_DHCP};
use nipart_schemas::journal::Journal;
use nipart_schemas::lease::{LeaseKey, LeaseProtocol};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{LinkChanges, Operation, Plan};
use nipart_schemas::route::{Route, RouteKey};

/// Takes off what a client has brought that only an unconfirmed change wanted: no plan speaks of it.
pub(super) fn without_leases(journal: &Journal, observed: &NetworkState) -> Plan {
    let keys = turned_on(journal);
    let is_meant = |name: &str, protocol: LeaseProtocol| {
        let mut keys = keys.iter();
        keys.any(|key| key.interface == name && key.protocol == protocol)
    };
    let before = journal.before.by_name();
    let (mut endpoints, mut addresses, mut links) = (Vec::new(), Vec::new(), Vec::new());
    for interface in &observed.interfaces {
        let name = interface.name.as_str();
        if !LeaseProtocol::ALL
            .into_iter()
            .any(|protocol| is_meant(name, protocol))
        {
            continue;
        }
        let before = before.get(name).copied();
        let known: Vec<_> = before
            .into_iter()
            .flat_map(leased)
            .map(|address| address.key())
            .collect();
        let new: Vec<Address> = leased(interface)
            .filter(|address| {
                let protocol = LeaseProtocol::lending(address.ip.into());
                is_meant(name, protocol) && !known.contains(&address.key())
            })
            .collect();
        endpoints.extend(without_endpoints(interface, &new));
        addresses.extend(new.into_iter().map(|address| Operation::RemoveAddress {
            interface: interface.name.clone(),
            address,
        }));
        let mtu = before.and_then(|before| before.mtu);
        if is_meant(name, LeaseProtocol::Dhcpv4) && mtu.is_some() && mtu != interface.mtu {
            links.push(Operation::ChangeLink(LinkChanges {
                interface: interface.name.clone(),
                mtu,
                ..LinkChanges::default()
            }));
        }
    }
    let known: HashSet<RouteKey> = journal
        .before
        .running_routes()
        .iter()
        // One of ours may have taken the place of the kernel's, which comes back when ours is gone.
        .filter(|route| !route.is_kernels())
        .map(Route::key)
        .collect();
    let is_new = |route: &&Route| {
        let protocol = match route.protocol {
            Some(PROTOCOL_DHCP) => LeaseProtocol::Dhcpv4,
            _ if route.is_advertised() && !route.is_kernels() => LeaseProtocol::RouterAdvertisement,
            _ => return false,
        };
        let through = route.next_hop_interface.as_deref();
        through.is_some_and(|name| is_meant(name, protocol)) && !known.contains(&route.key())
    };
    let routes = observed.running_routes().iter().filter(is_new).cloned();
    let routes: Vec<Operation> = routes.map(Operation::RemoveRoute).collect();
    let section = observed.dns_resolver.iter();
    let sources = section.flat_map(|section| &section.sources);
    let is_new = |source: &&DnsSource| {
        let of = source.interface.as_deref();
        let before = journal.before.dns_resolver.as_ref();
        let is_of = |key: &LeaseKey| {
            of == Some(key.interface.as_str())
                && source.origin == DnsOrigin::of_leases(key.protocol)
        };
        keys.iter().any(is_of)
            && before.is_none_or(|before| before.source(of, source.origin).is_none())
    };
    let sources = sources.filter(is_new).map(|source| {
        Operation::ChangeDns(DnsSource::new(source.interface.as_deref(), source.origin))
    });
    let mut waves = vec![routes, endpoints, addresses, links, sources.collect()];
    waves.retain(|wave| !wave.is_empty());
    Plan { waves }
}

/// Takes the MPTCP endpoints off that these addresses are.
fn without_endpoints(interface: &Interface, gone: &[Address]) -> Option<Operation> {
    let present = interface.mptcp_endpoints();
    let stays = |endpoint: &&MptcpEndpoint| gone.iter().all(|address| address.ip != endpoint.ip);
    let kept: Vec<MptcpEndpoint> = present.iter().filter(stays).copied().collect();
    (kept.len() < present.len()).then(|| Operation::ChangeMptcp {
        interface: interface.name.clone(),
        endpoint: kept,
    })
}

/// The leases that an unconfirmed change has asked for.
pub(crate) fn turned_on(journal: &Journal) -> Vec<LeaseKey> {
    let commit = journal
        .checkpoint
        .as_ref()
        .map(|checkpoint| &checkpoint.commit);
    let interfaces = commit
        .into_iter()
        .flat_map(|commit| &commit.state.interfaces);
    interfaces.flat_map(Interface::wanted_leases).collect()
}

fn leased(interface: &Interface) -> impl Iterator<Item = Address> + '_ {
    let addresses = interface.addresses();
    addresses.filter(|address| address.protocol == Some(PROTOCOL_DHCP))
}

/// The state of before as it would be after so long: life times have run on, and what has none left is gone.
pub(super) fn aged(mut before: NetworkState, time: Duration) -> NetworkState {
    let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    for interface in &mut before.interfaces {
        let ipv4 = interface.ipv4.as_mut();
        if let Some(addresses) = ipv4.and_then(|ipv4| ipv4.address.as_mut()) {
            addresses.retain_mut(|address| lives_on(address, seconds));
        }
        let ipv6 = interface.ipv6.as_mut();
        if let Some(addresses) = ipv6.and_then(|ipv6| ipv6.address.as_mut()) {
            addresses.retain_mut(|address| lives_on(address, seconds));
        }
    }
    before
}

fn lives_on<A>(address: &mut Address<A>, seconds: u32) -> bool {
    let left = |time: Option<u32>| time.map(|time| time.saturating_sub(seconds));
    address.valid_life_time = left(address.valid_life_time);
    address.preferred_life_time = left(address.preferred_life_time);
    address.valid_life_time != Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn life_times_run_on() {
        let state = |addresses: &str| -> NetworkState {
            let text = format!("interfaces: [{{name: eth0, ipv4: {{address: [{addresses}]}}}}]");
            nipart_schemas::yaml::parse(&text).unwrap()
        };
        let before = state(
            "{ip: 192.0.2.1, prefix-length: 24}, {ip: 192.0.2.2, prefix-length: 24, valid-life-time: 90, preferred-life-time: 30},
             {ip: 192.0.2.3, prefix-length: 24, valid-life-time: 60}",
        );
        let after = state(
            "{ip: 192.0.2.1, prefix-length: 24}, {ip: 192.0.2.2, prefix-length: 24, valid-life-time: 30, preferred-life-time: 0}",
        );
        assert_eq!(aged(before.clone(), Duration::from_secs(60)), after);
        let for_ever = state("{ip: 192.0.2.1, prefix-length: 24}");
        assert_eq!(aged(before, Duration::MAX), for_ever);
    }
}
