// SPDX-License-Identifier: Apache-2.0

//! What came as JSON, and may only have to be handed on: it is read when somebody looks into it.

use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{ErrorKind, NipartError};

/// A `T`, or the JSON of one that nobody has looked into yet. Handed on unread, it costs a copy of the text.
#[derive(Debug, Clone)]
pub enum Unread<T> {
    /// It came from within this process.
    Value(T),
    /// It came as JSON.
    Text {
        /// As it came.
        text: Box<RawValue>,
        /// What it says, once somebody has looked.
        value: OnceLock<T>,
    },
}

impl<T: DeserializeOwned> Unread<T> {
    /// The value.
    ///
    /// # Errors
    /// Kind `protocol` when the text isn't one.
    pub fn read(&self) -> Result<&T, NipartError> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Text { text, value } => match value.get() {
                Some(value) => Ok(value),
                None => {
                    let parsed = parse(text)?;
                    Ok(value.get_or_init(|| parsed))
                }
            },
        }
    }

    /// The value, taken out.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn into_read(self) -> Result<T, NipartError> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Text { text, value } => value.into_inner().map_or_else(|| parse(&text), Ok),
        }
    }
}

fn parse<T: DeserializeOwned>(text: &RawValue) -> Result<T, NipartError> {
    // As bytes: a second copy of the parser of all that states can say would be for text alone.
    serde_json::from_slice(text.get().as_bytes()).map_err(|error| {
        NipartError::new(
            ErrorKind::Protocol,
            format!("what another process has sent can't be read: {error}"),
        )
    })
}

impl<T> From<T> for Unread<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Default> Default for Unread<T> {
    fn default() -> Self {
        T::default().into()
    }
}

impl<T: Serialize> Serialize for Unread<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Text { text, .. } => text.serialize(serializer),
        }
    }
}

impl<'de, T> Deserialize<'de> for Unread<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::Text {
            text: Box::deserialize(deserializer)?,
            value: OnceLock::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_not_looked_into() {
        let unread: Unread<u8> = serde_json::from_str(r#"{"no": "number"}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&unread).unwrap(),
            r#"{"no": "number"}"#
        );
        let error = unread.read().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(unread.into_read().is_err());
    }

    #[test]
    fn a_value_is_read_and_written() {
        let unread: Unread<u8> = serde_json::from_str("7").unwrap();
        assert_eq!(unread.read().unwrap(), &7);
        assert_eq!(unread.read().unwrap(), &7);
        assert_eq!(unread.into_read().unwrap(), 7);
        let given = Unread::from(8);
        assert_eq!(given.read().unwrap(), &8);
        assert_eq!(serde_json::to_string(&given).unwrap(), "8");
        assert_eq!(Unread::<u8>::default().into_read().unwrap(), 0);
    }
}
