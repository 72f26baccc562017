// SPDX-License-Identifier: Apache-2.0

//! Key `wait-ip`: the addresses without which an apply hasn't succeeded.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Interface;
use crate::network_state::NetworkState;
use crate::overlay::overlay_leaf;

/// What an apply that names an interface waits for. Addresses of the link alone don't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaitIp {
    /// Nothing: the same as if no word had ever been written.
    None,
    /// An IPv4 address or an IPv6 address.
    Any,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IPv4 address and an IPv6 address.
    #[serde(rename = "ipv4+ipv6")]
    Both,
}

overlay_leaf!(WaitIp);

impl WaitIp {
    /// The word in users' files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Any => "any",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Both => "ipv4+ipv6",
        }
    }

    /// What an interface lacks that has an IPv4 address or not, and an IPv6 one or not, as in "eth0 has no IPv4 address".
    pub fn lack(self, has_ipv4: bool, has_ipv6: bool) -> Option<&'static str> {
        let (needs_ipv4, needs_ipv6) = match self {
            Self::None => (false, false),
            Self::Any => (!has_ipv6, !has_ipv4),
            Self::Ipv4 => (true, false),
            Self::Ipv6 => (false, true),
            Self::Both => (true, true),
        };
        match (needs_ipv4 && !has_ipv4, needs_ipv6 && !has_ipv6) {
            (false, false) => None,
            (true, false) => Some("no IPv4 address"),
            (false, true) => Some("no IPv6 address"),
            (true, true) => Some("neither an IPv4 nor an IPv6 address"),
        }
    }

    /// What is left of it where a family, or both, are turned off.
    #[must_use]
    pub fn without(self, is_ipv4_off: bool, is_ipv6_off: bool) -> Option<Self> {
        match (self, is_ipv4_off, is_ipv6_off) {
            (_, true, true) | (Self::Ipv4, true, _) | (Self::Ipv6, _, true) => None,
            (Self::Both, true, false) => Some(Self::Ipv6),
            (Self::Both, false, true) => Some(Self::Ipv4),
            _ => Some(self),
        }
    }
}

impl fmt::Display for WaitIp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Interface {
    /// What an apply waits for, if it does.
    pub fn awaited_addresses(&self) -> Option<WaitIp> {
        self.wait_ip.filter(|wait| *wait != WaitIp::None)
    }
}

impl NetworkState {
    /// Takes from what is saved the words that no kernel knows.
    pub fn learn_awaited_addresses(&mut self, saved: &Self) {
        let saved = saved.by_name();
        for interface in &mut self.interfaces {
            let known = saved.get(interface.name.as_str());
            interface.wait_ip = known.and_then(|known| known.wait_ip);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revert_takes_the_word_away_or_brings_it_back() {
        let state = |wait: &str| -> NetworkState {
            crate::yaml::parse(&format!("interfaces: [{{name: eth0, state: up{wait}}}]")).unwrap()
        };
        for (desired, current, expected) in [
            (", wait-ip: any", "", ", wait-ip: none"),
            (
                ", wait-ip: none",
                ", wait-ip: ipv4+ipv6",
                ", wait-ip: ipv4+ipv6",
            ),
            ("", ", wait-ip: ipv4", ""),
        ] {
            let back = crate::revert::revert_of(&state(desired), &state(current));
            assert_eq!(back, state(expected), "{desired}");
        }
    }

    #[test]
    fn what_is_lacking() {
        use WaitIp::{Any, Both, Ipv4, Ipv6, None as Nothing};
        let (v4, v6) = (Some("no IPv4 address"), Some("no IPv6 address"));
        let neither = Some("neither an IPv4 nor an IPv6 address");
        // With no address, an IPv4 one, an IPv6 one, both.
        for (wait, expected) in [
            (Nothing, [None, None, None, None]),
            (Any, [neither, None, None, None]),
            (Ipv4, [v4, None, v4, None]),
            (Ipv6, [v6, v6, None, None]),
            (Both, [neither, v6, v4, None]),
        ] {
            let present = [(false, false), (true, false), (false, true), (true, true)];
            let lacks = present.map(|(has_ipv4, has_ipv6)| wait.lack(has_ipv4, has_ipv6));
            assert_eq!(lacks, expected, "{wait}");
        }
    }
}
