// SPDX-License-Identifier: Apache-2.0

//! Finds the place of a field path: walks down the document along it and fails on purpose at the target, because
//! the YAML crate tells places through its errors only.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::place;

/// Keys that have a second spelling (`alias` in the schema).
const OTHER_SPELLINGS: [(&str, &str); 13] = [
    ("accept-all-mac", "promiscuous"),
    ("balance-slb", "balance_slb"),
    ("bond", "link-aggregation"),
    ("group-forward-mask", "group-fwd-mask"),
    ("num_unsol_na", "num_grat_arp"),
    ("peers", "peer"),
    ("ports", "port"),
    ("preferred-left", "preferred-life-time"),
    ("preferred-lft", "preferred-life-time"),
    ("suppress_prefixlength", "suppress-prefix-length"),
    ("uid-range", "uidrange"),
    ("valid-left", "valid-life-time"),
    ("valid-lft", "valid-life-time"),
];

/// Line and column, from 1, of a field such as `interfaces[2].bridge.port[0].name`; of the nearest one around it
/// when it isn't there. A scalar is found at its value, a section at its key, a list's item at its first key.
pub fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    locate_as(text, path, &Found::default())
}

fn locate_as(text: &str, path: &str, found: &Found) -> Option<(usize, usize)> {
    let start = Walk {
        rest: path,
        found,
        stop_at_key: None,
    };
    let at_value = walk(text, start);
    if !found.is_section.get() || found.last_is_item.get() {
        return at_value;
    }
    let keys = found.keys.get();
    let at_key = walk(
        text,
        Walk {
            rest: path,
            found: &Found::default(),
            stop_at_key: Some(keys),
        },
    );
    at_key.or(at_value)
}

/// Line and column of the character at `offset` (from 0) of the text that stands at `path`: as good as the text can be
/// found again behind quotes, escapes and line breaks that YAML folds.
pub fn locate_within(text: &str, path: &str, offset: usize) -> Option<(usize, usize)> {
    let found = Found::default();
    let (first_line, first_column) = locate_as(text, path, &found)?;
    let value = found.text.take();
    let lines = text.lines().enumerate().skip(first_line - 1);
    let mut letters = lines
        .flat_map(|(index, line)| {
            let letters = line.chars().enumerate();
            letters.map(move |(column, letter)| (index + 1, column + 1, letter))
        })
        .filter(|(line, column, _)| *line > first_line || *column >= first_column)
        .peekable();
    match letters.peek()?.2 {
        '"' | '\'' => {
            letters.next();
        }
        // The text of a block begins on the line behind its indicator.
        '|' | '>' => while letters.next_if(|(line, ..)| *line == first_line).is_some() {},
        _ => {}
    }
    let mut place = (first_line, first_column);
    for wanted in value.chars().take(offset + 1) {
        // What stands between are escapes and indentation; a space that folding made is found nowhere.
        if wanted.is_whitespace() {
            letters.next_if(|(.., letter)| *letter == wanted);
            continue;
        }
        let Some((line, column, _)) = letters.find(|(.., letter)| *letter == wanted) else {
            break;
        };
        place = (line, column);
    }
    Some(place)
}

fn walk(text: &str, start: Walk<'_>) -> Option<(usize, usize)> {
    let deserializer = serde_yaml::Deserializer::from_str(text);
    place(&start.deserialize(deserializer).err()?)
}

/// How far the walk came.
#[derive(Default)]
struct Found {
    /// Segments of the path that are there.
    keys: Cell<usize>,
    /// Whether the last of them is an item of a list.
    last_is_item: Cell<bool>,
    /// Whether it is a mapping or a list.
    is_section: Cell<bool>,
    /// What it is, if it is text.
    text: RefCell<String>,
}

impl Found {
    fn step(&self, is_item: bool) -> usize {
        self.keys.set(self.keys.get() + 1);
        self.last_is_item.set(is_item);
        self.keys.get()
    }
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    rest: &'a str,
    found: &'a Found,
    /// Fail at the key itself when it is this segment.
    stop_at_key: Option<usize>,
}

/// What remains of `path` below `key`, if it begins with it.
fn below<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    let spelled = OTHER_SPELLINGS
        .iter()
        .find(|(other, _)| *other == key)
        .map(|(_, usual)| *usual);
    [Some(key), spelled]
        .into_iter()
        .flatten()
        .filter(|key| !key.is_empty())
        .find_map(|key| {
            let rest = path.strip_prefix(key)?;
            match rest.strip_prefix('.') {
                Some(rest) => Some(rest),
                None if rest.is_empty() || rest.starts_with('[') => Some(rest),
                None => None,
            }
        })
}

/// The index that `path` begins with, and what remains.
fn split_index(path: &str) -> Option<(usize, &str)> {
    let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
    Some((index.parse().ok()?, rest.strip_prefix('.').unwrap_or(rest)))
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! stop_at_scalar {
    ($($method:ident($kind:ty))*) => { $(
        fn $method<E: Error>(self, _: $kind) -> Result<(), E> {
            Err(E::custom("here"))
        }
    )* };
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    stop_at_scalar! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128)
        visit_f64(f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.found.text.replace(text.to_string());
        Err(E::custom("here"))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Some((index, rest)) = split_index(self.rest) {
            let mut skipped = 0;
            while skipped < index && items.next_element::<IgnoredAny>()?.is_some() {
                skipped += 1;
            }
            if skipped == index {
                let step = ItemStep(Walk { rest, ..self });
                items.next_element_seed(step)?;
            }
        }
        self.found.is_section.set(true);
        Err(A::Error::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(step) = entries.next_key_seed(KeyStep(self))? {
            match step {
                Some(rest) => entries.next_value_seed(Walk { rest, ..self })?,
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.found.is_section.set(true);
        Err(A::Error::custom("here"))
    }
}

/// The item of the list that the path leads through.
struct ItemStep<'a>(Walk<'a>);

impl<'de> DeserializeSeed<'de> for ItemStep<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.found.step(true);
        self.0.deserialize(deserializer)
    }
}

/// One key of a mapping: gives what remains of the path when it leads through here.
struct KeyStep<'a>(Walk<'a>);

impl<'de, 'a> DeserializeSeed<'de> for KeyStep<'a> {
    type Value = Option<&'a str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for KeyStep<'a> {
    type Value = Option<&'a str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        let Some(rest) = below(self.0.rest, key) else {
            return Ok(None);
        };
        let step = self.0.found.step(false);
        if self.0.stop_at_key == Some(step) {
            return Err(E::custom("here"));
        }
        Ok(Some(rest))
    }
}
