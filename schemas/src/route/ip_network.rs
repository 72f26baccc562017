// SPDX-License-Identifier: Apache-2.0

//! Networks: an address with a prefix length.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A network in CIDR notation. Host bits are zero.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct IpNetwork {
    /// Network address.
    pub address: IpAddr,
    /// Prefix length in bits.
    pub prefix_length: u8,
}

impl IpNetwork {
    /// The network that `address` is in; host bits are cleared.
    pub fn containing(address: IpAddr, prefix_length: u8) -> Self {
        let address = match address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(prefix_length.min(32)))
                    .unwrap_or(0);
                IpAddr::V4((v4.to_bits() & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(prefix_length.min(128)))
                    .unwrap_or(0);
                IpAddr::V6((v6.to_bits() & mask).into())
            }
        };
        Self {
            address,
            prefix_length,
        }
    }

    /// Whether `address` is inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && Self::containing(address, self.prefix_length) == *self
    }

    /// Whether it is the whole address space.
    pub fn is_default(&self) -> bool {
        self.prefix_length == 0
    }
}

impl FromStr for IpNetwork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "{text:?} is not a network: expected an address with a prefix length such as 192.0.2.0/24 or 2001:db8::/64"
            )
        };
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_length = match length {
            Some(length) => length.parse().map_err(|_| refuse())?,
            None => longest,
        };
        if prefix_length > longest {
            return Err(format!("{text:?}: the prefix length is at most {longest}"));
        }
        let network = Self::containing(address, prefix_length);
        if network.address != address {
            return Err(format!(
                "{text:?} has host bits set: the network is {network}"
            ));
        }
        Ok(network)
    }
}

impl TryFrom<String> for IpNetwork {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<IpNetwork> for String {
    fn from(network: IpNetwork) -> Self {
        network.to_string()
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}
