// SPDX-License-Identifier: Apache-2.0

//! How partial states are laid over each other and compared: the same two verbs for every type of the schema.
//!
//! A key that is not written (`None`) says nothing: laid over another state it lets the other's value through,
//! compared with another state it never differs. Lists are one value: they replace.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One key whose wanted value is not the present one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Difference {
    /// Object and field, such as `br0.bridge.options.stp.enabled`.
    pub path: String,
    /// The present value; none when there is none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub current: Value,
    /// The wanted value; none when it is to go.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub desired: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            current,
            desired,
        } = self;
        match (current.is_null(), desired.is_null()) {
            (true, _) => write!(formatter, "{path}: {desired}"),
            (_, true) => write!(formatter, "{path}: {current} → removed"),
            _ => write!(formatter, "{path}: {current} → {desired}"),
        }
    }
}

/// Where a comparison stands: a list on the stack, written out only when something differs.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: &'a str,
}

impl<'a> Path<'a> {
    /// The start: an object's name.
    pub fn root(segment: &'a str) -> Self {
        Self {
            parent: None,
            segment,
        }
    }

    /// One level down.
    #[must_use]
    pub fn child(&'a self, segment: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            segment,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(formatter, "{parent}.{}", self.segment.replace('_', "-"))
        } else {
            formatter.write_str(self.segment)
        }
    }
}

/// A part of a network state that can be partial.
pub trait Overlay {
    /// Whether its value is in no list of differences.
    const IS_SECRET: bool = false;

    /// Whether it says that there is to be none.
    fn wants_nothing(&self) -> bool {
        false
    }

    /// Takes from `below` each key that `self` doesn't have.
    fn fill_from(&mut self, below: &Self);

    /// Forgets each key of `self` that `current` has the same: what is left is what differs.
    fn keep_differences(&mut self, current: &Self);

    /// Forgets each key that `mask` doesn't have: what is left is the part of `self` that `mask` speaks of.
    fn keep_named(&mut self, mask: &Self);

    /// Lists the keys of `self` that `current` has otherwise or not at all.
    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>);
}

fn value_of<T: Serialize>(value: &T) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or(Value::Null);
    crate::key::hide_in(&mut value);
    value
}

impl<T: Overlay + Clone + Serialize> Overlay for Option<T> {
    fn fill_from(&mut self, below: &Self) {
        match (self, below) {
            (own @ None, Some(other)) => *own = Some(other.clone()),
            (Some(own), Some(other)) => own.fill_from(other),
            (_, None) => {}
        }
    }

    fn keep_differences(&mut self, current: &Self) {
        if let (Some(own), Some(other)) = (&mut *self, current) {
            let mut differences = Vec::new();
            own.differences(other, Path::root(""), &mut differences);
            if differences.is_empty() {
                *self = None;
            } else {
                own.keep_differences(other);
            }
        }
    }

    fn keep_named(&mut self, mask: &Self) {
        match (&mut *self, mask) {
            (Some(own), Some(mask)) => own.keep_named(mask),
            (_, None) => *self = None,
            (None, _) => {}
        }
    }

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        match (self, current) {
            (None, _) => {}
            (Some(own), Some(other)) => own.differences(other, path, out),
            (Some(own), None) if own.wants_nothing() => {}
            (Some(own), None) => {
                let desired = match T::IS_SECRET {
                    true => Value::from(crate::key::HIDDEN),
                    false => value_of(own),
                };
                // A section that names nothing wants nothing.
                if desired != Value::Object(serde_json::Map::new()) {
                    out.push(Difference {
                        path: path.to_string(),
                        current: Value::Null,
                        desired,
                    });
                }
            }
        }
    }
}

/// As what is in it.
impl<T: Overlay> Overlay for Box<T> {
    fn fill_from(&mut self, below: &Self) {
        (**self).fill_from(below);
    }

    fn keep_differences(&mut self, current: &Self) {
        (**self).keep_differences(current);
    }

    fn keep_named(&mut self, mask: &Self) {
        (**self).keep_named(mask);
    }

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        (**self).differences(current, path, out);
    }
}

pub(crate) fn leaf_difference<T: PartialEq + Serialize>(
    own: &T,
    current: &T,
    path: Path<'_>,
    out: &mut Vec<Difference>,
) {
    if own != current {
        out.push(Difference {
            path: path.to_string(),
            current: value_of(current),
            desired: value_of(own),
        });
    }
}

/// Types that are one value: the upper one wins whole.
macro_rules! overlay_leaf {
    ($($type:ty),* $(,)?) => { $(
        impl $crate::overlay::Overlay for $type {
            fn fill_from(&mut self, _below: &Self) {}

            fn keep_differences(&mut self, _current: &Self) {}

            fn keep_named(&mut self, _mask: &Self) {}

            fn differences(
                &self,
                current: &Self,
                path: $crate::overlay::Path<'_>,
                out: &mut Vec<$crate::overlay::Difference>,
            ) {
                $crate::overlay::leaf_difference(self, current, path, out);
            }
        }
    )* };
}

/// Types that are laid over each other field by field. Every field must be named: a forgotten one doesn't compile.
/// What stands under `read_only` is filled but never compared.
macro_rules! overlay {
    ($type:ident { $($field:ident),* $(,)? } $( read_only { $($shown:ident),* $(,)? } )?) => {
        impl $crate::overlay::Overlay for $type {
            fn fill_from(&mut self, below: &Self) {
                let Self { $($field,)* $($($shown,)*)? } = self;
                $( $crate::overlay::Overlay::fill_from($field, &below.$field); )*
                $($( $crate::overlay::Overlay::fill_from($shown, &below.$shown); )*)?
            }

            fn keep_differences(&mut self, current: &Self) {
                $( $crate::overlay::Overlay::keep_differences(&mut self.$field, &current.$field); )*
            }

            fn keep_named(&mut self, mask: &Self) {
                $( $crate::overlay::Overlay::keep_named(&mut self.$field, &mask.$field); )*
                $($( $crate::overlay::Overlay::keep_named(&mut self.$shown, &mask.$shown); )*)?
            }

            fn differences(
                &self,
                current: &Self,
                path: $crate::overlay::Path<'_>,
                out: &mut Vec<$crate::overlay::Difference>,
            ) {
                $( $crate::overlay::Overlay::differences(
                    &self.$field,
                    &current.$field,
                    path.child(stringify!($field)),
                    out,
                ); )*
            }
        }
    };
}

pub(crate) use {overlay, overlay_leaf};

overlay_leaf!(
    bool,
    u8,
    u16,
    u32,
    u64,
    i32,
    i64,
    String,
    std::net::Ipv4Addr,
    std::net::Ipv6Addr,
    std::net::IpAddr,
);

impl<T: PartialEq + Serialize> Overlay for Vec<T> {
    fn fill_from(&mut self, _below: &Self) {}

    fn keep_differences(&mut self, _current: &Self) {}

    fn keep_named(&mut self, _mask: &Self) {}

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        leaf_difference(self, current, path, out);
    }
}
