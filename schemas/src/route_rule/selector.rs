// SPDX-License-Identifier: Apache-2.0

//! What a packet must have, or nothing.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::{Serialize, Serializer};

/// The value of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selector<T> {
    /// `""`: there is none.
    Without,
    /// What a packet must have.
    Is(T),
}

/// What can be a selector's value.
pub(crate) trait Value: Sized {
    /// Whether it is text whatever it looks like: a name such as `0x10` stays a name.
    const IS_TEXT: bool = false;

    /// Reads what a user wrote.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(text: &str) -> Result<Self, String>;
}

impl<T> Selector<T> {
    /// What a packet must have, if anything.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Without => None,
            Self::Is(value) => Some(value),
        }
    }

    /// Whether `selector` of a rule is meant by `pattern`: anything, when that is left out.
    pub(super) fn matches(pattern: Option<&Self>, selector: Option<&Self>) -> bool
    where
        T: PartialEq,
    {
        match pattern {
            None => true,
            Some(pattern) => pattern.value() == selector.and_then(Self::value),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Selector<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Without => formatter.write_str("none"),
            Self::Is(value) => value.fmt(formatter),
        }
    }
}

impl<T: Serialize> Serialize for Selector<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Without => serializer.serialize_str(""),
            Self::Is(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Value> Deserialize<'de> for Selector<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = SelectorVisitor(PhantomData);
        if T::IS_TEXT {
            deserializer.deserialize_str(visitor)
        } else {
            deserializer.deserialize_any(visitor)
        }
    }
}

struct SelectorVisitor<T>(PhantomData<T>);

impl<T: Value> Visitor<'_> for SelectorVisitor<T> {
    type Value = Selector<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number or text")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match text {
            "" => Ok(Selector::Without),
            text => T::read(text).map(Selector::Is).map_err(E::custom),
        }
    }
}

impl<T> JsonSchema for Selector<T> {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}
