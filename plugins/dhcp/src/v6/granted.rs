// SPDX-License-Identifier: Apache-2.0

//! What a server granted: addresses and settings, with their times worked out (RFC 8415 §18.2.10.1, §14.2).

use std::net::Ipv6Addr;
use std::time::Duration;

use nipart_schemas::lease::{Dhcpv6Address, Dhcpv6Lease, Lease};

use crate::machine;
use crate::v6::message::{Association, FOR_EVER, ServerDuid, ServerMessage};

/// Most addresses of a lease.
const MOST_ADDRESSES: usize = 16;
/// Bounds of the information refresh time (RFC 8415 §21.23 has 600 s at least and a day when none came). An hour at most
/// here: a network without addresses may get some.
const REFRESH_TIMES: std::ops::RangeInclusive<u32> = 600..=3600;

/// An address in use, on the client's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldAddress {
    /// The address.
    pub address: Ipv6Addr,
    /// When it becomes deprecated; `None` for never.
    pub preferred_until: Option<Duration>,
    /// When it must not be used any longer; `None` for never.
    pub valid_until: Option<Duration>,
}

/// A lease in use, on the client's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Kernel name of the link.
    pub interface: String,
    /// Who granted it.
    pub server: ServerDuid,
    /// Its addresses; none when the server tells settings only.
    pub addresses: Vec<HeldAddress>,
    /// DNS servers.
    pub dns_servers: Vec<Ipv6Addr>,
    /// Search list.
    pub dns_search: Vec<String>,
    /// T1, or the information refresh time, in seconds from the start.
    pub renewal_time: u32,
    /// T2 in seconds from the start.
    pub rebinding_time: u32,
    /// When to ask the server to renew (T1), or for settings again; `None` for never.
    pub renew_at: Option<Duration>,
    /// When to ask any server (T2).
    pub rebind_at: Option<Duration>,
    /// When the last of its addresses must not be used any longer.
    pub expires_at: Option<Duration>,
}

impl Granted {
    /// Works out what `message`, a Reply, grants.
    ///
    /// * `started`: when the request went out: times count from here, lest they end later than the server thinks.
    /// * `before`: the lease that it continues. Its addresses that the Reply does not name stay as they are.
    ///
    /// Gives `None` when the message says nothing of addresses, or leaves none.
    #[must_use]
    pub fn from_message(
        interface: &str,
        message: &ServerMessage,
        started: Duration,
        before: Option<&Granted>,
    ) -> Option<Granted> {
        let association = message.granted()?;
        let lent = &association.addresses;
        let mut addresses: Vec<HeldAddress> = lent
            .iter()
            .filter(|lent| lent.valid_time > 0)
            .map(|lent| HeldAddress {
                address: lent.address,
                preferred_until: after(started, lent.preferred_time),
                valid_until: after(started, lent.valid_time),
            })
            .collect();
        let unnamed = before
            .into_iter()
            .flat_map(|before| &before.addresses)
            .filter(|held| lent.iter().all(|lent| lent.address != held.address))
            // What ran out meanwhile is not brought back.
            .filter(|held| held.valid_until.is_none_or(|until| until > started));
        addresses.extend(unnamed);
        addresses.truncate(MOST_ADDRESSES);
        if lent.is_empty() || addresses.is_empty() {
            return None;
        }

        let times = Times::new(association, &addresses, started);
        Some(Granted {
            interface: interface.to_owned(),
            server: message.server.clone(),
            expires_at: end_of(&addresses),
            addresses,
            dns_servers: message.dns_servers.clone(),
            dns_search: message.dns_search.clone(),
            renewal_time: times.renewal,
            rebinding_time: times.rebinding,
            renew_at: after(started, times.renewal),
            rebind_at: after(started, times.rebinding),
        })
    }

    /// What `message`, a Reply to an Information-request of the time `started`, tells: settings and no address.
    #[must_use]
    pub fn settings(interface: &str, message: &ServerMessage, started: Duration) -> Granted {
        let refresh = message.refresh_time.unwrap_or(FOR_EVER);
        let refresh = refresh.clamp(*REFRESH_TIMES.start(), *REFRESH_TIMES.end());
        Granted {
            interface: interface.to_owned(),
            server: message.server.clone(),
            addresses: Vec::new(),
            dns_servers: message.dns_servers.clone(),
            dns_search: message.dns_search.clone(),
            renewal_time: refresh,
            rebinding_time: FOR_EVER,
            renew_at: after(started, refresh),
            rebind_at: None,
            expires_at: None,
        }
    }

    /// Whether there is anything in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.dns_servers.is_empty() && self.dns_search.is_empty()
    }

    /// Its addresses that are valid at `now`.
    #[must_use]
    pub fn addresses_at(&self, now: Duration) -> Vec<Ipv6Addr> {
        self.valid_at(now).map(|held| held.address).collect()
    }

    fn valid_at(&self, now: Duration) -> impl Iterator<Item = &HeldAddress> {
        self.addresses
            .iter()
            .filter(move |held| held.valid_until.is_none_or(|until| until > now))
    }

    /// What is left of the lease at `now` without this address; none when that was the last.
    #[must_use]
    pub fn without(&self, address: Ipv6Addr, now: Duration) -> Option<Granted> {
        let held = self.valid_at(now).filter(|held| held.address != address);
        let addresses: Vec<HeldAddress> = held.copied().collect();
        (!addresses.is_empty()).then(|| Granted {
            expires_at: end_of(&addresses),
            addresses,
            ..self.clone()
        })
    }

    /// The lease as it stands at `now`: with what is left of its addresses' times.
    #[must_use]
    pub fn lease_at(&self, now: Duration) -> Dhcpv6Lease {
        // Rounded up: the kernel takes no address without any time left.
        let left = |until: Option<Duration>| match until {
            None => FOR_EVER,
            Some(until) => until.saturating_sub(now).as_millis().div_ceil(1000) as u32,
        };
        Dhcpv6Lease {
            interface: self.interface.clone(),
            addresses: self
                .valid_at(now)
                .map(|held| Dhcpv6Address {
                    address: held.address,
                    preferred_time: left(held.preferred_until),
                    valid_time: left(held.valid_until),
                })
                .collect(),
            server: self.server.to_string(),
            dns_servers: self.dns_servers.clone(),
            dns_search: self.dns_search.clone(),
            renewal_time: self.renewal_time,
            rebinding_time: self.rebinding_time,
        }
    }
}

impl machine::Granted for Granted {
    fn is_expired(&self, now: Duration) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn lends_the_same(&self, other: &Granted) -> bool {
        let addresses = |granted: &Granted| {
            let mut list: Vec<_> = granted.addresses.iter().map(|held| held.address).collect();
            list.sort_unstable();
            list
        };
        addresses(self) == addresses(other)
            && self.server == other.server
            && self.dns_servers == other.dns_servers
            && self.dns_search == other.dns_search
    }

    fn lease(&self, now: Duration) -> Lease {
        self.lease_at(now).into()
    }
}

/// When the last of these addresses must not be used any longer; `None` for never.
fn end_of(addresses: &[HeldAddress]) -> Option<Duration> {
    let ends: Option<Vec<Duration>> = addresses.iter().map(|held| held.valid_until).collect();
    ends?.into_iter().max()
}

/// `seconds` later, unless that is for ever.
fn after(started: Duration, seconds: u32) -> Option<Duration> {
    (seconds != FOR_EVER).then(|| started + Duration::from_secs(seconds.into()))
}

/// T1 and T2 in seconds from the start of the lease.
struct Times {
    renewal: u32,
    rebinding: u32,
}

impl Times {
    /// As sent where they make sense: in order, and before an address ends. Else 0.5 and 0.8 of the shortest preferred
    /// lifetime (RFC 8415 §21.4), at least a second.
    ///
    /// §21.4 would have an IA_NA with T1 > T2 ignored whole; its addresses are good all the same.
    fn new(association: &Association, addresses: &[HeldAddress], started: Duration) -> Times {
        let seconds = |until: Option<Duration>| match until {
            None => FOR_EVER,
            Some(until) => until.saturating_sub(started).as_secs() as u32,
        };
        let valid = |held: &HeldAddress| seconds(held.valid_until);
        // An address that is deprecated from the start says nothing about when to renew; its end does.
        let lifetime = |held: &HeldAddress| match seconds(held.preferred_until) {
            0 => valid(held),
            preferred_time => preferred_time,
        };
        let shortest = addresses.iter().map(lifetime).min().unwrap_or(FOR_EVER);
        let end = addresses.iter().map(valid).min().unwrap_or(FOR_EVER);
        let share = |tenths: u32| match shortest {
            FOR_EVER => FOR_EVER,
            _ => ((u64::from(shortest) * u64::from(tenths) / 10) as u32).max(1),
        };
        let (half, most) = (share(5), share(8));
        let or = |sent: u32, default: u32| if sent == 0 { default } else { sent };
        let sent = Times {
            renewal: or(association.renewal_time, half),
            rebinding: or(association.rebinding_time, most),
        };
        if sent.renewal <= sent.rebinding && (sent.rebinding <= end) {
            return sent;
        }
        // T2 beyond the end does no harm to a T1 that is early enough.
        if sent.renewal <= most && sent.rebinding > end {
            return Times {
                renewal: sent.renewal,
                rebinding: most,
            };
        }
        Times {
            renewal: half,
            rebinding: most,
        }
    }
}

#[cfg(test)]
mod tests;
