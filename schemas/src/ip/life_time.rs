// SPDX-License-Identifier: Apache-2.0

//! Life times of addresses, in nmstate's way: `3587sec`, and `forever`, which is none.

use std::fmt;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serializer;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

#[allow(
    clippy::ref_option,
    reason = "serde passes what it serializes by reference"
)]
pub(super) fn serialize<S: Serializer>(
    time: &Option<u32>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(seconds) => serializer.collect_str(&format_args!("{seconds}sec")),
        None => serializer.serialize_str("forever"),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    deserializer.deserialize_any(LifeTimeVisitor)
}

pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "integer"],
        "pattern": "^([0-9]+(sec)?|forever)$",
        "minimum": 0,
        "maximum": u32::MAX
    })
}

struct LifeTimeVisitor;

impl Visitor<'_> for LifeTimeVisitor {
    type Value = Option<u32>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("seconds, such as 3600sec, or forever")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        let seconds = u32::try_from(value);
        seconds
            .map(Some)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        match u64::try_from(value) {
            Ok(value) => self.visit_u64(value),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(value), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text == "forever" {
            return Ok(None);
        }
        let seconds = text.strip_suffix("sec").unwrap_or(text).parse();
        seconds
            .map(Some)
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use crate::ip::Address;

    type Read = Result<Address, serde_json::Error>;

    #[test]
    fn read_in_every_spelling_and_written_in_one() {
        for (written, expected) in [
            (r#""valid-life-time": 90"#, Some(90)),
            (r#""valid-life-time": "90""#, Some(90)),
            (r#""valid-left": "90sec""#, Some(90)),
            (r#""valid-lft": "0sec""#, Some(0)),
            (r#""valid-lft": "forever""#, None),
        ] {
            let text = format!(r#"{{"ip": "192.0.2.1", "prefix-length": 24, {written}}}"#);
            let address: Address = serde_json::from_str(&text).unwrap();
            assert_eq!(address.valid_life_time, expected, "{text}");
            let shown = serde_json::to_value(address).unwrap();
            let expected = expected.map(|seconds| format!("{seconds}sec"));
            assert_eq!(shown["valid-life-time"].as_str(), expected.as_deref());
        }
        for wrong in ["-1", r#""soon""#, "4294967296", r#""9 sec""#, "true"] {
            let text =
                format!(r#"{{"ip": "192.0.2.1", "prefix-length": 24, "preferred-left": {wrong}}}"#);
            let read: Read = serde_json::from_str(&text);
            let error = read.unwrap_err().to_string();
            assert!(error.contains("3600sec, or forever"), "{error}");
        }
    }
}
