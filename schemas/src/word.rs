// SPDX-License-Identifier: Apache-2.0

//! Words that the kernel has numbers for: users may write either, the word is what is shown.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// An enumeration of such words.
pub(crate) trait Word: Copy + Sized + 'static {
    /// Every word with its number and its value; of several words for one value the first is shown.
    const WORDS: &'static [(&'static str, u8, Self)];

    /// The words, for people.
    fn expected() -> String {
        let words = Self::WORDS
            .iter()
            .map(|(word, number, _)| format!("{word} ({number})"));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Reads a word or its number, which may be in quotes.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Word>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(WordVisitor(PhantomData))
}

struct WordVisitor<T>(PhantomData<T>);

impl<T: Word> Visitor<'_> for WordVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of {}", T::expected())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::WORDS
            .iter()
            .find(|(_, known, _)| u64::from(*known) == number)
            .map(|(_, _, value)| *value)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let word = T::WORDS.iter().find(|(word, _, _)| *word == text);
        match (word, text.parse()) {
            (Some((_, _, value)), _) => Ok(*value),
            (None, Ok(number)) => self.visit_u64(number),
            (None, Err(_)) => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// Makes an enumeration of its variants with their numbers and words.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $name:ident {
            $( $(#[$of_variant:meta])* $variant:ident = $number:literal $word:literal $(| $other:literal)*, )*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$of_variant])* $variant, )*
        }

        impl $name {
            /// The kernel's number.
            pub fn number(self) -> u8 {
                match self {
                    $( Self::$variant => $number, )*
                }
            }

            /// From the kernel's number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number {
                    $( $number => Some(Self::$variant), )*
                    _ => None,
                }
            }

            /// The word in users' files.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }
        }

        impl $crate::word::Word for $name {
            const WORDS: &'static [(&'static str, u8, Self)] = &[
                $( ($word, $number, Self::$variant), $( ($other, $number, Self::$variant), )* )*
            ];
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::word::deserialize(deserializer)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "enum": [$( $word, $($other,)* $number, )*] })
            }
        }

        $crate::overlay::overlay_leaf!($name);
    };
}

pub(crate) use words;
