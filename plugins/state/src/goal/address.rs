// SPDX-License-Identifier: Apache-2.0

//! Which addresses an interface is to have, and which of those that it has may go.

use std::collections::HashMap;

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::{Address, IpFamily, PROTOCOL_DHCP, PROTOCOL_LINK_LOCAL, PROTOCOL_NIPART};
use nipart_schemas::lease::{Dhcpv4Lease, Dhcpv6Address, LeaseProtocol};
use nipart_schemas::route::IpNetwork;

use super::Goal;
use crate::context::Context;

/// All addresses of an interface, IPv4 first, without those that the kernel makes itself.
pub(crate) fn all(interface: &Interface) -> impl Iterator<Item = Address> + '_ {
    ipv4(interface).chain(ipv6(interface))
}

fn ipv4(interface: &Interface) -> impl Iterator<Item = Address> + '_ {
    let list = interface
        .ipv4
        .as_ref()
        .and_then(|ipv4| ipv4.address.as_ref());
    list.into_iter().flatten().map(Address::any_family)
}

/// Link-local addresses are the kernel's, and so are those from router advertisements.
fn ipv6(interface: &Interface) -> impl Iterator<Item = Address> + '_ {
    let list = interface
        .ipv6
        .as_ref()
        .and_then(|ipv6| ipv6.address.as_ref());
    list.into_iter()
        .flatten()
        .filter(|address| !address.ip.is_unicast_link_local() && !address.is_advertised())
        .map(Address::any_family)
}

/// Link-local addresses that are there because the kernel makes them, and nobody else has added.
pub(crate) fn made_by_kernel(interface: &Interface) -> impl Iterator<Item = Address> + '_ {
    let list = interface
        .ipv6
        .as_ref()
        .and_then(|ipv6| ipv6.address.as_ref());
    list.into_iter()
        .flatten()
        .filter(|address| address.protocol == Some(PROTOCOL_LINK_LOCAL))
        .map(Address::any_family)
}

/// Whether we added a static address: by its mark, or because we were told to before.
pub(crate) fn is_ours(context: &Context<'_>, interface: &str, address: &Address) -> bool {
    matches!(address.protocol, Some(PROTOCOL_NIPART | PROTOCOL_DHCP))
        || context
            .remembered
            .get(interface)
            .is_some_and(|saved| all(saved).any(|known| known.key() == address.key()))
}

/// IPv4 addresses that stay, but that the kernel takes away with the primary one of their network, which is the first
/// (`__inet_del_ifa`, net/ipv4/devinet.c, without `promote_secondaries`).
pub(crate) fn lost_with_primary(goal: &Goal<'_>) -> Vec<Address> {
    let present = goal.surviving().into_iter().flat_map(all);
    let present: Vec<Address> = present.filter(|address| address.ip.is_ipv4()).collect();
    let network = |address: &Address| IpNetwork::containing(address.ip, address.prefix_length);
    let is_unwanted = |address: &Address| {
        goal.unwanted_addresses
            .iter()
            .any(|unwanted| unwanted.key() == address.key())
    };
    let mut primaries: HashMap<IpNetwork, &Address> = HashMap::new();
    for address in &present {
        primaries.entry(network(address)).or_insert(address);
    }
    let is_lost = |address: &&Address| {
        !is_unwanted(address)
            && primaries
                .get(&network(address))
                .is_some_and(|primary| is_unwanted(primary))
    };
    present.iter().filter(is_lost).copied().collect()
}

/// The addresses that must be there, and those that must go.
pub(super) fn resolve(
    context: &Context<'_>,
    wanted: &Interface,
    present: Option<&Interface>,
) -> (Vec<Address>, Vec<Address>) {
    let mut family = Families {
        context,
        wanted,
        present,
        keep: Vec::new(),
        drop: Vec::new(),
    };
    family.resolve_ipv4();
    family.resolve_ipv6();
    family.resolve_metrics();
    let Families { keep, mut drop, .. } = family;
    let controller = wanted.controller.as_deref();
    let controller = controller.filter(|name| context.takes_addresses_of_ports(name));
    let Some(controller) = controller else {
        return (keep, drop);
    };
    // The addresses of a port belong to its controller.
    let left = left_by_a_port(context, controller, present);
    let left: Vec<Address> = left.filter(|address| !drop.contains(address)).collect();
    drop.extend(left);
    (Vec::new(), drop)
}

/// Addresses that go when a link becomes a port: ours, and those that the controller is to have, whoever added them.
pub(super) fn left_by_a_port<'a>(
    context: &'a Context<'_>,
    controller: &str,
    present: Option<&'a Interface>,
) -> impl Iterator<Item = Address> + 'a {
    let wanted = context.wanted_up(controller);
    let moves = move |address: &Address| {
        wanted.is_some_and(|controller| all(controller).any(|other| other.key() == address.key()))
    };
    let leaves = move |present: &'a Interface| {
        all(present)
            .filter(move |address| is_ours(context, &present.name, address) || moves(address))
    };
    present.into_iter().flat_map(leaves)
}

struct Families<'c, 'a> {
    context: &'c Context<'a>,
    wanted: &'c Interface,
    present: Option<&'c Interface>,
    keep: Vec<Address>,
    drop: Vec<Address>,
}

/// What is said of the addresses of one family.
struct Said {
    family: IpFamily,
    dhcp: Option<bool>,
    /// None where nothing is known of a lease, or nothing follows from it.
    leased: Option<Vec<Address>>,
    listed: Option<Vec<Address>>,
    allow_extra: Option<bool>,
}

impl Families<'_, '_> {
    fn resolve_ipv4(&mut self) {
        let Some(section) = &self.wanted.ipv4 else {
            return;
        };
        let name = self.wanted.name.as_str();
        let present: Vec<Address> = self.present.into_iter().flat_map(ipv4).collect();
        if section.enabled == Some(false) {
            self.drop.extend(present);
            return;
        }
        let using_lease = self.context.using_lease(name).is_some();
        let lease = self.context.lease_ipv4(name).filter(|_| using_lease);
        let listed = section
            .address
            .as_ref()
            .map(|list| list.iter().map(Address::any_family).collect());
        let said = Said {
            family: IpFamily::Ipv4,
            dhcp: section.dhcp,
            leased: lease.map(|lease| vec![leased_ipv4(lease)]),
            listed,
            allow_extra: section.allow_extra_address,
        };
        self.resolve_family(said, present);
    }

    fn resolve_ipv6(&mut self) {
        let Some(section) = &self.wanted.ipv6 else {
            return;
        };
        let name = self.wanted.name.as_str();
        if section.enabled == Some(false) {
            // `disable_ipv6` takes them all.
            return;
        }
        let using_lease = self.context.using_lease_ipv6(name).is_some();
        let lease = self.context.lease_ipv6(name).filter(|_| using_lease);
        let listed = section.address.as_ref().map(|list| {
            list.iter()
                .filter(|address| !address.ip.is_unicast_link_local())
                .map(Address::any_family)
                .collect()
        });
        let said = Said {
            family: IpFamily::Ipv6,
            dhcp: section.dhcp,
            leased: lease.map(|lease| {
                let leased = lease.addresses.iter().map(leased_ipv6);
                leased.filter(|leased| self.is_free(leased)).collect()
            }),
            listed,
            allow_extra: section.allow_extra_address,
        };
        let present = self.present.into_iter().flat_map(ipv6).collect();
        self.resolve_family(said, present);
    }

    /// Whether a leased address is nothing but leased. One of the same IP is the same for the kernel, whatever its
    /// prefix length (`inet6_addr_modify`), and would become the server's.
    fn is_free(&self, leased: &Address) -> bool {
        let section = self.wanted.ipv6.iter();
        let mut listed = section.flat_map(|ipv6| &ipv6.address).flatten();
        let mut present = self.present.into_iter().flat_map(Interface::addresses);
        let is_others = |present: &Address| {
            let was_leased = present.protocol == Some(PROTOCOL_DHCP)
                || (present.protocol.is_none() && present.valid_life_time.is_some());
            present.key() != leased.key() || !was_leased
        };
        !listed.any(|listed| leased.ip == listed.ip)
            && !present.any(|present| present.ip == leased.ip && is_others(&present))
    }

    fn resolve_family(&mut self, said: Said, present: Vec<Address>) {
        let name = self.wanted.name.as_str();
        let listed = said.listed.iter().flatten();
        self.keep
            .extend(listed.map(|address| marked(*address, PROTOCOL_NIPART)));
        self.keep.extend(said.leased.iter().flatten());
        let lease_is_gone = said.leased.is_some()
            || said.dhcp == Some(false)
            || self
                .context
                .is_without_lease(name, LeaseProtocol::lending(said.family));
        for address in present {
            if self.is_kept(&address) {
                continue;
            }
            if address.protocol == Some(PROTOCOL_DHCP) {
                // DHCP turned off with no address written: what was leased becomes static, as in nmstate.
                if said.dhcp == Some(false) && said.listed.is_none() {
                    self.keep.push(marked(address, PROTOCOL_NIPART));
                } else if lease_is_gone {
                    self.drop.push(address);
                }
            } else if said.listed.is_some()
                && (said.allow_extra == Some(false) || is_ours(self.context, name, &address))
            {
                self.drop.push(address);
            }
        }
    }

    /// Gives each address the metric that is wanted or remembered for its family; else it has what it has, and a new
    /// one what those beside it have. A metric that is written without addresses is one for those that are there.
    fn resolve_metrics(&mut self) {
        let Self {
            wanted, present, ..
        } = *self;
        let remembered = self.context.remembered.get(wanted.name.as_str()).copied();
        let there: HashMap<_, _> = present
            .into_iter()
            .flat_map(all)
            .map(|address| (address.key(), address))
            .collect();
        let has_ipv6 = wanted.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false);
        let is_meant = |address: &Address| {
            metric_of(wanted, address).is_some()
                && (has_ipv6 || address.ip.is_ipv4())
                && !self.is_kept(address)
                && !self.drop.iter().any(|gone| gone.key() == address.key())
                && is_ours(self.context, &wanted.name, address)
        };
        let meant: Vec<Address> = present.into_iter().flat_map(all).filter(is_meant).collect();
        self.keep.extend(meant);
        for address in &mut self.keep {
            address.prefix_route_metric = metric_of(wanted, address)
                .or_else(|| metric_of(remembered?, address))
                .or_else(|| match there.get(&address.key()) {
                    Some(same) => same.prefix_route_metric,
                    None => metric_of(present?, address),
                });
        }
    }

    fn is_kept(&self, address: &Address) -> bool {
        self.keep.iter().any(|kept| kept.key() == address.key())
    }
}

/// What the section of the address's family says.
fn metric_of(interface: &Interface, address: &Address) -> Option<u32> {
    if address.ip.is_ipv6() {
        interface.ipv6.as_ref()?.prefix_route_metric
    } else {
        interface.ipv4.as_ref()?.prefix_route_metric
    }
}

fn marked(address: Address, protocol: u8) -> Address {
    Address {
        protocol: Some(protocol),
        ..Address::new(address.ip, address.prefix_length)
    }
}

fn leased_ipv4(lease: &Dhcpv4Lease) -> Address {
    let life_time = life_time(lease.remaining_time);
    Address {
        valid_life_time: life_time,
        preferred_life_time: life_time,
        ..marked(
            Address::new(lease.address.into(), lease.prefix_length),
            PROTOCOL_DHCP,
        )
    }
}

/// Which networks are on the link only router advertisements say (RFC 5942 §4).
fn leased_ipv6(leased: &Dhcpv6Address) -> Address {
    Address {
        valid_life_time: life_time(leased.valid_time),
        preferred_life_time: life_time(leased.preferred_time),
        ..marked(Address::new(leased.address.into(), 128), PROTOCOL_DHCP)
    }
}

fn life_time(seconds: u32) -> Option<u32> {
    (seconds != u32::MAX).then_some(seconds)
}
