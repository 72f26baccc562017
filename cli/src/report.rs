// SPDX-License-Identifier: Apache-2.0

//! Errors as people read them: what, where, the line itself, what is accepted.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::mask::mask_secrets;

use crate::failure::Place;
use crate::output::{bold, red};
use crate::suggestion::nearest;

/// Lines that are shown before the one in question.
const LINES_BEFORE: usize = 2;

/// Renders with colours: what isn't a terminal has them taken off.
pub(crate) fn render(error: &NipartError, place: Option<&Place>) -> String {
    let (wrong, accepted) = split_accepted(&error.message);
    let title = match (error.kind, &error.path) {
        (ErrorKind::InvalidArgument, Some(path)) => format!("{path}: {wrong}"),
        (ErrorKind::InvalidArgument, None) => wrong.to_string(),
        (kind, Some(path)) => format!("{kind}: {path}: {wrong}"),
        (kind, None) => format!("{kind}: {wrong}"),
    };
    let similar = accepted
        .and_then(|accepted| similar_word(wrong, accepted))
        .map(|word| format!("did you mean `{word}`?"));
    let helps = similar.as_deref().into_iter().chain(accepted);
    match place {
        Some(place) => with_excerpt(&title, &Excerpt::of(place), helps, &error.notes),
        None => {
            let mut text = format!("{}: {}", red("error"), bold(&title));
            for help in helps {
                text.push_str(&format!("\n  help: {help}"));
            }
            for note in &error.notes {
                text.push_str(&format!("\n  note: {note}"));
            }
            text
        }
    }
}

fn with_excerpt<'a>(
    title: &str,
    excerpt: &Excerpt<'_>,
    helps: impl Iterator<Item = &'a str>,
    notes: &[String],
) -> String {
    let mut group = Level::ERROR.primary_title(title).element(excerpt.snippet());
    for help in helps {
        group = group.element(Level::HELP.message(help));
    }
    for note in notes {
        group = group.element(Level::NOTE.message(note));
    }
    Renderer::styled().render(&[group])
}

/// What is wrong, and what is accepted instead.
fn split_accepted(message: &str) -> (&str, Option<&str>) {
    let ends = [", expected ", ": expected "].map(|begin| message.find(begin));
    match ends.into_iter().flatten().min() {
        Some(at) => (&message[..at], message.get(at + 2..)),
        None => (message, None),
    }
}

/// "Did you mean", for a word in backticks or quotes that resembles an accepted one. Those are listed behind "one of",
/// or stand in backticks.
fn similar_word<'a>(wrong: &str, accepted: &'a str) -> Option<&'a str> {
    let word = wrong.split(['`', '"']).nth(1)?;
    let listed = accepted.split_once("one of ").map(|(_, list)| list);
    let in_list = listed.into_iter().flat_map(|list| list.split(", "));
    let in_list = in_list.filter_map(|item| item.split(' ').next());
    let in_backticks = accepted.split('`').skip(1).step_by(2);
    nearest(
        word,
        in_backticks.chain(in_list.filter(|item| !item.contains('`'))),
    )
}

/// A few lines of the document.
struct Excerpt<'a> {
    name: &'a str,
    text: String,
    first_line: usize,
    span: std::ops::Range<usize>,
}

impl<'a> Excerpt<'a> {
    fn of(place: &'a Place) -> Self {
        let document = &place.document;
        let masked = mask_secrets(&document.text);
        let count = masked.lines().count();
        // Syntax errors may stand behind the last line: something was never closed.
        let line = place.line.clamp(1, count.max(1));
        let first_line = line.saturating_sub(LINES_BEFORE).max(1);
        let lines: Vec<&str> = masked
            .lines()
            .skip(first_line - 1)
            .take(line + 1 - first_line)
            .collect();
        let text = lines.join("\n");
        let target = lines.last().copied().unwrap_or_default();
        let line_start = text.len() - target.len();
        let column = if line == place.line {
            let letters = target.char_indices().nth(place.column.saturating_sub(1));
            letters.map_or(target.len(), |(at, _)| at)
        } else {
            target.len()
        };
        let (before, rest) = target.split_at_checked(column).unwrap_or((target, ""));
        let length = word_length(rest, is_inside_brackets(before));
        let start = line_start + column;
        Self {
            name: &document.name,
            first_line,
            span: start..start + length,
            text,
        }
    }

    fn snippet(&self) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        Snippet::source(self.text.as_str())
            .path(self.name)
            .line_start(self.first_line)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(self.span.clone()))
    }
}

/// Whether brackets are open behind this beginning of a line.
fn is_inside_brackets(before: &str) -> bool {
    let count = |brackets: [char; 2]| before.matches(brackets).count();
    count(['[', '{']) > count([']', '}'])
}

/// Bytes of the key, text or quoted text that `rest` begins with.
fn word_length(rest: &str, is_inside_brackets: bool) -> usize {
    let mut letters = rest.char_indices();
    let Some((_, first)) = letters.next() else {
        return 0;
    };
    if matches!(first, '"' | '\'') {
        return rest[1..].find(first).map_or(rest.len(), |end| end + 2);
    }
    let end = letters.find(|&(at, letter)| {
        let behind = &rest[at + letter.len_utf8()..];
        let ends_key = behind.is_empty() || behind.starts_with(' ');
        match letter {
            ':' => ends_key,
            ' ' => behind.starts_with('#'),
            ',' | ']' | '}' => is_inside_brackets,
            _ => false,
        }
    });
    rest[..end.map_or(rest.len(), |(at, _)| at)]
        .trim_end()
        .len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::input::Document;

    fn rendered(text: &str) -> String {
        let error =
            nipart_schemas::yaml::parse::<nipart_schemas::network_state::NetworkState>(text)
                .unwrap_err();
        let document = Arc::new(Document {
            name: "net.yml".into(),
            text: text.into(),
            root: "",
        });
        let place = Place {
            document,
            line: error.line,
            column: error.column,
        };
        let mut refused =
            NipartError::new(ErrorKind::InvalidArgument, error.message).note("nothing was changed");
        refused.path = error.path;
        anstream::adapter::strip_str(&render(&refused, Some(&place))).to_string()
    }

    #[test]
    fn the_line_the_mistake_and_what_is_accepted_are_shown() {
        let expected = "\
error: interfaces[0]: unknown word `down_`
 --> net.yml:4:10
  |
2 | - name: eth0
3 |   mtu: 1500
4 |   state: down_
  |          ^^^^^
  |
  = help: did you mean `down`?
  = help: expected one of `up`, `down`, `absent`, `ignore`
  = note: nothing was changed";
        let text = "interfaces:\n- name: eth0\n  mtu: 1500\n  state: down_\n  type: veth\n";
        assert_eq!(
            rendered(text),
            expected.replace("interfaces[0]:", "interfaces[0].state:")
        );
    }

    #[test]
    fn any_place_can_be_shown() {
        for text in [
            "interfaces: [",
            "a",
            "interfaces:\n- \"",
            "ä: ö",
            "- 1",
            "interfaces: {ä: 1}",
            "[\n\n\n",
        ] {
            assert!(rendered(text).contains("net.yml"), "{text:?}");
        }
    }
}
