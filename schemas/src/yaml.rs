// SPDX-License-Identifier: Apache-2.0

//! YAML as users write and read it. No other module names the YAML crate.
//!
//! - [`parse`] reads one document strictly and says where a mistake stands: line, column, field path.
//! - [`locate`] finds the place of a field path, for mistakes that are found after parsing; [`locate_within`], one of the
//!   characters of its text.
//! - [`to_string`] and [`json_to_yaml`] write a document that readers of YAML 1.1 and 1.2 understand alike.

mod locate;
mod scalar;
mod tracked;
mod words;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess,
    SeqAccess, Visitor,
};

pub use self::locate::{locate, locate_within};
use self::tracked::{Path, Track, Tracked};
use self::words::{plain_syntax, plain_words};
pub use self::writer::{json_to_yaml, to_string};

/// Why a document was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Line of the mistake, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what is accepted: one sentence, no trailing period.
    pub message: String,
    /// The field, such as `interfaces[0].mtu`; none at the top of the document and for broken syntax.
    pub path: Option<String>,
}

/// Reads the only document of `text`. Unknown keys are refused where `T` refuses them, duplicate keys always;
/// an empty document is an empty mapping.
///
/// # Errors
/// When `text` is no YAML, holds several documents, or doesn't fit `T`.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    let track = Track::default();
    let deserializer = serde_yaml::Deserializer::from_str(text);
    T::deserialize(Tracked::new(deserializer, &Path::Root, &track))
        .map_err(|error| describe(text, &error, &track))
}

/// Reads a JSON text as strictly as [`parse`] reads YAML, and says the path of a mistake in the same way.
///
/// # Errors
/// When `text` is no JSON, or doesn't fit `T`.
pub fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, ParseError> {
    let track = Track::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    T::deserialize(Tracked::new(&mut deserializer, &Path::Root, &track))
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = error.to_string();
            let place = format!(" at line {line} column {column}");
            ParseError {
                line,
                column,
                message: plain_words(&message.replacen(&place, "", 1), &track),
                path: track.failed_path(),
            }
        })
}

fn describe(text: &str, error: &serde_yaml::Error, track: &Track) -> ParseError {
    // Broken syntax comes up wherever the reading stood: told apart by reading again without a type.
    if let Err(syntax) = IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(text)) {
        return describe_syntax(text, &syntax);
    }
    let place = place(error);
    let message = message_without_place(error, place);
    let (reported_path, sentence) = split_path(&message);
    let path = track.failed_path();
    // The library places an error of a conversion (`try_from`) at the mapping around the value.
    let place = match (track.failed_key(), path.as_deref()) {
        // Two spellings of a key are found out when the second is read, and placed at the mapping around them.
        (Some(key), _) if sentence.starts_with("duplicate field ") => locate(text, &key).or(place),
        (_, Some(path)) if path != reported_path => locate(text, path).or(place),
        _ => place,
    };
    let (line, column) = place.unwrap_or((1, 1));
    ParseError {
        line,
        column,
        message: plain_words(sentence, track),
        path,
    }
}

fn describe_syntax(text: &str, error: &serde_yaml::Error) -> ParseError {
    let mut place = place(error);
    let mut message = message_without_place(error, place);
    if message.contains("more than one document") {
        place = second_document(text);
        message =
            "a second document begins here; only one document per file is accepted".to_string();
    } else {
        let (plain, better_place) = plain_syntax(&message, text, place);
        message = plain;
        place = better_place.or(place);
    }
    let (line, column) = place.unwrap_or((1, 1));
    ParseError {
        line,
        column,
        message,
        path: None,
    }
}

fn message_without_place(error: &serde_yaml::Error, place: Option<(usize, usize)>) -> String {
    let message = error.to_string();
    match place {
        Some((line, column)) => {
            message.replacen(&format!(" at line {line} column {column}"), "", 1)
        }
        None => message,
    }
}

/// Takes the library's path off a message: `interfaces[0].mtu: invalid value …`.
fn split_path(message: &str) -> (&str, &str) {
    match message.split_once(": ") {
        Some((path, sentence))
            if path
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_.[]?".contains(letter)) =>
        {
            (path, sentence)
        }
        _ => ("", message),
    }
}

fn place(error: &serde_yaml::Error) -> Option<(usize, usize)> {
    error
        .location()
        .map(|location| (location.line(), location.column()))
}

fn second_document(text: &str) -> Option<(usize, usize)> {
    let document = serde_yaml::Deserializer::from_str(text).nth(1)?;
    place(&Raise.deserialize(document).err()?)
}

/// Fails at the value that it is given: the way to learn its place.
struct Raise;

impl<'de> DeserializeSeed<'de> for Raise {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Raise {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("one document")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("here"))
    }
}
