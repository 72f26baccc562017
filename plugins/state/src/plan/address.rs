// SPDX-License-Identifier: Apache-2.0

//! Operations on addresses.

use std::collections::{HashMap, HashSet};

use nipart_schemas::ip::{Address, PROTOCOL_DHCP, PROTOCOL_NIPART};
use nipart_schemas::operation::Operation;

use super::{Phase, Waves};
use crate::goal::{Goal, address};

/// Life times count down and are rounded: smaller gaps than this, in seconds, are no difference.
const LIFE_TIME_SLACK: u32 = 2;

pub(super) fn plan(goal: &Goal<'_>, waves: &mut Waves) {
    let present: HashMap<_, _> = goal
        .surviving()
        .into_iter()
        .flat_map(address::all)
        .filter(|address| !(goal.is_restarted && address.ip.is_ipv6()))
        .map(|address| (address.key(), address))
        .collect();
    let made_by_kernel: HashSet<_> = goal
        .surviving()
        .into_iter()
        .flat_map(address::made_by_kernel)
        .map(|address| address.key())
        .collect();
    for address in &goal.unwanted_addresses {
        let key = address.key();
        if present.contains_key(&key) || made_by_kernel.contains(&key) {
            let interface = goal.name().to_string();
            waves.push(
                Phase::RemoveAddresses,
                Operation::RemoveAddress {
                    interface,
                    address: *address,
                },
            );
        }
    }
    let lost = address::lost_with_primary(goal);
    let of_others = lost
        .iter()
        .filter(|lost| !goal.addresses.iter().any(|kept| kept.key() == lost.key()));
    for address in goal.addresses.iter().chain(of_others) {
        // One that goes and is wanted comes back behind others.
        let mut going = lost.iter().chain(&goal.unwanted_addresses);
        let is_lost = going.any(|going| going.key() == address.key());
        let present = present.get(&address.key()).filter(|_| !is_lost);
        let is_so = present.is_some_and(|present| {
            lives_alike(address, present)
                && marked_alike(address, present)
                && address.route_metric() == present.route_metric()
        });
        if !is_so {
            let mut address = *address;
            if present.is_some_and(|present| present.route_metric() != address.route_metric()) {
                // Written out, since one that isn't stays (`inet6_addr_modify`, net/ipv6/addrconf.c).
                address.prefix_route_metric = Some(address.route_metric());
            }
            let interface = goal.name().to_string();
            let operation = Operation::AddAddress { interface, address };
            waves.push(Phase::AddAddresses, operation);
        }
    }
}

fn lives_alike(wanted: &Address, present: &Address) -> bool {
    let alike = |wanted: Option<u32>, present: Option<u32>| match (wanted, present) {
        (None, None) => true,
        (Some(wanted), Some(has)) => wanted.abs_diff(has) <= LIFE_TIME_SLACK,
        _ => false,
    };
    alike(wanted.valid_life_time, present.valid_life_time)
        && alike(wanted.preferred_life_time, present.preferred_life_time)
}

/// Whether both are leased or both are not. Other marks tell nothing: an old kernel keeps none, and an address that
/// somebody else has added is as good.
fn marked_alike(wanted: &Address, present: &Address) -> bool {
    let ours = [Some(PROTOCOL_NIPART), Some(PROTOCOL_DHCP)];
    wanted.protocol == present.protocol
        || !(ours.contains(&wanted.protocol) && ours.contains(&present.protocol))
}
