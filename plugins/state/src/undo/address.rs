// SPDX-License-Identifier: Apache-2.0

//! Addresses that would be there, or would be others, after an undo that didn't care.
//!
//! Which of several addresses of a network is the primary one: the first. The kernel prefers it as source, and makes the
//! next one primary when it goes (`promote_secondaries`), so that it would come back as a secondary one.

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::Address;
use nipart_schemas::route::IpNetwork;

use crate::goal::address;

/// Present IPv4 addresses that have to make way, so that all of `before` can be added again in their order.
pub(super) fn out_of_order(before: &[Address], now: &Interface) -> Vec<Address> {
    let present: Vec<Address> = address::all(now)
        .filter(|address| is_among(address, before))
        .collect();
    let missing = before.iter().filter(|address| !is_among(address, &present));
    // In the order in which they would be there, if only what is missing were added.
    let to_be: Vec<Address> = present.iter().chain(missing).copied().collect();
    let has_another_primary = |address: &&Address| {
        let network = network(address);
        primary(before, network).map(Address::key) != primary(&to_be, network).map(Address::key)
    };
    let displaced = present.iter().filter(|address| address.ip.is_ipv4());
    displaced.filter(has_another_primary).copied().collect()
}

/// Link-local addresses that the kernel has made since then, because it was told to make them in another way: it keeps
/// those of both ways until the link goes down (`addrconf_init_auto_addrs`, net/ipv6/addrconf.c).
pub(super) fn made_meanwhile(before: &Interface, now: &Interface) -> Vec<Address> {
    let known: Vec<Address> = address::made_by_kernel(before).collect();
    let present = address::made_by_kernel(now);
    present
        .filter(|address| !is_among(address, &known))
        .collect()
}

fn is_among(address: &Address, list: &[Address]) -> bool {
    list.iter().any(|other| other.key() == address.key())
}

fn network(address: &Address) -> IpNetwork {
    IpNetwork::containing(address.ip, address.prefix_length)
}

fn primary(list: &[Address], of: IpNetwork) -> Option<&Address> {
    list.iter().find(|address| network(address) == of)
}
