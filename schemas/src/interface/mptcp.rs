// SPDX-License-Identifier: Apache-2.0

//! Addresses of an interface that multipath TCP may use (RFC 8684): endpoints of the kernel's path manager.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::Interface;
use crate::ip::{Address, PROTOCOL_DHCP};
use crate::overlay::{overlay, overlay_leaf};
use crate::word::words;

/// Key `mptcp`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mptcp {
    /// What each address of the interface may be used for; `[]`: for nothing, none is an endpoint. Link-local addresses,
    /// `127.0.0.0/8`, `::1`, and IPv6 addresses with a life time are never endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_flags: Option<MptcpAddressFlags>,
    /// Never written: the endpoints that the kernel has of this interface, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub endpoint: Option<Vec<MptcpEndpoint>>,
}

overlay!(Mptcp { address_flags } read_only { endpoint });

words! {
    /// What an endpoint is used for: `MPTCP_PM_ADDR_FLAG_*` of `linux/mptcp.h`.
    MptcpAddressFlag {
        /// It is announced to the other end.
        Signal = 1 "signal",
        /// Subflows are made from it.
        Subflow = 2 "subflow",
        /// Its subflows are used when there are no others.
        Backup = 4 "backup",
        /// Subflows are made from it to every address of the other end.
        Fullmesh = 8 "fullmesh",
    }
}

const ALL_FLAGS: [MptcpAddressFlag; 4] = [
    MptcpAddressFlag::Signal,
    MptcpAddressFlag::Subflow,
    MptcpAddressFlag::Backup,
    MptcpAddressFlag::Fullmesh,
];

/// A set of flags, written as a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MptcpAddressFlags(u8);

impl MptcpAddressFlags {
    /// Those of the kernel's flags that are known here.
    pub fn from_bits(bits: u32) -> Self {
        let known = ALL_FLAGS
            .iter()
            .filter(|flag| bits & u32::from(flag.number()) != 0);
        Self(known.fold(0, |set, flag| set | flag.number()))
    }

    /// The kernel's flags.
    pub fn bits(self) -> u32 {
        self.0.into()
    }

    /// Whether none is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the flag is among them.
    pub fn contains(self, flag: MptcpAddressFlag) -> bool {
        self.0 & flag.number() != 0
    }

    fn iter(self) -> impl Iterator<Item = MptcpAddressFlag> {
        ALL_FLAGS
            .into_iter()
            .filter(move |flag| self.contains(*flag))
    }
}

impl fmt::Display for MptcpAddressFlags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(MptcpAddressFlag::as_str).collect();
        formatter.write_str(&words.join(" "))
    }
}

impl Serialize for MptcpAddressFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for MptcpAddressFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::default();
        for flag in Vec::<MptcpAddressFlag>::deserialize(deserializer)? {
            if set.contains(flag) {
                return Err(D::Error::custom(format!("flag {flag} is listed twice")));
            }
            set.0 |= flag.number();
        }
        Ok(set)
    }
}

impl JsonSchema for MptcpAddressFlags {
    fn schema_name() -> Cow<'static, str> {
        "MptcpAddressFlags".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let flag = generator.subschema_for::<MptcpAddressFlag>();
        json_schema!({ "type": "array", "items": flag, "uniqueItems": true })
    }
}

overlay_leaf!(MptcpAddressFlags);

/// An address that the path manager may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MptcpEndpoint {
    /// The address.
    pub ip: IpAddr,
    /// What for.
    pub flags: MptcpAddressFlags,
}

impl fmt::Display for MptcpEndpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.ip, self.flags)
    }
}

/// What the kernel has kept of a link that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LostEndpoints {
    /// The number that the link had; no other gets it.
    pub link: u32,
    /// The addresses.
    pub ip: Vec<IpAddr>,
}

/// Whether an address of an interface is made an endpoint. What comes and goes with router advertisements isn't.
pub fn can_be_endpoint(address: &Address) -> bool {
    match address.ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_loopback(),
        IpAddr::V6(ip) => {
            let is_leased = address.protocol == Some(PROTOCOL_DHCP);
            let is_lasting = address.valid_life_time.is_none() && !address.is_advertised();
            (is_leased || is_lasting) && !ip.is_unicast_link_local() && !ip.is_loopback()
        }
    }
}

impl Interface {
    /// Whether its addresses are to be endpoints.
    pub fn wants_endpoints(&self) -> bool {
        let section = self.mptcp.as_ref();
        let flags = section.and_then(|section| section.address_flags);
        flags.is_some_and(|flags| !flags.is_empty())
    }

    /// The endpoints that were observed.
    pub fn mptcp_endpoints(&self) -> &[MptcpEndpoint] {
        let section = self.mptcp.as_ref();
        let list = section.and_then(|section| section.endpoint.as_deref());
        list.unwrap_or_default()
    }

    /// Takes in the endpoints that the kernel has of it. They are one wish only if they are all of its addresses, with the
    /// same flags.
    pub fn observe_mptcp(&mut self, mut endpoints: Vec<MptcpEndpoint>) {
        endpoints.sort_unstable_by_key(|endpoint| endpoint.ip);
        endpoints.dedup_by_key(|endpoint| endpoint.ip);
        let Some(first) = endpoints.first().copied() else {
            self.mptcp = None;
            return;
        };
        let mut meant: Vec<IpAddr> = self
            .addresses()
            .filter(can_be_endpoint)
            .map(|address| address.ip)
            .collect();
        meant.sort_unstable();
        meant.dedup();
        let is_one_wish = meant
            .iter()
            .eq(endpoints.iter().map(|endpoint| &endpoint.ip))
            && !first.flags.is_empty()
            && endpoints.iter().all(|other| other.flags == first.flags);
        self.mptcp = Some(Box::new(Mptcp {
            address_flags: is_one_wish.then_some(first.flags),
            endpoint: Some(endpoints),
        }));
    }

    /// Shows the endpoints at their addresses, as nmstate does.
    pub fn show_mptcp_flags(&mut self) {
        let Some(section) = &mut self.mptcp else {
            return;
        };
        let endpoints = section.endpoint.take().unwrap_or_default();
        if section.address_flags.is_none() {
            self.mptcp = None;
        }
        let flags_of = |ip: IpAddr| {
            let mut same = endpoints.iter().filter(|endpoint| endpoint.ip == ip);
            same.next().map(|endpoint| endpoint.flags)
        };
        let ipv4 = self.ipv4.iter_mut().flat_map(|ipv4| &mut ipv4.address);
        ipv4.flatten()
            .for_each(|address| address.mptcp_flags = flags_of(address.ip.into()));
        let ipv6 = self.ipv6.iter_mut().flat_map(|ipv6| &mut ipv6.address);
        ipv6.flatten()
            .for_each(|address| address.mptcp_flags = flags_of(address.ip.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(text: &str) -> Interface {
        crate::yaml::parse(text).unwrap()
    }

    fn endpoint(ip: &str, bits: u32) -> MptcpEndpoint {
        let ip = ip.parse().unwrap();
        let flags = MptcpAddressFlags::from_bits(bits);
        MptcpEndpoint { ip, flags }
    }

    const INTERFACE: &str = "
name: v0
ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}, {ip: 169.254.0.1, prefix-length: 16}]}
ipv6:
  address:
  - {ip: '2001:db8::1', prefix-length: 64}
  - {ip: '2001:db8::2', prefix-length: 64, protocol: 2}
  - {ip: '2001:db8::3', prefix-length: 64, valid-life-time: 9}
  - {ip: 'fe80::1', prefix-length: 64}
";

    #[test]
    fn flags_are_a_set() {
        let flags: MptcpAddressFlags = crate::yaml::parse("[backup, 2]").unwrap();
        assert_eq!(
            (flags.bits(), flags.to_string()),
            (6, "subflow backup".into())
        );
        assert_eq!(
            crate::yaml::to_string(&flags).unwrap(),
            "---\n- subflow\n- backup\n"
        );
        assert_eq!(MptcpAddressFlags::from_bits(0xffff_fff2).bits(), 2);
        let twice = crate::yaml::parse::<MptcpAddressFlags>("[backup, backup]");
        assert!(twice.unwrap_err().to_string().contains("listed twice"));
    }

    #[test]
    fn endpoints_are_one_wish_if_all_addresses_are_alike() {
        let seen = |endpoints: Vec<MptcpEndpoint>| {
            let mut seen = interface(INTERFACE);
            seen.observe_mptcp(endpoints);
            seen.mptcp?.address_flags
        };
        let both = |first, second| {
            vec![
                endpoint("2001:db8::1", second),
                endpoint("192.0.2.1", first),
            ]
        };
        assert_eq!(seen(both(3, 3)).map(MptcpAddressFlags::bits), Some(3));
        for others in [
            both(3, 1),
            both(0, 0),
            vec![endpoint("192.0.2.1", 3)],
            [both(3, 3), vec![endpoint("192.0.2.9", 3)]].concat(),
            Vec::new(),
        ] {
            assert_eq!(seen(others), None);
        }
    }

    #[test]
    fn endpoints_are_shown_at_addresses() {
        let mut shown = interface(INTERFACE);
        shown.observe_mptcp(vec![endpoint("192.0.2.1", 5), endpoint("192.0.2.9", 1)]);
        shown.show_mptcp_flags();
        let mut expected = interface(INTERFACE);
        let list = expected
            .ipv4
            .as_mut()
            .and_then(|ipv4| ipv4.address.as_mut());
        list.unwrap()[0].mptcp_flags = Some(MptcpAddressFlags::from_bits(5));
        assert_eq!(shown, expected);
    }
}
