// SPDX-License-Identifier: Apache-2.0

//! When a string needs quotes: readers of YAML 1.1 (PyYAML, Ruby, older Go) take many plain words for booleans,
//! numbers, dates and nothing. Quoted, a string is a string everywhere.

use std::fmt::Write;
use std::net::Ipv4Addr;

/// Words with a meaning of their own in YAML 1.1 or 1.2, in lower case.
const RESERVED_WORDS: [&str; 18] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", ".inf", "-.inf",
    "+.inf", ".nan", "---", "...",
];

/// Characters that a plain string can't begin with.
const INDICATORS: &str = "-?:,[]{}#&*!|>'\"%@`";

/// Appends `text` as a scalar, with quotes where they are needed.
pub(super) fn push_string(out: &mut String, text: &str) {
    if text.chars().any(needs_escape) {
        push_double_quoted(out, text);
    } else if needs_quotes(text) {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        out.push_str(text);
    }
}

fn needs_quotes(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return true;
    };
    is_structure(text, first) || is_reserved(text) || looks_like_number(text, first)
}

/// Whether it would be read as a part of YAML's own syntax.
fn is_structure(text: &str, first: char) -> bool {
    let second_is_solid = text.chars().nth(1).is_some_and(|second| second != ' ');
    let indicator = INDICATORS.contains(first) && !("-?:".contains(first) && second_is_solid);
    indicator
        || text.starts_with(' ')
        || text.ends_with([' ', ':'])
        || text.starts_with("---")
        || text.starts_with("...")
        || text.contains(": ")
        || text.contains(" #")
}

fn is_reserved(text: &str) -> bool {
    text.len() <= 5 && RESERVED_WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Decimal, octal, hexadecimal, binary, sexagesimal and floating-point numbers, and dates.
fn looks_like_number(text: &str, first: char) -> bool {
    if !(first.is_ascii_digit() || "+-.".contains(first)) {
        return matches!(
            text.to_ascii_lowercase().as_str(),
            "inf" | "nan" | "infinity"
        );
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let prefixed = unsigned
        .get(..2)
        .is_some_and(|prefix| matches!(prefix, "0x" | "0X" | "0o" | "0O" | "0b" | "0B"));
    let dated = text.get(..5).is_some_and(|start| {
        start.ends_with('-') && start.bytes().take(4).all(|digit| digit.is_ascii_digit())
    });
    // `12:30:45` counts in sixties; `2001::1` has an empty place and counts for nothing.
    let digits = unsigned
        .bytes()
        .all(|letter| matches!(letter, b'0'..=b'9' | b'_' | b'.' | b':'))
        && !unsigned.contains("::")
        && text.parse::<Ipv4Addr>().is_err();
    prefixed || dated || digits || unsigned.replace('_', "").parse::<f64>().is_ok()
}

fn needs_escape(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn push_double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            letter if needs_escape(letter) => {
                let code = u32::from(letter);
                // Writing to a string can't fail.
                let _ = if code <= 0xff {
                    write!(out, "\\x{code:02x}")
                } else {
                    write!(out, "\\u{code:04x}")
                };
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
