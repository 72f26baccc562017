// SPDX-License-Identifier: Apache-2.0

//! A mistake in an expression or a template, and its place in the document.

use nipart_schemas::yaml::{self, ParseError};

/// What is wrong, and where in the text of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// In characters, from 0.
    pub(crate) offset: usize,
    /// One sentence, no trailing period.
    pub(crate) message: String,
}

impl Mistake {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }

    /// The mistake in the value of `path`.
    pub(crate) fn in_document(&self, text: &str, path: &str) -> ParseError {
        let (line, column) = yaml::locate_within(text, path, self.offset).unwrap_or((1, 1));
        ParseError {
            line,
            column,
            message: self.message.clone(),
            path: Some(path.to_string()),
        }
    }
}

/// ``, expected one of `a`, `b` ``: what could have been written.
pub(crate) fn expected<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [word] => format!(", expected {word}"),
        _ => format!(", expected one of {}", words.join(", ")),
    }
}
