// SPDX-License-Identifier: Apache-2.0

//! What the libraries say in a programmer's words, in a user's.

use super::tracked::Track;
use crate::mask::mask_secrets;

/// Beginnings of serde's sentences.
const BEGINNINGS: [(&str, &str); 12] = [
    ("unknown field ", "unknown key "),
    ("missing field ", "missing key "),
    ("unknown variant ", "unknown word "),
    ("invalid type: sequence", "invalid type: a list"),
    ("invalid type: map", "invalid type: a mapping"),
    ("invalid type: unit value", "invalid type: nothing"),
    ("invalid type: enum", "invalid type: a YAML tag"),
    ("invalid type: string ", "invalid type: text "),
    ("invalid type: floating point ", "invalid type: number "),
    ("invalid type: integer ", "invalid type: number "),
    ("invalid value: string ", "invalid value: text "),
    ("invalid value: integer ", "invalid value: number "),
];

/// Whole sentences of the standard library.
const SENTENCES: [(&str, &str); 3] = [
    (
        "invalid IPv4 address syntax",
        "not an IPv4 address, expected one such as 192.0.2.1",
    ),
    (
        "invalid IPv6 address syntax",
        "not an IPv6 address, expected one such as 2001:db8::1",
    ),
    (
        "invalid IP address syntax",
        "not an IP address, expected one such as 192.0.2.1 or 2001:db8::1",
    ),
];

/// Keys, as they stand in lists of keys, that nobody writes: only what was observed has them.
const NEVER_WRITTEN: [&str; 2] = [", `lost-endpoints`", " or `endpoint`"];

const EXPECTED_STRUCT: &str = ", expected struct ";

/// What stands in lists that some write as lists of words, by the names of the types.
const EXAMPLES: [(&str, &str); 7] = [
    ("Address", "{ip: 192.0.2.1, prefix-length: 24}"),
    ("AllowedIp", "{ip: 192.0.2.0, prefix-length: 24}"),
    ("AltName", "{name: uplink}"),
    ("BridgePort", "{name: eth0}"),
    ("BondPort", "{name: eth0, priority: 1}"),
    ("HostNames", "{running: NAME, config: NAME}"),
    ("Interface", "{name: eth0, state: up}"),
];

/// What serde says.
pub(super) fn plain_words(sentence: &str, track: &Track) -> String {
    if let Some((_, plain)) = SENTENCES.iter().find(|(known, _)| *known == sentence) {
        return (*plain).to_string();
    }
    if let Some(key) = sentence.strip_prefix("duplicate field ") {
        return format!("key {key} is written twice, in two spellings");
    }
    if let Some(rest) = sentence.strip_prefix("unknown field `-") {
        let word = rest.split('`').next().unwrap_or_default();
        return format!("`-{word}` is no item of a list, expected a space behind the dash");
    }
    let mut words = sentence
        .replace("expected a sequence", "expected a list")
        .replace("expected a string", "expected text");
    for key in NEVER_WRITTEN {
        words = words.replace(key, "");
    }
    let known = BEGINNINGS.iter();
    let mut known = known.filter_map(|(word, plain)| Some((words.strip_prefix(word)?, plain)));
    if let Some((rest, plain)) = known.next() {
        words = format!("{plain}{rest}");
    }
    if words.ends_with(", expected a map") {
        words.push_str("ping");
    }
    if let Some(start) = words.rfind(EXPECTED_STRUCT) {
        let name = words.get(start + EXPECTED_STRUCT.len()..);
        let example = EXAMPLES.iter().find(|(known, _)| Some(*known) == name);
        let plain = match example {
            Some((_, example)) => format!(", expected a mapping such as {example}"),
            None => ", expected a mapping of keys to values".to_string(),
        };
        words.replace_range(start.., &plain);
    }
    if let Some(start) = words.rfind(", expected a YAML tag starting with '!'") {
        let accepted: Vec<String> = track
            .accepted_words()
            .iter()
            .map(|word| format!("`{word}`"))
            .collect();
        let accepted = match accepted.len() {
            1 => accepted.concat(),
            _ => format!("one of {}", accepted.join(", ")),
        };
        words.replace_range(start.., &format!(", expected {accepted}"));
    }
    let accepted = words.rfind(", expected ").unwrap_or(words.len());
    let (wrong, accepted) = words.split_at(accepted);
    mask_secrets(wrong) + accepted
}

/// Where a mistake in the syntax is best shown.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    /// Where the reader stumbled.
    There,
    /// Where that began which is wrong.
    AtItsBeginning,
}

/// Beginnings of libyaml's sentences. `@` is where the list, mapping or key began.
const SYNTAX: [(&str, &str, Shown); 11] = [
    (
        "mapping values are not allowed in this context",
        "no key can stand here, expected the same indentation as the other keys, and a colon behind the one above",
        Shown::There,
    ),
    (
        "found a tab character that violates indentation",
        "a tab can't indent, expected spaces",
        Shown::There,
    ),
    (
        "found unexpected end of stream, while scanning a quoted scalar",
        "the quotation that begins here doesn't end",
        Shown::AtItsBeginning,
    ),
    (
        "could not find expected ':', while scanning a simple key",
        "this is no key with a value, expected a colon and a space behind the key",
        Shown::AtItsBeginning,
    ),
    (
        "did not find expected ',' or ']'",
        "the list that begins at @ isn't ended, expected `,` or `]`",
        Shown::There,
    ),
    (
        "did not find expected ',' or '}'",
        "the mapping that begins at @ isn't ended, expected `,` or `}`",
        Shown::There,
    ),
    (
        "did not find expected key",
        "this is indented less than the line above and more than the mapping that begins at @, expected one or the other",
        Shown::There,
    ),
    (
        "did not find expected '-' indicator",
        "this belongs to no item of the list that begins at @, expected `-`",
        Shown::There,
    ),
    (
        "did not find expected node content",
        "a value is missing here",
        Shown::There,
    ),
    (
        "unknown anchor",
        "nothing above has this anchor, expected one that is written before as `&NAME`",
        Shown::There,
    ),
    (
        "found character that cannot start any token",
        "no text can begin with this letter unless it stands in quotes",
        Shown::There,
    ),
];

/// A letter that looks like a space and is none to YAML: web pages are full of it.
const NO_BREAK_SPACE: char = '\u{a0}';

/// What libyaml says of `text`, and where it is best shown, if that isn't at `place`, where it was found.
pub(super) fn plain_syntax(
    sentence: &str,
    text: &str,
    place: Option<(usize, usize)>,
) -> (String, Option<(usize, usize)>) {
    let line = place.map(|(line, _)| line).unwrap_or_default();
    let stumbled = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    if let Some(before) = stumbled.chars().position(|letter| letter == NO_BREAK_SPACE) {
        let words = "this is a no-break space (U+00A0), expected a usual one";
        return (words.to_string(), Some((line, before + 1)));
    }
    let begun = beginning(sentence);
    let known = SYNTAX
        .iter()
        .find(|(known, ..)| sentence.starts_with(known));
    let Some((_, plain, shown)) = known else {
        return (sentence.to_string(), None);
    };
    let place = match begun {
        Some((line, column)) => format!("line {line}, column {column}"),
        None => "the very beginning".to_string(),
    };
    let place_to_show = begun.filter(|_| *shown == Shown::AtItsBeginning);
    (plain.replace('@', &place), place_to_show)
}

/// The place that a sentence ends with: ` at line 3 column 14`.
fn beginning(sentence: &str) -> Option<(usize, usize)> {
    let (_, place) = sentence.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
