// SPDX-License-Identifier: Apache-2.0

//! Keys of 32 bytes, written in base64 as `wg(8)` does: public ones, and secret ones that hide themselves.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::overlay::{Difference, Overlay, Path, overlay_leaf};

/// Length in bytes.
pub const KEY_LENGTH: usize = 32;
/// What is shown in place of a secret, and what stands for "as it is" where a secret is wanted.
pub const HIDDEN: &str = "<hidden>";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Characters of a key: 43 and a `=`.
const TEXT_LENGTH: usize = 44;
/// Never says what was written: it may be a secret with a typing mistake.
const EXPECTED: &str =
    "not a key: expected 32 bytes in base64, 44 characters, as `wg genkey` prints";

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct PublicKey([u8; KEY_LENGTH]);

overlay_leaf!(PublicKey);

impl PublicKey {
    /// The key of these bytes.
    pub fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }
}

impl FromStr for PublicKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decode(text).map(Self).ok_or(EXPECTED)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        encode(&key.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A private or preshared key, or `<hidden>`. All zeros mean that there is none.
///
/// It is serialized as what it is: whoever sends it further hides it first, see
/// [`crate::network_state::NetworkState::hide_secrets`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct SecretKey(Option<[u8; KEY_LENGTH]>);

impl SecretKey {
    /// No key.
    pub const NONE: Self = Self(Some([0; KEY_LENGTH]));
    /// The one that there is.
    pub const HIDDEN: Self = Self(None);

    /// The key of these bytes.
    pub fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(Some(bytes))
    }

    /// Its bytes, unless it is hidden.
    pub fn bytes(&self) -> Option<&[u8; KEY_LENGTH]> {
        self.0.as_ref()
    }

    /// Whether it says "as it is".
    pub fn is_hidden(&self) -> bool {
        self.0.is_none()
    }

    /// Whether both may be the same; one that isn't there is [`Self::NONE`].
    pub fn agrees(wanted: &Self, current: Option<&Self>) -> bool {
        let current = current.unwrap_or(&Self::NONE);
        wanted.is_hidden() || current.is_hidden() || wanted == current
    }
}

impl TryFrom<String> for SecretKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == HIDDEN {
            return Ok(Self::HIDDEN);
        }
        decode(&text).map(Self::new).ok_or(EXPECTED)
    }
}

impl From<SecretKey> for String {
    fn from(key: SecretKey) -> Self {
        key.0.map_or_else(|| HIDDEN.to_string(), |key| encode(&key))
    }
}

impl fmt::Display for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl Overlay for SecretKey {
    fn fill_from(&mut self, below: &Self) {
        if self.is_hidden() {
            self.clone_from(below);
        }
    }

    fn keep_differences(&mut self, _current: &Self) {}

    fn keep_named(&mut self, _mask: &Self) {}

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        if !Self::agrees(self, Some(current)) {
            out.push(Difference {
                path: path.to_string(),
                current: Value::from(HIDDEN),
                desired: Value::from(HIDDEN),
            });
        }
    }
}

/// Keys whose values are secrets.
const SECRETS: [&str; 3] = ["private-key", "preshared-key", "mka-cak"];

/// Replaces each secret in what was serialized.
pub(crate) fn hide_in(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if SECRETS.contains(&key.as_str()) {
                    *value = Value::from(HIDDEN);
                } else {
                    hide_in(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(hide_in),
        _ => {}
    }
}

fn encode(key: &[u8; KEY_LENGTH]) -> String {
    let mut text = String::with_capacity(TEXT_LENGTH);
    for chunk in key.chunks(3) {
        let byte = |position: usize| u32::from(chunk.get(position).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..=chunk.len() {
            let digit = (group >> (18 - 6 * position)) & 63;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }
    text.push('=');
    text
}

fn decode(text: &str) -> Option<[u8; KEY_LENGTH]> {
    let digits = text.strip_suffix('=')?.as_bytes();
    if digits.len() + 1 != TEXT_LENGTH {
        return None;
    }
    let mut key = [0; KEY_LENGTH];
    let (mut collected, mut bits, mut filled) = (0u32, 0u32, 0);
    for digit in digits {
        let value = ALPHABET.iter().position(|known| known == digit)?;
        collected = (collected << 6) | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            *key.get_mut(filled)? = u8::try_from((collected >> bits) & 255).ok()?;
            filled += 1;
        }
    }
    // The last digit has two bits to spare, which must be zero.
    (filled == KEY_LENGTH && collected & 3 == 0).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `wg genkey | wg pubkey`.
    const TEXT: &str = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";

    #[test]
    fn base64_there_and_back() {
        let key: PublicKey = TEXT.parse().unwrap();
        assert_eq!(key.to_string(), TEXT);
        assert_eq!((key.bytes()[0], key.bytes()[31]), (0x1c, 0x4c));
        for wrong in [
            "",
            "=",
            &TEXT[1..],
            &TEXT.replace("ykw=", "ykx="),
            &TEXT.replace('H', "?"),
        ] {
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn secrets_hide_themselves() {
        let key = SecretKey::try_from(TEXT.to_string()).unwrap();
        assert_eq!(format!("{key} {key:?}"), "<hidden> <hidden>");
        assert_eq!(String::from(key.clone()), TEXT);
        let hidden = SecretKey::try_from(HIDDEN.to_string()).unwrap();
        assert!(SecretKey::agrees(&hidden, Some(&key)) && SecretKey::agrees(&key, Some(&hidden)));
        assert!(SecretKey::agrees(&SecretKey::NONE, None) && !SecretKey::agrees(&key, None));
        let mistake = SecretKey::try_from(TEXT.replace("8", "88")).unwrap_err();
        assert!(!mistake.contains("HIgo9"));
    }
}
