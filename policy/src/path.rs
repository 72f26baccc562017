// SPDX-License-Identifier: Apache-2.0

//! Paths such as `interfaces.0.ipv4.address`: keys of mappings and indexes of lists, with dots between them.

use serde_json::Value;

use crate::mistake::{Mistake, expected};

/// A path, and the place of each of its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<Segment>,
}

/// A key or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) name: String,
    /// In characters, from 0.
    pub(crate) offset: usize,
}

/// Where a path starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// In this capture; in the current state when none.
    pub(crate) capture: Option<Segment>,
    /// The path there; empty for all of a capture.
    pub(crate) path: Path,
}

impl Path {
    /// Reads a path that stands at `offset`.
    pub(crate) fn parse(text: &str, mut offset: usize) -> Result<Self, Mistake> {
        let mut segments = Vec::new();
        for name in text.split('.') {
            if name.is_empty() {
                return Err(Mistake::new(offset, "a name is missing beside this dot"));
            }
            segments.push(Segment {
                name: name.to_string(),
                offset,
            });
            offset += name.chars().count() + 1;
        }
        Ok(Self { segments })
    }

    /// Where it begins.
    pub(crate) fn offset(&self) -> usize {
        self.segments.first().map_or(0, |segment| segment.offset)
    }

    /// The value at its end.
    pub(crate) fn find<'v>(&self, start: &'v Value) -> Result<&'v Value, Mistake> {
        let mut value = start;
        for segment in &self.segments {
            value = segment.find(value)?;
        }
        Ok(value)
    }
}

impl Segment {
    fn find<'v>(&self, value: &'v Value) -> Result<&'v Value, Mistake> {
        let Self { name, offset } = self;
        match value {
            Value::Object(entries) => entries.get(name).ok_or_else(|| {
                let keys = entries.keys().map(String::as_str);
                Mistake::new(
                    *offset,
                    format!("there is no `{name}` here{}", expected(keys)),
                )
            }),
            Value::Array(items) => {
                let index: usize = name.parse().map_err(|_| {
                    Mistake::new(
                        *offset,
                        format!("`{name}` stands behind a list, expected the index of one of its items, from 0"),
                    )
                })?;
                items.get(index).ok_or_else(|| {
                    let count = items.len();
                    Mistake::new(
                        *offset,
                        format!("there is no item {index}: the list has {count}, counted from 0"),
                    )
                })
            }
            _ => Err(Mistake::new(
                *offset,
                format!("there is no `{name}` here: what stands before it is a single value"),
            )),
        }
    }
}

impl Source {
    /// Takes the name of the capture off a path that begins with one.
    pub(crate) fn of(mut path: Path) -> Result<Self, Mistake> {
        if path
            .segments
            .first()
            .is_none_or(|first| first.name != "capture")
        {
            return Ok(Self {
                capture: None,
                path,
            });
        }
        if path.segments.len() == 1 {
            return Err(Mistake::new(
                path.offset(),
                "the name of a capture is missing, expected such as `capture.name`",
            ));
        }
        let rest = path.segments.split_off(2);
        Ok(Self {
            capture: path.segments.pop(),
            path: Path { segments: rest },
        })
    }
}
