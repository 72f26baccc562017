// SPDX-License-Identifier: Apache-2.0

//! Templates in the desired state: `"{{ capture.name.interfaces.0.name }}"`.
//!
//! Text that is one template stands for any value, a list or a mapping too; with text before or behind it, for text.

use serde_json::{Map, Value};

use crate::Captured;
use crate::evaluate::{capture, text_of};
use crate::mistake::Mistake;
use crate::path::{Path, Segment, Source};

/// A mistake, and the path of the value that holds it.
type Located = (String, Mistake);

#[derive(Debug)]
enum Piece {
    Text(String),
    Reference(Segment, Path),
}

/// Whether the value is nothing but one template.
pub(crate) fn is_reference(value: &Value) -> bool {
    let pieces = value.as_str().map(parse);
    matches!(pieces, Some(Ok(pieces)) if matches!(pieces.as_slice(), [Piece::Reference(..)]))
}

/// Whether all templates below `value`, which stands at `path`, are well formed.
pub(crate) fn check(value: &Value, path: &str) -> Result<(), Located> {
    walk(value, path, &mut |text| parse(text).map(|_| Value::Null)).map(|_| ())
}

/// `value` with captured values in the place of its templates.
pub(crate) fn fill(value: &Value, path: &str, captured: &Captured) -> Result<Value, Located> {
    walk(value, path, &mut |text| {
        let pieces = parse(text)?;
        match pieces.as_slice() {
            [Piece::Reference(name, path)] => path.find(capture(name, captured)?).cloned(),
            pieces => concatenated(pieces, captured).map(Value::String),
        }
    })
}

/// The value with another one in the place of each text in it.
fn walk(
    value: &Value,
    path: &str,
    of_text: &mut impl FnMut(&str) -> Result<Value, Mistake>,
) -> Result<Value, Located> {
    match value {
        Value::String(text) => of_text(text).map_err(|mistake| (path.to_string(), mistake)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| walk(item, &format!("{path}[{index}]"), of_text))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, below)| Ok((key.clone(), walk(below, &format!("{path}.{key}"), of_text)?)))
            .collect::<Result<Map<String, Value>, Located>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

fn concatenated(pieces: &[Piece], captured: &Captured) -> Result<String, Mistake> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Reference(name, path) => {
                let value = path.find(capture(name, captured)?)?;
                text.push_str(&text_of(Some(value)).ok_or_else(|| {
                    Mistake::new(
                        name.offset,
                        "this is a list or a mapping: no text can stand before or behind it",
                    )
                })?);
            }
        }
    }
    Ok(text)
}

/// Splits text into templates and what is between them.
fn parse(text: &str) -> Result<Vec<Piece>, Mistake> {
    if !text.contains("{{") {
        return Ok(vec![Piece::Text(text.to_string())]);
    }
    let (mut rest, mut offset) = (text, 0);
    let mut pieces = Vec::new();
    while let Some((before, behind)) = rest.split_once("{{") {
        push_text(&mut pieces, before);
        offset += before.chars().count();
        let Some((inner, behind)) = behind.split_once("}}") else {
            return Err(Mistake::new(offset, "`{{` is never closed by `}}`"));
        };
        pieces.push(parse_reference(inner, offset + 2)?);
        offset += inner.chars().count() + 4;
        rest = behind;
    }
    push_text(&mut pieces, rest);
    // A template alone may have spaces around it.
    let is_blank = |piece: &Piece| matches!(piece, Piece::Text(text) if text.trim().is_empty());
    if pieces.iter().filter(|piece| !is_blank(piece)).count() == 1 {
        pieces.retain(|piece| !is_blank(piece));
    }
    Ok(pieces)
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_string()));
    }
}

/// What stands between the braces.
fn parse_reference(inner: &str, offset: usize) -> Result<Piece, Mistake> {
    const EXAMPLE: &str = "expected such as `capture.name.interfaces.0.name`";
    let start = offset
        + inner
            .chars()
            .take_while(|letter| letter.is_whitespace())
            .count();
    let mut words = inner.split_whitespace();
    let Some(word) = words.next() else {
        return Err(Mistake::new(
            offset,
            format!("nothing stands in the braces, {EXAMPLE}"),
        ));
    };
    if words.next().is_some() {
        return Err(Mistake::new(
            start,
            format!("one path stands in the braces, {EXAMPLE}"),
        ));
    }
    let path = Path::parse(word, start)?;
    match Source::of(path)? {
        Source {
            capture: Some(name),
            path,
        } if !path.segments.is_empty() => Ok(Piece::Reference(name, path)),
        Source {
            capture: Some(_), ..
        } => Err(Mistake::new(
            start,
            format!("a property of the capture is missing, {EXAMPLE}"),
        )),
        Source { capture: None, .. } => Err(Mistake::new(
            start,
            format!("templates take values of captures, {EXAMPLE}"),
        )),
    }
}
