// SPDX-License-Identifier: Apache-2.0

//! Domain names and texts, as both versions of the protocol write them.

/// Longest domain name in text (RFC 1035 §3.1).
const LONGEST_NAME: usize = 253;
/// Longest label of a domain name (RFC 1035 §3.1).
const LONGEST_LABEL: usize = 63;
/// Most domains of a search list that are taken over.
pub(crate) const MOST_DOMAINS: usize = 32;
/// Whether a name may end in a pointer to an earlier one (RFC 1035 §4.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Allowed,
    Refused,
}

/// A search list: DHCPv4 compresses it (option 119, RFC 3397), DHCPv6 must not (option 24, RFC 3646 §4, RFC 8415 §10).
///
/// A pointer may only lead to bytes before the name that it ends, and each jump must go further back: chains end.
pub(crate) fn domains_from_wire(value: &[u8], compression: Compression) -> Option<Vec<String>> {
    let mut domains = Vec::new();
    let mut start = 0;
    while start < value.len() && domains.len() < MOST_DOMAINS {
        let (name, after) = wire_name(value, start, compression)?;
        // One that no domain can be called is left out.
        domains.extend(domain(&name));
        start = after;
    }
    (!domains.is_empty()).then_some(domains)
}

/// Reads the name at `start`: its text, and where the next name begins.
fn wire_name(value: &[u8], start: usize, compression: Compression) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut at = start;
    let mut earliest = start;
    let mut after = None;
    loop {
        let length = *value.get(at)?;
        match length {
            0 => return Some((name, after.unwrap_or(at + 1))),
            1..=63 => {
                let label = value.get(at + 1..at + 1 + usize::from(length))?;
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(std::str::from_utf8(label).ok()?);
                if name.len() > LONGEST_NAME {
                    return None;
                }
                at += 1 + usize::from(length);
            }
            0xc0.. if compression == Compression::Allowed => {
                let target = usize::from(length & 0x3f) << 8 | usize::from(*value.get(at + 1)?);
                if target >= earliest {
                    return None;
                }
                after = after.or(Some(at + 2));
                earliest = target;
                at = target;
            }
            _ => return None,
        }
    }
}

/// A domain name of letters, digits, hyphens and underscores, lower case, without the final dot.
///
/// Strict, because the name ends in configuration files of others.
pub(crate) fn domain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label_is_sound = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let sound = text.len() <= LONGEST_NAME && text.split('.').all(label_is_sound);
    sound.then(|| text.to_ascii_lowercase())
}

/// Text for people (DHCPv4: option 56; DHCPv6: in option 13): printable characters only, so that it can be logged as it is.
pub(crate) fn text(value: &[u8]) -> Option<String> {
    let text: String = String::from_utf8_lossy(value)
        .trim_end_matches('\0')
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(255)
        .collect();
    (!text.trim().is_empty()).then_some(text)
}
