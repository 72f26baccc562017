// SPDX-License-Identifier: Apache-2.0

//! What an expression takes of a state, as JSON.

use serde_json::{Map, Value};

use crate::Captured;
use crate::expression::{Action, Expression, ItemPath, Operand, Test};
use crate::mistake::{Mistake, expected};
use crate::path::{Segment, Source};

/// The part of `current`, or of what was `captured` before, that the expression takes.
pub(crate) fn evaluate(
    expression: &Expression,
    current: &Value,
    captured: &Captured,
) -> Result<Value, Mistake> {
    let input = match &expression.input {
        Some(name) => capture(name, captured)?,
        None => current,
    };
    match &expression.action {
        Action::Copy => Ok(input.clone()),
        Action::Retain(path) => Ok(retained(input, &path.segments)),
        Action::Filter(path, Test::Match(regex)) => {
            filter(path, input, &format!("=~ {:?}", regex.as_str()), |found| {
                text_of(found).is_some_and(|text| regex.is_match(&text))
            })
        }
        Action::Filter(path, Test::Equal(operand)) => match value_of(operand, current, captured)? {
            Value::Null => filter(path, input, "== null", |found| {
                found.is_none_or(Value::is_null)
            }),
            value => {
                let wanted = single(operand, &value)?;
                filter(path, input, &format!("== {wanted:?}"), |found| {
                    text_of(found).as_ref() == Some(&wanted)
                })
            }
        },
        Action::Replace(path, operand) => {
            let value = value_of(operand, current, captured)?;
            let mut items = items_of(input, &path.list);
            for item in &mut items {
                replace(item, &path.property, &value)?;
            }
            Ok(nested(&path.list, items))
        }
    }
}

/// What was captured under that name.
pub(crate) fn capture<'c>(name: &Segment, captured: &'c Captured) -> Result<&'c Value, Mistake> {
    captured.get(&name.name).ok_or_else(|| {
        let names = expected(captured.keys().map(String::as_str));
        Mistake::new(
            name.offset,
            format!("there is no capture `{}`{names}", name.name),
        )
    })
}

fn value_of(operand: &Operand, current: &Value, captured: &Captured) -> Result<Value, Mistake> {
    match operand {
        Operand::Text(text) => Ok(Value::String(text.clone())),
        Operand::Null => Ok(Value::Null),
        Operand::Of(Source {
            capture: Some(name),
            path,
        }) => path.find(capture(name, captured)?).cloned(),
        Operand::Of(Source { path, .. }) => path.find(current).cloned(),
    }
}

fn single(operand: &Operand, value: &Value) -> Result<String, Mistake> {
    text_of(Some(value)).ok_or_else(|| {
        let offset = match operand {
            Operand::Of(source) => source
                .path
                .segments
                .last()
                .map_or(0, |segment| segment.offset),
            Operand::Text(_) | Operand::Null => 0,
        };
        Mistake::new(
            offset,
            "this is a list or a mapping, expected a single value to compare with",
        )
    })
}

/// A single value as text: as in nmstate, `true` is `"true"`, and 1500 is `"1500"`.
pub(crate) fn text_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn filter(
    path: &ItemPath,
    input: &Value,
    test_in_words: &str,
    test: impl Fn(Option<&Value>) -> bool,
) -> Result<Value, Mistake> {
    let mut items = items_of(input, &path.list);
    items.retain(|item| passes(item, &path.property, &test));
    if items.is_empty() {
        return Err(Mistake::new(
            path.offset(),
            format!(
                "there is no {} with {} {test_in_words}",
                path.noun,
                path.property_name()
            ),
        ));
    }
    Ok(nested(&path.list, items))
}

/// Whether the property passes; of a list on the way, that of any item, unless an index says which.
fn passes(value: &Value, property: &[Segment], test: &impl Fn(Option<&Value>) -> bool) -> bool {
    match (value, property) {
        (Value::Array(items), [first, rest @ ..]) => match first.name.parse::<usize>() {
            Ok(index) => items
                .get(index)
                .map_or_else(|| test(None), |item| passes(item, rest, test)),
            Err(_) => items.iter().any(|item| passes(item, property, test)),
        },
        (Value::Array(items), []) => items.iter().any(|item| test(Some(item))),
        (_, []) => test(Some(value)),
        (Value::Object(entries), [first, rest @ ..]) => match entries.get(&first.name) {
            Some(below) => passes(below, rest, test),
            None => test(None),
        },
        _ => test(None),
    }
}

/// Writes the value in the place of the property: null takes the key away.
fn replace(item: &mut Value, property: &[Segment], value: &Value) -> Result<(), Mistake> {
    let [first, rest @ ..] = property else {
        return Ok(());
    };
    let Value::Object(entries) = item else {
        return Err(Mistake::new(
            first.offset,
            format!(
                "`{}` can't be set: what stands before it is a list or a single value",
                first.name
            ),
        ));
    };
    match (rest, value) {
        ([], Value::Null) => {
            entries.shift_remove(&first.name);
            Ok(())
        }
        ([], value) => {
            entries.insert(first.name.clone(), value.clone());
            Ok(())
        }
        (rest, Value::Null) => match entries.get_mut(&first.name) {
            Some(below) => replace(below, rest, value),
            None => Ok(()),
        },
        (rest, value) => {
            let below = entries
                .entry(first.name.clone())
                .or_insert_with(|| Map::new().into());
            replace(below, rest, value)
        }
    }
}

fn items_of(input: &Value, list: &[Segment]) -> Vec<Value> {
    let mut value = Some(input);
    for segment in list {
        value = value.and_then(|value| value.get(&segment.name));
    }
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn nested(list: &[Segment], items: Vec<Value>) -> Value {
    list.iter()
        .rev()
        .fold(Value::Array(items), |below, segment| {
            Map::from_iter([(segment.name.clone(), below)]).into()
        })
}

/// The part of the value along the path; a list is taken as a whole.
fn retained(value: &Value, path: &[Segment]) -> Value {
    let [first, rest @ ..] = path else {
        return value.clone();
    };
    match value {
        Value::Object(entries) => entries
            .get(&first.name)
            .map(|below| (first.name.clone(), retained(below, rest)))
            .into_iter()
            .collect::<Map<String, Value>>()
            .into(),
        other => other.clone(),
    }
}
