// SPDX-License-Identifier: Apache-2.0

//! Booleans and numbers as nmstate users write them: `true`, `"yes"`, `on`, `1500`, `"1500"`, `"0x5dc"`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};

const BOOLEAN_WORDS: &str = "true, false, yes, no, on, off, y, n, 1 or 0";

/// For `#[serde(deserialize_with)]` on an optional boolean.
///
/// # Errors
/// When the value is none of the accepted words.
pub fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    deserializer.deserialize_any(BooleanVisitor).map(Some)
}

/// The same where a boolean stands alone, such as in a map.
pub struct Boolean(pub bool);

impl<'de> Deserialize<'de> for Boolean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BooleanVisitor).map(Self)
    }
}

struct BooleanVisitor;

impl Visitor<'_> for BooleanVisitor {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(BOOLEAN_WORDS)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        match value {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(E::invalid_value(Unexpected::Unsigned(other), &self)),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        Err(E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<bool, E> {
        match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "1" => Ok(true),
            "false" | "no" | "off" | "n" | "0" => Ok(false),
            _ => Err(E::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}

/// For `#[serde(deserialize_with)]` on an optional unsigned number of any width.
///
/// # Errors
/// When the value is no number, or too large for `T`.
pub fn number<'de, D: Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    required_number(deserializer).map(Some)
}

/// The same for a number that must be there.
///
/// # Errors
/// When the value is no number, or too large for `T`.
pub fn required_number<'de, D: Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(NumberVisitor {
        largest: u64::MAX >> (64 - 8 * size_of::<T>().clamp(1, 8)),
        number: PhantomData,
    })
}

/// The length of a network's prefix in bits: up to 32 for IPv4, which only the address tells, up to 128 for IPv6.
///
/// # Errors
/// When the value is no number, or larger than any prefix.
pub fn prefix_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    deserializer.deserialize_any(NumberVisitor {
        largest: 128,
        number: PhantomData,
    })
}

struct NumberVisitor<T> {
    largest: u64,
    number: PhantomData<T>,
}

impl<T: TryFrom<u64>> NumberVisitor<T> {
    fn accept(&self, value: u64) -> Option<T> {
        T::try_from(value).ok().filter(|_| value <= self.largest)
    }
}

impl<T: TryFrom<u64>> Visitor<'_> for NumberVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a whole number from 0 to {}", self.largest)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.accept(value)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        u64::try_from(value)
            .map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
            .and_then(|value| self.visit_u64(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        parsed
            .ok()
            .and_then(|value| self.accept(value))
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// For `#[serde(deserialize_with)]` on an optional number that may be negative.
///
/// # Errors
/// When the value is no number, or doesn't fit.
pub fn signed_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    deserializer.deserialize_any(SignedVisitor).map(Some)
}

struct SignedVisitor;

impl Visitor<'_> for SignedVisitor {
    type Value = i32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number from -2147483648 to 2147483647")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i32, E> {
        i32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i32, E> {
        i32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i32, E> {
        text.parse()
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// For `#[serde(deserialize_with)]` on an optional list of addresses, that may also be one text with commas between.
///
/// # Errors
/// When one of them is no address.
pub fn addresses<'de, D: Deserializer<'de>, T: FromStr>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    deserializer
        .deserialize_any(AddressesVisitor(PhantomData))
        .map(Some)
}

struct AddressesVisitor<T>(PhantomData<T>);

impl<'de, T: FromStr> Visitor<'de> for AddressesVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IP addresses: a list, or text with commas between them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                part.parse()
                    .map_err(|_| E::invalid_value(Unexpected::Str(part), &self))
            })
            .collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut addresses = Vec::new();
        while let Some(text) = sequence.next_element::<String>()? {
            let address = text.parse();
            addresses
                .push(address.map_err(|_| A::Error::invalid_value(Unexpected::Str(&text), &self))?);
        }
        Ok(addresses)
    }
}

/// A route's metric, where nmstate writes -1 for "the default".
///
/// # Errors
/// When the value is neither -1 nor a number that fits.
pub fn metric<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    deserializer.deserialize_any(MetricVisitor)
}

struct MetricVisitor;

impl Visitor<'_> for MetricVisitor {
    type Value = Option<u32>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number from 0 to 4294967295, or -1 for the default")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        u32::try_from(value)
            .map(Some)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        match value {
            -1 => Ok(None),
            0.. => self.visit_u64(value.unsigned_abs()),
            other => Err(E::invalid_value(Unexpected::Signed(other), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match text.parse::<i64>() {
            Ok(value) => self.visit_i64(value),
            Err(_) => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}
