// SPDX-License-Identifier: Apache-2.0

//! JSON for people, made from JSON text without building it up as a tree.

/// Puts each item and key of `json`, which has to be valid, on a line of its own.
pub(crate) fn pretty_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    // Written without a line break when the section turns out to be empty.
    let mut is_just_opened = false;
    let mut rest = json;
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '"' => string_length(rest),
            _ => letter.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        rest = behind;
        if letter.is_ascii_whitespace() {
            continue;
        }
        if matches!(letter, '}' | ']') {
            depth = depth.saturating_sub(1);
            if !is_just_opened {
                break_line(&mut out, depth);
            }
            is_just_opened = false;
            out.push(letter);
            continue;
        }
        if is_just_opened {
            break_line(&mut out, depth);
            is_just_opened = false;
        }
        out.push_str(token);
        match letter {
            '{' | '[' => {
                depth += 1;
                is_just_opened = true;
            }
            ',' => break_line(&mut out, depth),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out.push('\n');
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Length of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn it_is_laid_out_as_serde_json_does() {
        let value = json!({
            "a": [], "b": {}, "c": [1, -2.5, null, true, [[]], {"d": "x, \"y\": {\\"}],
            "ü]": "\u{1}", "e": {"f": {"g": ""}},
        });
        for text in [value.to_string(), format!("{value:#}")] {
            assert_eq!(pretty_json(&text), format!("{value:#}\n"));
        }
        for text in ["", "\"", "{", "]]", "\"\\"] {
            let _ = pretty_json(text);
        }
        assert_eq!(
            serde_json::from_str::<Value>(&pretty_json(&value.to_string())).unwrap(),
            value
        );
    }
}
