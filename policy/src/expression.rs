// SPDX-License-Identifier: Apache-2.0

//! Expressions of captures:
//!
//! ```text
//! interfaces.type == "ethernet"                      the interfaces of which that is true
//! interfaces.driver =~ "^(igb|ixgbe)$"               those whose driver fits a regular expression
//! routes.running.next-hop-interface == capture.a.interfaces.0.name
//! capture.a | interfaces.mtu := 9000                 what was captured, with that value
//! capture.a | interfaces.ethernet := null            … without that key
//! dns-resolver.running                               this part of the state
//! everything                                         all of it: a bare word has no meaning of its own
//! ```

use regex_lite::Regex;

use crate::mistake::Mistake;
use crate::path::{Path, Segment, Source};
use crate::token::{Token, Word, tokens};

/// What a path can begin with: captures, and the sections of a state.
const ROOTS: [&str; 6] = [
    "capture",
    "interfaces",
    "routes",
    "route-rules",
    "dns-resolver",
    "hostname",
];

/// A capture's expression.
#[derive(Debug)]
pub(crate) struct Expression {
    /// The capture that it works on; the current state when none.
    pub(crate) input: Option<Segment>,
    pub(crate) action: Action,
}

/// What is done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Takes all.
    Copy,
    /// Takes this part.
    Retain(Path),
    /// Takes the items of a list that pass a test.
    Filter(ItemPath, Test),
    /// Takes the items of a list with another value.
    Replace(ItemPath, Operand),
}

/// A property of the items of one of a state's lists.
#[derive(Debug)]
pub(crate) struct ItemPath {
    /// The keys that lead to the list.
    pub(crate) list: Vec<Segment>,
    /// Those from an item to the property; never empty.
    pub(crate) property: Vec<Segment>,
    /// What an item is called.
    pub(crate) noun: &'static str,
}

/// What a property is compared with.
#[derive(Debug)]
pub(crate) enum Test {
    Equal(Operand),
    Match(Regex),
}

/// A value.
#[derive(Debug)]
pub(crate) enum Operand {
    Text(String),
    Null,
    Of(Source),
}

impl Expression {
    pub(crate) fn parse(line: &str) -> Result<Self, Mistake> {
        let tokens = tokens(line)?;
        if tokens.is_empty() {
            return Err(Mistake::new(0, "the expression is empty"));
        }
        let is_pipe = |token: &&Token| token.word == Word::Pipe;
        let mut pipes = tokens.iter().filter(is_pipe);
        let Some(pipe) = pipes.next() else {
            return parse_action(&tokens);
        };
        if let Some(second) = pipes.next() {
            return Err(Mistake::new(
                second.offset,
                "only one `|` fits in an expression",
            ));
        }
        let mut parts = tokens.split(|token| token.word == Word::Pipe);
        let (before, after) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let input = parse_input(before, pipe)?;
        let Some(first) = after.first() else {
            return Err(Mistake::new(pipe.offset, "nothing stands behind `|`"));
        };
        if !is_path(first) {
            return Err(Mistake::new(
                first.offset,
                "a path is needed behind `|`, expected such as `interfaces.name`",
            ));
        }
        let expression = parse_action(after)?;
        if let Some(other) = expression.input {
            return Err(Mistake::new(
                other.offset,
                "the capture that this works on stands before `|` already",
            ));
        }
        Ok(Self {
            input: Some(input),
            ..expression
        })
    }

    /// The captures that it builds on.
    pub(crate) fn builds_on(&self) -> impl Iterator<Item = &Segment> {
        let operand = match &self.action {
            Action::Filter(_, Test::Equal(operand)) | Action::Replace(_, operand) => Some(operand),
            Action::Copy | Action::Retain(_) | Action::Filter(_, Test::Match(_)) => None,
        };
        let operand = operand.and_then(|operand| match operand {
            Operand::Of(source) => source.capture.as_ref(),
            Operand::Text(_) | Operand::Null => None,
        });
        self.input.iter().chain(operand)
    }
}

fn parse_input(before: &[Token], pipe: &Token) -> Result<Segment, Mistake> {
    const WANTED: &str = "what stands before `|` is a capture, expected such as `capture.name`";
    if let [
        Token {
            word: Word::Plain(text),
            offset,
        },
    ] = before
        && let Source {
            capture: Some(name),
            path,
        } = Source::of(Path::parse(text, *offset)?)?
        && path.segments.is_empty()
    {
        return Ok(name);
    }
    let offset = before.first().map_or(pipe.offset, |token| token.offset);
    Err(Mistake::new(offset, WANTED))
}

fn parse_action(tokens: &[Token]) -> Result<Expression, Mistake> {
    let is_operator =
        |token: &Token| matches!(token.word, Word::Equal | Word::Match | Word::Replace);
    let Some(at) = tokens.iter().position(is_operator) else {
        return parse_part(tokens);
    };
    let (left, operator, right) = (&tokens[..at], &tokens[at], &tokens[at + 1..]);
    if let Some(second) = right.iter().find(|token| is_operator(token)) {
        return Err(Mistake::new(
            second.offset,
            "only one of `==`, `=~` and `:=` fits in an expression",
        ));
    }
    let source = match left {
        [token] if is_path(token) => parse_source(token)?,
        _ => {
            let offset = left.first().map_or(operator.offset, |token| token.offset);
            return Err(Mistake::new(
                offset,
                "one path stands before the operator, expected such as `interfaces.name`",
            ));
        }
    };
    let path = ItemPath::of(source.path, operator.offset)?;
    let value = match right {
        [value] => value,
        [] => {
            return Err(Mistake::new(
                operator.offset,
                "nothing stands behind the operator",
            ));
        }
        [_, second, ..] => {
            return Err(Mistake::new(
                second.offset,
                "one value or path stands behind the operator; text with spaces stands in quotes",
            ));
        }
    };
    let action = match operator.word {
        Word::Match => Action::Filter(path, Test::Match(parse_regex(value)?)),
        Word::Replace => Action::Replace(path, parse_operand(value)?),
        _ => Action::Filter(path, Test::Equal(parse_operand(value)?)),
    };
    Ok(Expression {
        input: source.capture,
        action,
    })
}

/// An expression without an operator.
fn parse_part(tokens: &[Token]) -> Result<Expression, Mistake> {
    let [first, rest @ ..] = tokens else {
        return Err(Mistake::new(0, "the expression is empty"));
    };
    if !is_path(first) {
        return Ok(Expression {
            input: None,
            action: Action::Copy,
        });
    }
    if let Some(second) = rest.first() {
        return Err(Mistake::new(
            second.offset,
            "an operator is missing, expected one of `==`, `=~`, `:=`, `|`",
        ));
    }
    let Source { capture, path } = parse_source(first)?;
    let action = match path.segments.is_empty() {
        true => Action::Copy,
        false => Action::Retain(path),
    };
    Ok(Expression {
        input: capture,
        action,
    })
}

/// As in nmstate, what has a dot and no quotes is a path.
fn is_path(token: &Token) -> bool {
    matches!(&token.word, Word::Plain(text) if text.contains('.'))
}

fn parse_source(token: &Token) -> Result<Source, Mistake> {
    match &token.word {
        Word::Plain(text) => Source::of(Path::parse(text, token.offset)?),
        _ => Err(Mistake::new(token.offset, "a path is needed here")),
    }
}

fn parse_operand(token: &Token) -> Result<Operand, Mistake> {
    match &token.word {
        Word::Quoted(text) => Ok(Operand::Text(text.clone())),
        Word::Plain(text) if text.eq_ignore_ascii_case("null") => Ok(Operand::Null),
        Word::Plain(text) if text.contains('.') => {
            // Of addresses and names of VLANs most people forget the quotes.
            if !ROOTS.contains(&text.split('.').next().unwrap_or_default()) {
                return Err(Mistake::new(
                    token.offset,
                    format!("a value with dots stands in quotes, expected `\"{text}\"`"),
                ));
            }
            let source = parse_source(token)?;
            match source.path.segments.is_empty() {
                true => Err(Mistake::new(
                    token.offset,
                    "a property of the capture is missing, expected such as `capture.name.interfaces.0.name`",
                )),
                false => Ok(Operand::Of(source)),
            }
        }
        Word::Plain(text) => Ok(Operand::Text(text.clone())),
        _ => Err(Mistake::new(
            token.offset,
            "a value or a path is needed here",
        )),
    }
}

fn parse_regex(token: &Token) -> Result<Regex, Mistake> {
    let Word::Quoted(text) = &token.word else {
        return Err(Mistake::new(
            token.offset,
            "a regular expression stands in quotes",
        ));
    };
    Regex::new(text)
        .map_err(|error| Mistake::new(token.offset, format!("not a regular expression: {error}")))
}

impl ItemPath {
    fn of(path: Path, operator: usize) -> Result<Self, Mistake> {
        let names: Vec<&str> = path
            .segments
            .iter()
            .map(|segment| segment.name.as_str())
            .collect();
        let (length, noun) = match names.as_slice() {
            ["interfaces", ..] => (1, "interface"),
            ["routes", "running" | "config", ..] => (2, "route"),
            ["route-rules", "config", ..] => (2, "route rule"),
            _ => {
                return Err(Mistake::new(
                    path.segments
                        .first()
                        .map_or(operator, |segment| segment.offset),
                    "operators work on lists, expected a property of `interfaces`, `routes.running`, `routes.config` or `route-rules.config`",
                ));
            }
        };
        let mut list = path.segments;
        let property = list.split_off(length);
        if property.is_empty() {
            return Err(Mistake::new(
                operator,
                format!("a property of the {noun}s is missing before the operator"),
            ));
        }
        Ok(Self {
            list,
            property,
            noun,
        })
    }

    /// The property, as it was written.
    pub(crate) fn property_name(&self) -> String {
        let names: Vec<&str> = self
            .property
            .iter()
            .map(|segment| segment.name.as_str())
            .collect();
        names.join(".")
    }

    /// Where it begins.
    pub(crate) fn offset(&self) -> usize {
        self.list.first().map_or(0, |segment| segment.offset)
    }
}
