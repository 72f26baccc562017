// SPDX-License-Identifier: Apache-2.0

//! The line before the content of a file by which damage is recognised. Who edits the file takes the line out.

/// First words of the line.
const MARK: &str = "# Checksum of what follows: ";

/// The content behind its line.
pub(crate) fn with_line(content: &str) -> String {
    format!("{MARK}{}\n{content}", checksum_of(content))
}

/// The content without its line, if it has one.
///
/// # Errors
/// What is wrong, when the content isn't what the line was written for.
pub(crate) fn content_of(text: &str) -> Result<&str, &'static str> {
    match text
        .split_once('\n')
        .and_then(|(line, content)| Some((line.strip_prefix(MARK)?, content)))
    {
        Some((checksum, content)) if checksum == checksum_of(content) => Ok(content),
        Some(_) => Err("its checksum is another"),
        None => Ok(text),
    }
}

/// FNV-1a: no single byte can change without changing it. It is against accidents, not against people.
fn checksum_of(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
