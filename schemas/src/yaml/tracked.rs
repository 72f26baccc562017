// SPDX-License-Identifier: Apache-2.0

//! A deserializer around another one that remembers at which field an error came up, and refuses duplicate keys.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

/// Where in the document we are: a list on the stack.
#[derive(Debug)]
pub(super) enum Path<'a> {
    Root,
    Index { parent: &'a Path<'a>, index: usize },
    Key { parent: &'a Path<'a>, key: &'a str },
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Index { parent, index } => write!(formatter, "{parent}[{index}]"),
            Self::Key {
                parent: Self::Root,
                key,
            } => formatter.write_str(key),
            Self::Key { parent, key } => write!(formatter, "{parent}.{key}"),
        }
    }
}

/// What was learnt when an error came up.
#[derive(Debug, Default)]
pub(super) struct Track {
    failed_path: RefCell<Option<String>>,
    failed_key: RefCell<Option<String>>,
    accepted_words: Cell<&'static [&'static str]>,
}

impl Track {
    pub(super) fn failed_path(&self) -> Option<String> {
        self.failed_path.borrow().clone()
    }

    /// The path of the last key that was read in the mapping that was refused, before its value was.
    pub(super) fn failed_key(&self) -> Option<String> {
        self.failed_key.borrow().clone()
    }

    /// The words of the enum that was read last.
    pub(super) fn accepted_words(&self) -> &'static [&'static str] {
        self.accepted_words.get()
    }

    fn failed_behind(&self, parent: &Path<'_>, key: &str) {
        if !key.is_empty() {
            let path = Path::Key { parent, key };
            let mut failed = self.failed_key.borrow_mut();
            failed.get_or_insert_with(|| path.to_string());
        }
    }

    fn failed_at(&self, path: &Path<'_>) {
        self.failed_path
            .borrow_mut()
            .get_or_insert_with(|| path.to_string());
    }
}

/// Keys of one mapping.
#[derive(Default)]
struct Keys {
    seen: RefCell<HashSet<String>>,
    current: RefCell<String>,
}

impl Keys {
    fn note<E: Error>(&self, key: &str) -> Result<(), E> {
        let mut current = self.current.borrow_mut();
        current.clear();
        current.push_str(key);
        if self.seen.borrow_mut().insert(key.to_string()) {
            Ok(())
        } else {
            Err(E::custom(format_args!(
                "duplicate key `{key}`: it stands in the same mapping before"
            )))
        }
    }
}

/// Wraps a deserializer, then each that it hands to a visitor.
pub(super) struct Tracked<'a, D> {
    inner: D,
    path: &'a Path<'a>,
    track: &'a Track,
    /// Set when what is read is a key of a mapping.
    keys: Option<&'a Keys>,
}

impl<'a, D> Tracked<'a, D> {
    pub(super) fn new(inner: D, path: &'a Path<'a>, track: &'a Track) -> Self {
        Self {
            inner,
            path,
            track,
            keys: None,
        }
    }

    fn follow<V>(self, visitor: V) -> (D, Tracked<'a, V>) {
        let Self {
            inner,
            path,
            track,
            keys,
        } = self;
        let follow = Tracked {
            inner: visitor,
            path,
            track,
            keys,
        };
        (inner, follow)
    }
}

macro_rules! forward_deserialize {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let (inner, visitor) = self.follow(visitor);
            inner.$method(visitor)
        }
    )* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tracked<'_, D> {
    type Error = D::Error;

    forward_deserialize! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit
        deserialize_seq deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.follow(visitor);
        inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.follow(visitor);
        inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.follow(visitor);
        inner.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.follow(visitor);
        inner.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.follow(visitor);
        inner.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.track.accepted_words.set(variants);
        let (inner, visitor) = self.follow(visitor);
        inner.deserialize_enum(name, variants, visitor)
    }
}

macro_rules! forward_visit {
    ($($method:ident($kind:ty))*) => { $(
        fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            if let Some(keys) = self.keys {
                keys.note(&value.to_string())?;
            }
            self.inner.$method(value)
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Tracked<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    forward_visit! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128) visit_f64(f64)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        if let Some(keys) = self.keys {
            keys.note(value)?;
        }
        self.inner.visit_str(value)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        if let Some(keys) = self.keys {
            keys.note(value)?;
        }
        self.inner.visit_borrowed_str(value)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let (visitor, deserializer) = self.follow(deserializer);
        visitor.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        let (visitor, deserializer) = self.follow(deserializer);
        visitor.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Items {
            inner: items,
            path: self.path,
            track: self.track,
            next: 0,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let keys = Keys::default();
        let read = self.inner.visit_map(Entries {
            inner: entries,
            path: self.path,
            track: self.track,
            keys: &keys,
        });
        read.inspect_err(|_| self.track.failed_behind(self.path, &keys.current.borrow()))
    }

    /// What stands below a YAML tag isn't followed: the schema has no such enum.
    fn visit_enum<A: EnumAccess<'de>>(self, variants: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(variants)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Tracked<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let (seed, deserializer) = self.follow(deserializer);
        seed.deserialize(deserializer)
    }
}

struct Items<'a, A> {
    inner: A,
    path: &'a Path<'a>,
    track: &'a Track,
    next: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let path = Path::Index {
            parent: self.path,
            index: self.next,
        };
        self.next += 1;
        let track = self.track;
        self.inner
            .next_element_seed(Tracked::new(seed, &path, track))
            .inspect_err(|_| track.failed_at(&path))
    }
}

struct Entries<'a, A> {
    inner: A,
    path: &'a Path<'a>,
    track: &'a Track,
    keys: &'a Keys,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(Tracked {
            inner: seed,
            path: self.path,
            track: self.track,
            keys: Some(self.keys),
        })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let key = self.keys.current.take();
        let path = Path::Key {
            parent: self.path,
            key: &key,
        };
        let track = self.track;
        self.inner
            .next_value_seed(Tracked::new(seed, &path, track))
            .inspect_err(|_| track.failed_at(&path))
    }
}
