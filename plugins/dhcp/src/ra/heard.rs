// SPDX-License-Identifier: Apache-2.0

//! What has been heard of which router, how long each piece is good for, and what all of it means together.
//!
//! A router speaks for itself: what it takes back, or lets run out, another one may still advertise. Of several that lead
//! to one destination the one with the highest preference counts, the first heard where they have the same (RFC 4191 §3).

use std::net::Ipv6Addr;
use std::time::Duration;

use nipart_schemas::lease::{AdvertisedLease, AdvertisedRoute};

use super::message::{Advertisement, Destination, FOR_EVER, Lasting, Preference};
use crate::machine::earlier;

/// Most routers that are listened to; more are ignored until one of them has nothing to say any more.
const MOST_ROUTERS: usize = 4;
/// Most routes, DNS servers and domains, of one router and of all.
const MOST_ROUTES: usize = 32;
const MOST_SERVERS: usize = 8;
const MOST_DOMAINS: usize = 16;

/// What the routers of one link have said, in the order in which they were heard first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    routers: Vec<Router>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Router {
    address: Ipv6Addr,
    /// As a default router.
    default: Vec<Held<Preference>>,
    routes: Vec<Held<Destination>>,
    dns_servers: Vec<Held<Ipv6Addr>>,
    dns_search: Vec<Held<String>>,
}

/// Something with its end on the client's own clock; `None` for never.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held<T> {
    what: T,
    until: Option<Duration>,
}

impl Heard {
    /// Takes in what a router says at `now`.
    pub fn take(&mut self, advertisement: &Advertisement, now: Duration) {
        let address = advertisement.router;
        let mut known = self.routers.iter().position(|one| one.address == address);
        if known.is_none() && self.routers.len() < MOST_ROUTERS {
            self.routers.push(Router::new(address));
            known = Some(self.routers.len() - 1);
        }
        let router = known.and_then(|position| self.routers.get_mut(position));
        if let Some(router) = router {
            router.take(advertisement, now);
        }
        self.forget(now);
    }

    /// Drops what has ended by `now`.
    pub fn forget(&mut self, now: Duration) {
        for router in &mut self.routers {
            forget(&mut router.default, now);
            forget(&mut router.routes, now);
            forget(&mut router.dns_servers, now);
            forget(&mut router.dns_search, now);
        }
        self.routers.retain(|router| !router.is_empty());
    }

    /// When something ends next; `None` for never.
    #[must_use]
    pub fn next_end(&self) -> Option<Duration> {
        let ends = self.routers.iter().map(Router::next_end);
        ends.fold(None, earlier)
    }

    /// What all of it means together for the link of this name; none when there is nothing.
    #[must_use]
    pub fn lease(&self, interface: &str) -> Option<AdvertisedLease> {
        let routers = || self.routers.iter();
        let defaults = routers().filter_map(|router| {
            let preference = router.default.first()?.what;
            Some((preference, router.address))
        });
        let mut lease = AdvertisedLease {
            interface: interface.to_owned(),
            default_router: best(defaults),
            ..AdvertisedLease::default()
        };
        for held in routers().flat_map(|router| &router.routes) {
            let destination = held.what;
            let is_listed = lease.routes.iter().any(|listed| {
                listed.destination == destination.address
                    && listed.prefix_length == destination.prefix_length
            });
            if let Some(gateway) = self.gateway_to(destination)
                && !is_listed
            {
                lease.routes.push(AdvertisedRoute {
                    destination: destination.address,
                    prefix_length: destination.prefix_length,
                    gateway,
                });
            }
        }
        for held in routers().flat_map(|router| &router.dns_servers) {
            if !lease.dns_servers.contains(&held.what) {
                lease.dns_servers.push(held.what);
            }
        }
        for held in routers().flat_map(|router| &router.dns_search) {
            if !lease.dns_search.contains(&held.what) {
                lease.dns_search.push(held.what.clone());
            }
        }
        lease.routes.truncate(MOST_ROUTES);
        lease.dns_servers.truncate(MOST_SERVERS);
        lease.dns_search.truncate(MOST_DOMAINS);
        let is_empty = lease.default_router.is_none()
            && lease.routes.is_empty()
            && lease.dns_servers.is_empty()
            && lease.dns_search.is_empty();
        (!is_empty).then_some(lease)
    }

    fn gateway_to(&self, destination: Destination) -> Option<Ipv6Addr> {
        best(self.routers.iter().filter_map(|router| {
            let held = router.routes.iter().map(|held| held.what);
            let mut same = held.filter(|held| is_same(*held, destination));
            Some((same.next()?.preference, router.address))
        }))
    }
}

/// The first of those with the highest preference.
fn best(candidates: impl Iterator<Item = (Preference, Ipv6Addr)>) -> Option<Ipv6Addr> {
    let better = |best: (Preference, Ipv6Addr), next: (Preference, Ipv6Addr)| {
        if next.0 > best.0 { next } else { best }
    };
    candidates.reduce(better).map(|(_, address)| address)
}

fn is_same(one: Destination, other: Destination) -> bool {
    one.address == other.address && one.prefix_length == other.prefix_length
}

impl Router {
    fn new(address: Ipv6Addr) -> Router {
        Router {
            address,
            default: Vec::new(),
            routes: Vec::new(),
            dns_servers: Vec::new(),
            dns_search: Vec::new(),
        }
    }

    fn take(&mut self, advertisement: &Advertisement, now: Duration) {
        let lasting = Lasting {
            what: advertisement.preference,
            lifetime: advertisement.lifetime.into(),
        };
        hold(&mut self.default, &lasting, now, 1, |_, _| true);
        for lasting in &advertisement.routes {
            let Lasting { what, lifetime } = lasting;
            if what.prefix_length == 0 {
                // What it says of the default route counts for more than the header (RFC 4191 §3.1).
                let lasting = Lasting {
                    what: what.preference,
                    lifetime: *lifetime,
                };
                hold(&mut self.default, &lasting, now, 1, |_, _| true);
            } else {
                hold(&mut self.routes, lasting, now, MOST_ROUTES, |one, other| {
                    is_same(*one, *other)
                });
            }
        }
        for lasting in &advertisement.dns_servers {
            let same = Ipv6Addr::eq;
            hold(&mut self.dns_servers, lasting, now, MOST_SERVERS, same);
        }
        for lasting in &advertisement.dns_search {
            let same = String::eq;
            hold(&mut self.dns_search, lasting, now, MOST_DOMAINS, same);
        }
    }

    fn is_empty(&self) -> bool {
        self.default.is_empty()
            && self.routes.is_empty()
            && self.dns_servers.is_empty()
            && self.dns_search.is_empty()
    }

    fn next_end(&self) -> Option<Duration> {
        let ends = [
            next_end(&self.default),
            next_end(&self.routes),
            next_end(&self.dns_servers),
            next_end(&self.dns_search),
        ];
        ends.into_iter().fold(None, earlier)
    }
}

/// Holds it anew, in its old place if there is one; what has no lifetime goes, and what has no room is left out.
fn hold<T: Clone>(
    list: &mut Vec<Held<T>>,
    lasting: &Lasting<T>,
    now: Duration,
    most: usize,
    is_same: impl Fn(&T, &T) -> bool,
) {
    let Lasting { what, lifetime } = lasting;
    if *lifetime == 0 {
        return list.retain(|held| !is_same(&held.what, what));
    }
    let held = Held {
        what: what.clone(),
        until: (*lifetime != FOR_EVER).then(|| now + Duration::from_secs((*lifetime).into())),
    };
    let known = list.iter_mut().find(|old| is_same(&old.what, what));
    if let Some(known) = known {
        *known = held;
    } else if list.len() < most {
        list.push(held);
    }
}

fn forget<T>(list: &mut Vec<Held<T>>, now: Duration) {
    list.retain(|held| held.until.is_none_or(|until| until > now));
}

fn next_end<T>(list: &[Held<T>]) -> Option<Duration> {
    list.iter().filter_map(|held| held.until).min()
}

#[cfg(test)]
mod tests;
