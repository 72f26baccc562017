// SPDX-License-Identifier: Apache-2.0

//! Secrets in text that is about to be shown, such as the lines of a file around a mistake. The text may be no YAML,
//! and the key may be misspelt: that is what is told of it.

use crate::key::HIDDEN;

/// What the name of a key has in it whose value is a secret, without dashes and in small letters.
const SECRET_NAMES: [&str; 6] = ["private", "preshared", "psk", "cak", "password", "secret"];
/// Of a key in base64, with the `=` at its end.
const KEY_LENGTH: usize = 44;

/// `text` with stars in place of secrets, letter by letter: lines and columns stay what they were.
pub fn mask_secrets(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    // The column of a secret's key: deeper lines belong to its value.
    let mut above = None;
    for line in text.split_inclusive('\n') {
        let indent = line.chars().take_while(|letter| *letter == ' ').count();
        if above.is_some_and(|column| indent > column || line.trim().is_empty()) {
            push_stars(&mut masked, line);
        } else {
            above = mask_line(&mut masked, line);
        }
    }
    masked
}

/// Adds the line, and tells the column of the last secret's key.
fn mask_line(masked: &mut String, line: &str) -> Option<usize> {
    let mut column = None;
    let mut rest = line;
    let mut is_public = false;
    while let Some(start) = rest.find(is_of_word) {
        masked.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest
            .find(|letter| !is_of_word(letter))
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        if looks_like_a_key(word, behind) && !is_public {
            push_stars(masked, word);
            continue;
        }
        let key_column = line[..line.len() - behind.len() - word.len()]
            .chars()
            .count();
        masked.push_str(word);
        let Some(value) = value_behind(behind) else {
            continue;
        };
        is_public = word.to_ascii_lowercase().contains("public");
        if !is_secret(word) || value.starts_with(HIDDEN) {
            continue;
        }
        column = Some(key_column);
        masked.push_str(&behind[..behind.len() - value.len()]);
        let is_flow = line[..line.len() - behind.len()].contains(['{', '[']);
        let length = value_length(value, is_flow);
        push_stars(masked, &value[..length]);
        rest = &value[length..];
    }
    masked.push_str(rest);
    column
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '+' | '/')
}

fn is_secret(word: &str) -> bool {
    let name: String = word
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric())
        .collect();
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

fn looks_like_a_key(word: &str, behind: &str) -> bool {
    word.len() + 1 == KEY_LENGTH && behind.starts_with('=')
}

/// What stands behind a key and its colon or equals sign.
fn value_behind(behind: &str) -> Option<&str> {
    let behind = behind.trim_start_matches(['"', '\'', ' ']);
    let value = behind.strip_prefix([':', '='])?;
    Some(value.trim_start_matches(' '))
}

/// Bytes of the value that `rest` begins with.
fn value_length(rest: &str, is_flow: bool) -> usize {
    let rest = rest.trim_end();
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        Some('[' | '{') | None => rest.len(),
        Some(_) if is_flow => rest.find([',', '}']).unwrap_or(rest.len()),
        Some(_) => rest.len(),
    }
}

fn push_stars(masked: &mut String, text: &str) {
    masked.extend(text.chars().map(|letter| match letter.is_whitespace() {
        true => letter,
        false => '*',
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let key = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
        for (text, expected) in [
            (
                "private-key: abc # mine\nmtu: 1",
                "private-key: *** * ****\nmtu: 1",
            ),
            ("PrivateKey = a b\n", "PrivateKey = * *\n"),
            (
                "{\"psk\": \"a b\", \"mtu\": 1}",
                "{\"psk\": ** **, \"mtu\": 1}",
            ),
            (
                "w: {preshared-key: ab, mtu: 1}",
                "w: {preshared-key: **, mtu: 1}",
            ),
            (
                "- private_key:\n    abc\n\n  mtu: 1",
                "- private_key:\n    ***\n\n  mtu: 1",
            ),
            ("mka-cak: >-\n  ab\nmtu: 1", "mka-cak: **\n  **\nmtu: 1"),
            ("private-key: <hidden>", "private-key: <hidden>"),
            ("private-key", "private-key"),
            ("password: ä", "password: *"),
            (
                "mtu: 1500\nname: eth0 # private",
                "mtu: 1500\nname: eth0 # private",
            ),
        ] {
            assert_eq!(mask_secrets(text), expected, "{text}");
        }
        let public = format!("public-key: {key}");
        assert_eq!(mask_secrets(&public), public);
        let misspelt = mask_secrets(&format!("prvt-key: {key}"));
        assert!(misspelt.starts_with("prvt-key: ****") && !misspelt.contains(&key[..20]));
        assert_eq!(misspelt.len(), key.len() + 10);
    }
}
