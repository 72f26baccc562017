// SPDX-License-Identifier: Apache-2.0

//! Endpoints of multipath TCP. Those without a link, and those with a port, belong to others.

use std::collections::HashMap;

use nipart_netlink::genl::mptcp::{Endpoint, Mptcp};
use nipart_netlink::{GenericSocket, NetlinkError};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::mptcp::{
    LostEndpoints, MptcpAddressFlag, MptcpAddressFlags, MptcpEndpoint,
};

use crate::error::from_netlink;

/// What links are to have for endpoints, by number of the link.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) link: u32,
    pub(crate) wanted: Vec<MptcpEndpoint>,
}

/// The endpoints of all links by number of the link, also of links that are gone.
pub(crate) async fn read(
    generic: &GenericSocket,
) -> Result<HashMap<u32, Vec<MptcpEndpoint>>, NetlinkError> {
    let mut by_link: HashMap<u32, Vec<MptcpEndpoint>> = HashMap::new();
    let Some(family) = generic.mptcp().await? else {
        return Ok(by_link);
    };
    for endpoint in family.endpoints().await?.into_iter().filter(is_of_a_link) {
        let list = by_link.entry(endpoint.link).or_default();
        list.push(MptcpEndpoint {
            ip: endpoint.ip,
            flags: MptcpAddressFlags::from_bits(endpoint.flags),
        });
    }
    Ok(by_link)
}

/// Those whose link has no name any more.
pub(crate) fn lost(
    by_link: &HashMap<u32, Vec<MptcpEndpoint>>,
    names: &HashMap<u32, String>,
) -> Vec<LostEndpoints> {
    let gone = by_link.iter().filter(|(link, _)| !names.contains_key(link));
    let lost = gone.map(|(link, list)| LostEndpoints {
        link: *link,
        ip: list.iter().map(|endpoint| endpoint.ip).collect(),
    });
    let mut lost: Vec<LostEndpoints> = lost.collect();
    lost.sort_unstable_by_key(|lost| lost.link);
    lost
}

fn is_of_a_link(endpoint: &Endpoint) -> bool {
    endpoint.link != 0 && endpoint.port == 0
}

/// Whether the kernel has endpoints at all.
///
/// # Errors
/// `not-supported` when it hasn't.
pub(crate) async fn check(generic: &GenericSocket) -> Result<(), NipartError> {
    family(generic).await.map(|_| ())
}

async fn family(generic: &GenericSocket) -> Result<Mptcp<'_>, NipartError> {
    let family = generic
        .mptcp()
        .await
        .map_err(|error| from_netlink(&error))?;
    family.ok_or_else(|| {
        NipartError::new(
            ErrorKind::NotSupported,
            "the kernel has no MPTCP support (CONFIG_MPTCP)",
        )
    })
}

/// One step on the way to what is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Remove(Endpoint),
    SetFlags(Endpoint),
    Add(Endpoint),
}

/// Changes what isn't so yet: an endpoint that stays keeps its subflows.
pub(crate) async fn configure(
    generic: &GenericSocket,
    endpoints: Endpoints,
) -> Result<(), NipartError> {
    let family = family(generic).await?;
    let present = family.endpoints().await;
    let present = present.map_err(|error| from_netlink(&error))?;
    for change in changes(&endpoints, &present) {
        execute(&family, &change).await?;
    }
    Ok(())
}

/// What goes first makes room.
fn changes(endpoints: &Endpoints, present: &[Endpoint]) -> Vec<Change> {
    let Endpoints { link, wanted } = endpoints;
    let mut ours: HashMap<_, Endpoint> = present
        .iter()
        .filter(|endpoint| is_of_a_link(endpoint) && endpoint.link == *link)
        .map(|endpoint| (endpoint.ip, *endpoint))
        .collect();
    let (mut removals, mut others) = (Vec::new(), Vec::new());
    for MptcpEndpoint { ip, flags } in wanted {
        let new = Endpoint {
            id: 0,
            ip: *ip,
            link: *link,
            port: 0,
            flags: flags.bits(),
        };
        let Some(present) = ours.remove(ip) else {
            others.push(Change::Add(new));
            continue;
        };
        let changed = present.flags ^ new.flags;
        if changed == 0 {
            continue;
        }
        if can_change_in_place(changed, new.flags) {
            let id = present.id;
            others.push(Change::SetFlags(Endpoint { id, ..new }));
        } else {
            removals.push(present);
            others.push(Change::Add(new));
        }
    }
    removals.extend(ours.into_values());
    removals.sort_unstable_by_key(|endpoint| endpoint.id);
    let removals = removals.into_iter().map(Change::Remove);
    removals.chain(others).collect()
}

/// `mptcp_pm_nl_set_flags`, net/mptcp/pm_kernel.c: not `fullmesh` of what is announced.
fn can_change_in_place(changed: u32, flags: u32) -> bool {
    let number = |flag: MptcpAddressFlag| u32::from(flag.number());
    let backup = number(MptcpAddressFlag::Backup);
    let fullmesh = number(MptcpAddressFlag::Fullmesh);
    let is_announced = flags & number(MptcpAddressFlag::Signal) != 0;
    changed & !(backup | fullmesh) == 0 && !(is_announced && changed & fullmesh != 0)
}

async fn execute(family: &Mptcp<'_>, change: &Change) -> Result<(), NipartError> {
    let (doing, endpoint, result) = match change {
        Change::Remove(endpoint) => match family.remove(endpoint.id).await {
            Err(error) if is_gone(&error) => ("remove", endpoint, Ok(())),
            result => ("remove", endpoint, result),
        },
        Change::SetFlags(endpoint) => {
            let result = family.set_flags(endpoint.id, endpoint.flags).await;
            ("change the flags of", endpoint, result)
        }
        Change::Add(endpoint) => ("add", endpoint, family.add(endpoint).await),
    };
    result.map_err(|error| {
        let error = from_netlink(&error).while_doing(format_args!("{doing} {}", endpoint.ip));
        match change {
            Change::Add(_) => error.note(
                "an address can be an endpoint once only, and the kernel takes a few: `ip mptcp endpoint` lists them all",
            ),
            _ => error,
        }
    })
}

/// The kernel says `EINVAL` of a number that no endpoint has, and has a text for it.
fn is_gone(error: &NetlinkError) -> bool {
    let NetlinkError::Kernel(error) = error else {
        return false;
    };
    error.text.as_deref() == Some("address not found")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(id: u8, host: u8, link: u32, flags: u32) -> Endpoint {
        Endpoint {
            id,
            ip: [192, 0, 2, host].into(),
            link,
            port: 0,
            flags,
        }
    }

    fn wanted(list: &[(u8, u32)]) -> Endpoints {
        let wanted = list.iter().map(|(host, bits)| MptcpEndpoint {
            ip: [192, 0, 2, *host].into(),
            flags: MptcpAddressFlags::from_bits(*bits),
        });
        Endpoints {
            link: 3,
            wanted: wanted.collect(),
        }
    }

    #[test]
    fn only_what_differs_is_changed() {
        let there = [
            endpoint(1, 1, 3, 1),
            endpoint(2, 2, 3, 2),
            endpoint(3, 3, 4, 2),
            endpoint(4, 4, 0, 2),
            Endpoint {
                port: 77,
                ..endpoint(5, 5, 3, 1)
            },
        ];
        assert_eq!(changes(&wanted(&[(1, 1), (2, 2)]), &there), []);
        let expected = [
            Change::Remove(there[0]),
            Change::SetFlags(endpoint(2, 2, 3, 14)),
            Change::Add(endpoint(0, 6, 3, 2)),
        ];
        assert_eq!(changes(&wanted(&[(2, 14), (6, 2)]), &there), expected);
        let expected = [
            Change::Remove(there[1]),
            Change::SetFlags(endpoint(1, 1, 3, 5)),
            Change::Add(endpoint(0, 2, 3, 1)),
        ];
        assert_eq!(changes(&wanted(&[(1, 5), (2, 1)]), &there), expected);
        let removals = [Change::Remove(there[0]), Change::Remove(there[1])];
        assert_eq!(changes(&wanted(&[]), &there), removals);
    }
}
