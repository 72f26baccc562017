// SPDX-License-Identifier: Apache-2.0

//! Values of selectors: numbers, ranges of numbers, names of protocols.

use std::fmt;

use serde::{Serialize, Serializer};

use super::selector::Value;
use crate::route::IpNetwork;

impl Value for IpNetwork {
    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Value for String {
    const IS_TEXT: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_string())
    }
}

impl Value for u8 {
    fn read(text: &str) -> Result<Self, String> {
        number(text)
    }
}

impl Value for u32 {
    fn read(text: &str) -> Result<Self, String> {
        number(text)
    }
}

/// A number as people write it, in decimal or as `0x10`.
fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let value = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    let largest = u64::MAX >> (64 - 8 * size_of::<T>().clamp(1, 8));
    let refusal = || format!("{text:?} is not a whole number from 0 to {largest}");
    T::try_from(value.map_err(|_| refusal())?).map_err(|_| refusal())
}

/// All numbers from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumberRange<T> {
    /// The lowest.
    pub start: T,
    /// The highest.
    pub end: T,
}

impl<T: TryFrom<u64> + PartialOrd + Copy> Value for NumberRange<T> {
    fn read(text: &str) -> Result<Self, String> {
        let (start, end) = text.split_once('-').unwrap_or((text, text));
        let (start, end) = (number(start)?, number(end)?);
        if start > end {
            return Err(format!("{text:?}: the first number is the higher one"));
        }
        Ok(Self { start, end })
    }
}

impl<T: fmt::Display + PartialEq> fmt::Display for NumberRange<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.start)?;
        if self.start == self.end {
            return Ok(());
        }
        write!(formatter, "-{}", self.end)
    }
}

impl<T: Serialize + fmt::Display + PartialEq> Serialize for NumberRange<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.start == self.end {
            self.start.serialize(serializer)
        } else {
            serializer.collect_str(self)
        }
    }
}

/// A protocol above IP (`IPPROTO_*`, `linux/in.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpProtocol(pub u8);

/// Names of those that rules are made for.
const PROTOCOLS: [(&str, u8); 8] = [
    ("icmp", 1),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("sctp", 132),
];

impl IpProtocol {
    fn name(self) -> Option<&'static str> {
        let known = PROTOCOLS.iter().find(|(_, number)| *number == self.0);
        known.map(|(name, _)| *name)
    }
}

impl Value for IpProtocol {
    fn read(text: &str) -> Result<Self, String> {
        let known = PROTOCOLS.iter().find(|(name, _)| *name == text);
        match known.map_or_else(|| number(text).ok(), |(_, number)| Some(*number)) {
            Some(number) if number > 0 => Ok(Self(number)),
            _ => {
                let names = PROTOCOLS.map(|(name, _)| name).join(", ");
                Err(format!(
                    "{text:?} is no protocol: expected a number from 1 to 255, or one of {names}"
                ))
            }
        }
    }
}

impl fmt::Display for IpProtocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "{}", self.0),
        }
    }
}

impl Serialize for IpProtocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.name() {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_u8(self.0),
        }
    }
}
