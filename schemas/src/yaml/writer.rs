// SPDX-License-Identifier: Apache-2.0

//! Writes YAML in block style, laid out as `nmstatectl` does: two spaces, lists not indented, keys in their order.
//!
//! The source is JSON text, read as a stream: a state of megabytes is never built up as a tree.

use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::scalar::push_string;

/// Writes `value` as a YAML document that begins with `---`.
///
/// # Errors
/// When `value` can't be expressed in JSON, such as a map with keys that are no strings.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    json_to_yaml(&serde_json::to_string(value)?)
}

/// Writes a JSON text as a YAML document that begins with `---`.
///
/// # Errors
/// When `json` isn't one JSON value.
pub fn json_to_yaml(json: &str) -> Result<String, serde_json::Error> {
    let mut out = String::with_capacity(json.len() + json.len() / 4);
    out.push_str("---\n");
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Node {
        out: &mut out,
        indent: 0,
        behind: Behind::Nothing,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(out)
}

/// What stands before a value on its line.
#[derive(Clone, Copy, PartialEq)]
enum Behind {
    Nothing,
    Key,
    Dash,
}

/// One value, to be written at `indent`.
struct Node<'a> {
    out: &'a mut String,
    indent: usize,
    behind: Behind,
}

impl Node<'_> {
    fn scalar(self, write: impl FnOnce(&mut String)) {
        if self.behind == Behind::Key {
            self.out.push(' ');
        }
        write(self.out);
        self.out.push('\n');
    }
}

/// Begins a line of a mapping or list: the first one may stand behind a dash already.
fn begin_line(out: &mut String, indent: usize, is_first: bool, behind: Behind) {
    match (is_first, behind) {
        (true, Behind::Dash | Behind::Nothing) => {}
        (true, Behind::Key) => {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
        }
        (false, _) => out.extend(std::iter::repeat_n(' ', indent)),
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar(|out| out.push_str("null"));
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(|out| out.push_str(if value { "true" } else { "false" }));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(|out| out.push_str(&value.to_string()));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(|out| out.push_str(&value.to_string()));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // Debug keeps the `.0` that tells it from a whole number.
        self.scalar(|out| out.push_str(&format!("{value:?}")));
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.scalar(|out| push_string(out, value));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self {
            out,
            indent,
            behind,
        } = self;
        // A list below a key is not indented: its items begin where the key does.
        let indent = match behind {
            Behind::Key => indent.saturating_sub(2),
            Behind::Dash | Behind::Nothing => indent,
        };
        let mut is_first = true;
        while items
            .next_element_seed(Item {
                out,
                indent,
                behind,
                is_first,
            })?
            .is_some()
        {
            is_first = false;
        }
        if is_first {
            Node {
                out,
                indent,
                behind,
            }
            .scalar(|out| out.push_str("[]"));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self {
            out,
            indent,
            behind,
        } = self;
        let mut is_first = true;
        while entries
            .next_key_seed(Key {
                out,
                indent,
                behind,
                is_first,
            })?
            .is_some()
        {
            is_first = false;
            entries.next_value_seed(Node {
                out,
                indent: indent + 2,
                behind: Behind::Key,
            })?;
        }
        if is_first {
            Node {
                out,
                indent,
                behind,
            }
            .scalar(|out| out.push_str("{}"));
        }
        Ok(())
    }
}

/// An item of a list, with its dash.
struct Item<'a> {
    out: &'a mut String,
    indent: usize,
    behind: Behind,
    is_first: bool,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        begin_line(self.out, self.indent, self.is_first, self.behind);
        self.out.push_str("- ");
        Node {
            out: self.out,
            indent: self.indent + 2,
            behind: Behind::Dash,
        }
        .deserialize(deserializer)
    }
}

/// A key of a mapping, with its colon.
struct Key<'a> {
    out: &'a mut String,
    indent: usize,
    behind: Behind,
    is_first: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        begin_line(self.out, self.indent, self.is_first, self.behind);
        push_string(self.out, key);
        self.out.push(':');
        Ok(())
    }
}
