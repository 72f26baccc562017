// SPDX-License-Identifier: Apache-2.0

//! What a server granted: the lease with its times worked out and checked (RFC 2131 §4.4.5).

use std::net::Ipv4Addr;
use std::time::Duration;

use nipart_schemas::lease::{Dhcpv4Lease, Lease};

use crate::machine;
use crate::v4::message::{LinkAddress, ServerMessage};

/// A lease time, T1 or T2 of this many seconds lasts for ever (RFC 2131 §3.3).
pub const FOR_EVER: u32 = u32::MAX;

/// A lease in use, on the client's own clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// What was granted, as others see it. `remaining_time` is stale here: take [`Granted::lease_at`].
    pub lease: Dhcpv4Lease,
    /// When the request that was granted went out: the lease counts from here (RFC 2131 §4.4.1), on `CLOCK_BOOTTIME`.
    pub started: Duration,
    /// When to ask the server to renew (T1); `None` for ever.
    pub renew_at: Option<Duration>,
    /// When to ask any server (T2).
    pub rebind_at: Option<Duration>,
    /// When the address must not be used any longer.
    pub expires_at: Option<Duration>,
    /// Hardware address that the grant came from.
    pub neighbour: LinkAddress,
}

impl Granted {
    /// Works out the lease that `message`, an acknowledgement, grants.
    ///
    /// * `started`: when the request went out.
    /// * `fuzz`: any number; T1 moves forward by up to 2 % and at most 10 s with it, lest a thousand clients that
    ///   booted together renew together (RFC 2131 §4.4.5).
    ///
    /// T1 and T2 that do not satisfy `0 < T1 < T2 < lease` are replaced by 0.5 and 0.875 of the lease time.
    ///
    /// Gives `None` when the message has no lease time or one of zero: such a grant says nothing.
    #[must_use]
    pub fn from_message(
        interface: &str,
        message: &ServerMessage,
        neighbour: LinkAddress,
        started: Duration,
        fuzz: u32,
    ) -> Option<Granted> {
        let lease_time = message.lease_time.filter(|seconds| *seconds > 0)?;
        let times = Times::new(lease_time, message.renewal_time, message.rebinding_time);
        let most_fuzz = (times.renewal / 50).min(Duration::from_secs(10));
        let fuzz = most_fuzz.mul_f64(f64::from(fuzz) / f64::from(u32::MAX));
        let finite = lease_time != FOR_EVER;
        let at = |offset: Duration| finite.then(|| started + offset);
        let seconds = |duration: Duration| {
            if finite {
                duration.as_secs() as u32
            } else {
                FOR_EVER
            }
        };

        // RFC 3442: option 3 counts only when option 121 did not come.
        let classless_routes = message.classless_routes.clone();
        let routers = if classless_routes.is_some() {
            Vec::new()
        } else {
            message.routers.clone()
        };
        let lease = Dhcpv4Lease {
            interface: interface.to_owned(),
            address: message.address,
            prefix_length: message
                .prefix_length
                .unwrap_or_else(|| class_prefix_length(message.address)),
            server: message.server,
            routers,
            classless_routes: classless_routes.unwrap_or_default(),
            dns_servers: message.dns_servers.clone(),
            dns_search: message.dns_search.clone(),
            mtu: message.mtu,
            lease_time,
            renewal_time: seconds(times.renewal),
            rebinding_time: seconds(times.rebinding),
            remaining_time: lease_time,
        };
        Some(Granted {
            lease,
            started,
            renew_at: at(times.renewal.saturating_sub(fuzz)),
            rebind_at: at(times.rebinding),
            expires_at: at(Duration::from_secs(lease_time.into())),
            neighbour,
        })
    }

    /// The lease as it stands at `now`: with what is left of its time.
    #[must_use]
    pub fn lease_at(&self, now: Duration) -> Dhcpv4Lease {
        let remaining_time = match self.expires_at {
            None => FOR_EVER,
            Some(expires_at) => expires_at.saturating_sub(now).as_secs() as u32,
        };
        Dhcpv4Lease {
            remaining_time,
            ..self.lease.clone()
        }
    }
}

impl machine::Granted for Granted {
    fn lease(&self, now: Duration) -> Lease {
        self.lease_at(now).into()
    }

    fn is_expired(&self, now: Duration) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn lends_the_same(&self, other: &Granted) -> bool {
        let timeless = |lease: &Dhcpv4Lease| Dhcpv4Lease {
            lease_time: 0,
            renewal_time: 0,
            rebinding_time: 0,
            remaining_time: 0,
            ..lease.clone()
        };
        timeless(&self.lease) == timeless(&other.lease)
    }
}

/// T1 and T2 from the start of the lease.
struct Times {
    renewal: Duration,
    rebinding: Duration,
}

impl Times {
    fn new(lease_time: u32, renewal: Option<u32>, rebinding: Option<u32>) -> Times {
        let lease = Duration::from_secs(lease_time.into());
        let half = lease / 2;
        let seven_eighths = lease / 8 * 7;
        let sent =
            |seconds: Option<u32>| seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let sound = |renewal: Duration, rebinding: Duration| {
            !renewal.is_zero() && renewal < rebinding && rebinding < lease
        };
        let (sent_renewal, sent_rebinding) = (sent(renewal), sent(rebinding));
        // Both as sent, else the one that fits beside the other's default, else both defaults.
        let candidates = [
            (
                sent_renewal.unwrap_or(half),
                sent_rebinding.unwrap_or(seven_eighths),
            ),
            (half, sent_rebinding.unwrap_or(seven_eighths)),
            (sent_renewal.unwrap_or(half), seven_eighths),
        ];
        candidates
            .into_iter()
            .find(|(renewal, rebinding)| sound(*renewal, *rebinding))
            .map_or(
                Times {
                    renewal: half,
                    rebinding: seven_eighths,
                },
                |(renewal, rebinding)| Times { renewal, rebinding },
            )
    }
}

/// Prefix length of the address class (RFC 791 §2.3): all that is known when no mask came.
fn class_prefix_length(address: Ipv4Addr) -> u8 {
    match address.octets() {
        [0..=127, ..] => 8,
        [128..=191, ..] => 16,
        _ => 24,
    }
}

#[cfg(test)]
mod tests;
