// SPDX-License-Identifier: Apache-2.0

//! From `RTM_NEWADDR` to an address of an interface.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nipart_netlink::packet::address::{
    AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope,
};
use nipart_netlink::{DumpSocket, NetlinkError};
use nipart_schemas::ip::Address;

use super::TARGETED_MAX;

/// `INFINITY_LIFE_TIME` (`linux/if_addr.h` users, `net/addrconf.h`).
const FOREVER: u32 = u32::MAX;

/// The addresses of one link, in the kernel's order.
#[derive(Debug, Default)]
pub(crate) struct LinkAddresses {
    pub(crate) ipv4: Vec<Address<Ipv4Addr>>,
    pub(crate) ipv6: Vec<Address<Ipv6Addr>>,
}

/// The metric that all addresses of a list have that aren't the kernel's own; none when that is its default.
pub(super) fn common_metric<A: Copy + Into<IpAddr>>(list: &[Address<A>]) -> Option<u32> {
    let is_given = |address: &&Address| {
        let is_link_local = matches!(address.ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        !is_link_local && !address.is_advertised()
    };
    let list: Vec<Address> = list.iter().map(Address::any_family).collect();
    let mut metrics = list
        .iter()
        .filter(is_given)
        .map(|address| address.prefix_route_metric);
    let first = metrics.next()?;
    first.filter(|_| metrics.all(|metric| metric == first))
}

/// Addresses by number of the link; those of all links, or of the given ones. With `only_usable`, those that
/// [`is_usable`].
pub(super) async fn read(
    dump: &DumpSocket,
    links: Option<&HashSet<u32>>,
    only_usable: bool,
) -> Result<HashMap<u32, LinkAddresses>, NetlinkError> {
    let observe = move |message: AddressMessage| {
        let is_meant = !only_usable || is_usable(&message);
        is_meant.then(|| observe(message)).flatten()
    };
    let mut by_link = HashMap::new();
    match links {
        Some(links) if links.len() <= TARGETED_MAX => {
            for link in links {
                match dump.addresses_map(Some(*link), observe).await {
                    Ok(addresses) => sort_in(addresses, &mut by_link),
                    // The link has gone since.
                    Err(error) if error.is_not_found() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        _ => sort_in(dump.addresses_map(None, observe).await?, &mut by_link),
    }
    Ok(by_link)
}

fn sort_in(addresses: Vec<(u32, Address)>, by_link: &mut HashMap<u32, LinkAddresses>) {
    for (link, address) in addresses {
        let lists = by_link.entry(link).or_default();
        match address.ip {
            IpAddr::V4(ip) => lists.ipv4.push(address.with_ip(ip)),
            IpAddr::V6(ip) => lists.ipv6.push(address.with_ip(ip)),
        }
    }
}

/// Whether others can reach the link by it: it is not of the link or the host alone, and no other host is known or
/// suspected to have it (`IFA_F_TENTATIVE`, `IFA_F_DADFAILED`, `linux/if_addr.h`).
fn is_usable(message: &AddressMessage) -> bool {
    let unsettled = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
    let reaches = matches!(
        message.header.scope,
        AddressScope::Universe | AddressScope::Site
    );
    reaches && !message.header.flags.intersects(unsettled)
}

/// Number of the link, and the address; none for a message without one.
fn observe(message: AddressMessage) -> Option<(u32, Address)> {
    let (mut local, mut remote) = (None, None);
    let (mut valid, mut preferred) = (FOREVER, FOREVER);
    let (mut protocol, mut metric) = (None, None);
    for attribute in message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(ip),
            AddressAttribute::Address(ip) => remote = Some(ip),
            AddressAttribute::CacheInfo(info) => {
                (valid, preferred) = (info.ifa_valid, info.ifa_preferred);
            }
            AddressAttribute::Protocol(number) => protocol = Some(u8::from(number)),
            AddressAttribute::RoutePriority(number) => metric = Some(number),
            _ => {}
        }
    }
    // On a point-to-point link `IFA_ADDRESS` is the other end's; IPv6 sends only that one where there is no such end.
    let mut address = Address {
        valid_life_time: (valid != FOREVER).then_some(valid),
        preferred_life_time: (preferred != FOREVER).then_some(preferred),
        protocol: protocol.filter(|number| *number != 0),
        ..Address::new(local.or(remote)?, message.header.prefix_len)
    };
    // The default may have been written out.
    let default = address.route_metric();
    address.prefix_route_metric = metric.filter(|metric| ![0, default].contains(metric));
    Some((message.header.index, address))
}
