// SPDX-License-Identifier: Apache-2.0

//! Words of the IP sections that are rarely written.
//!
//! They follow from what else is random, by a sum of it: so the rest of a walk is what it was before there were such words.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::Ipv6Addr;

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::AddrGenMode;

/// Adds some to the sections that are there.
pub(crate) fn add(interface: &mut Interface) {
    let sum = Sum::of(interface);
    if let Some(ipv4) = &mut interface.ipv4 {
        ipv4.forwarding = sum.one_in(6, "forwarding").map(is_odd);
        if ipv4.enabled != Some(false) {
            ipv4.prefix_route_metric = sum.one_in(5, "metric").map(metric);
        }
    }
    if let Some(ipv6) = &mut interface.ipv6 {
        ipv6.forwarding = sum.one_in(6, "forwarding of IPv6").map(is_odd);
        if ipv6.enabled == Some(false) {
            return;
        }
        ipv6.prefix_route_metric = sum.one_in(5, "metric of IPv6").map(metric);
        ipv6.addr_gen_mode = sum.one_in(5, "mode").map(|number| match number % 3 {
            0 => AddrGenMode::Eui64,
            1 => AddrGenMode::None,
            _ => AddrGenMode::StablePrivacy,
        });
        ipv6.allow_extra_address = sum.one_in(6, "extra").map(is_odd);
        if ipv6.autoconf != Some(false) {
            ipv6.token = sum.one_in(6, "token").map(|number| match number % 3 {
                0 => Ipv6Addr::UNSPECIFIED,
                number => Ipv6Addr::from(u128::from(number)),
            });
        }
    }
}

fn is_odd(number: u64) -> bool {
    number % 2 == 1
}

fn metric(number: u64) -> u32 {
    [0, 50, 600][(number % 3) as usize]
}

/// What an interface comes to.
struct Sum(u64);

impl Sum {
    fn of(interface: &Interface) -> Self {
        let mut hasher = DefaultHasher::new();
        format!("{interface:?}").hash(&mut hasher);
        Self(hasher.finish())
    }

    /// A number, in one of so many cases; each word has its own.
    fn one_in(&self, cases: u64, word: &str) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (self.0, word).hash(&mut hasher);
        let number = hasher.finish();
        number.is_multiple_of(cases).then_some(number / cases)
    }
}
