// SPDX-License-Identifier: Apache-2.0

//! Keys: of 32 bytes, written in base64 as `wg(8)` does, and in hexadecimal digits as `wpa_supplicant` does. Secret ones
//! hide themselves.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
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

/// What a secret is made of, and how it is written.
pub trait KeyText: Clone + PartialEq {
    /// No key.
    const NONE: Self;
    /// What is said of text that is none. Never what was written: it may be a secret with a typing mistake.
    const EXPECTED: &'static str;

    /// Reads it; none when the text can't be one.
    fn read(text: &str) -> Option<Self>;

    /// Writes it.
    fn write(&self) -> String;
}

impl KeyText for [u8; KEY_LENGTH] {
    const NONE: Self = [0; KEY_LENGTH];
    const EXPECTED: &'static str = EXPECTED;

    fn read(text: &str) -> Option<Self> {
        decode(text)
    }

    fn write(&self) -> String {
        encode(self)
    }
}

/// A connectivity association key (IEEE 802.1X-2010, 9.3.1): 32 or 64 hexadecimal digits; empty where there is none.
#[derive(Clone, PartialEq, Eq)]
pub struct CakDigits(String);

impl KeyText for CakDigits {
    const NONE: Self = Self(String::new());
    const EXPECTED: &'static str = "not a key: expected 32 or 64 hexadecimal digits";

    fn read(text: &str) -> Option<Self> {
        let is_key = matches!(text.len(), 0 | 32 | 64) && is_hexadecimal(text);
        is_key.then(|| Self(text.to_ascii_lowercase()))
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}

/// A connectivity association key name (IEEE 802.1X-2010, 9.3.1), which is no secret: 1 to 32 bytes in hexadecimal digits;
/// empty where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct KeyName(String);

overlay_leaf!(KeyName);

impl KeyName {
    /// No name.
    pub const NONE: Self = Self(String::new());

    /// Whether it is none.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_name = text.len() <= 64 && text.len().is_multiple_of(2) && is_hexadecimal(&text);
        let name = is_name.then(|| Self(text.to_ascii_lowercase()));
        name.ok_or("not a name of a key: expected 2 to 64 hexadecimal digits, two for each byte")
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.0
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// A private or preshared key of WireGuard. All zeros mean that there is none.
pub type SecretKey = Secret<[u8; KEY_LENGTH]>;
/// The key that both ends of a MACsec link have. Empty means that there is none.
pub type Cak = Secret<CakDigits>;

/// A secret, or `<hidden>`.
///
/// It is serialized as what it is: whoever sends it further hides it first, see
/// [`crate::network_state::NetworkState::hide_secrets`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "K: KeyText")]
pub struct Secret<K>(Option<K>);

impl<K> JsonSchema for Secret<K> {
    fn schema_name() -> Cow<'static, str> {
        "SecretKey".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

impl<K: KeyText> Secret<K> {
    /// No key.
    pub const NONE: Self = Self(Some(K::NONE));
    /// The one that there is.
    pub const HIDDEN: Self = Self(None);

    /// The key of these bytes.
    pub fn new(bytes: K) -> Self {
        Self(Some(bytes))
    }

    /// Its bytes, unless it is hidden.
    pub fn bytes(&self) -> Option<&K> {
        self.0.as_ref()
    }

    /// Whether it says "as it is".
    pub fn is_hidden(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it says that there is to be none.
    pub fn is_none(&self) -> bool {
        self.0 == Some(K::NONE)
    }

    /// Whether both may be the same; one that isn't there is [`Self::NONE`].
    pub fn agrees(wanted: &Self, current: Option<&Self>) -> bool {
        match current {
            Some(current) => wanted.is_hidden() || current.is_hidden() || wanted == current,
            None => wanted.is_hidden() || wanted.is_none(),
        }
    }
}

impl<K: KeyText> TryFrom<String> for Secret<K> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == HIDDEN {
            return Ok(Self::HIDDEN);
        }
        K::read(&text).map(Self::new).ok_or(K::EXPECTED)
    }
}

impl<K: KeyText> From<Secret<K>> for String {
    fn from(key: Secret<K>) -> Self {
        key.0.map_or_else(|| HIDDEN.to_string(), |key| key.write())
    }
}

impl<K> fmt::Display for Secret<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl<K> fmt::Debug for Secret<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl<K: KeyText> Overlay for Secret<K> {
    const IS_SECRET: bool = true;

    fn wants_nothing(&self) -> bool {
        self.is_none()
    }

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
