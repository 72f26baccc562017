// SPDX-License-Identifier: Apache-2.0

//! The text of resolv.conf(5): pure.

use std::fmt::{Display, Write};
use std::path::Path;

use nipart_schemas::dns::{DnsConfig, DnsOrigin, DnsSource};

/// The first lines of what we write: how we know our own from what another daemon has written, which keeps the
/// original elsewhere.
fn mark(original: &Path) -> String {
    let original = original.display();
    format!(
        "# Written by Nipart. Changes of this file get lost: use `nipartctl apply`.\n# What was here before is kept as {original}.\n"
    )
}

/// Whether the text was written by us, who keep the original there.
pub(crate) fn is_ours(text: &str, original: &Path) -> bool {
    text.starts_with(&mark(original))
}

/// What programs are to read.
pub(crate) fn write(lists: &DnsSource, original: &Path) -> String {
    let mut text = mark(original);
    let mut line = |key: &str, items: &[&dyn Display]| {
        text.push_str(key);
        for item in items {
            // Writing to a string can't fail.
            let _ = write!(text, " {item}");
        }
        text.push('\n');
    };
    fn shown<T: Display>(items: &[T]) -> Vec<&dyn Display> {
        items.iter().map(|item| item as &dyn Display).collect()
    }
    if !lists.search.is_empty() {
        line("search", &shown(&lists.search));
    }
    for server in &lists.server {
        line("nameserver", &[server]);
    }
    if !lists.options.is_empty() {
        line("options", &shown(&lists.options));
    }
    text
}

/// What programs read there. What they wouldn't understand, and what we wouldn't accept, is left out.
pub(crate) fn read(text: &str) -> DnsSource {
    let mut lists = DnsSource::new(None, DnsOrigin::Static);
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => {
                lists
                    .server
                    .extend(words.next().and_then(|word| word.parse().ok()));
            }
            // The last one counts.
            Some("search" | "domain") => {
                lists.search = words.filter_map(|word| word.parse().ok()).collect();
            }
            Some("options") => lists
                .options
                .extend(words.filter_map(|word| word.parse().ok())),
            _ => {}
        }
    }
    lists
}

/// The lists of `lists`, where one is empty that of `below`.
pub(crate) fn filled(mut lists: DnsSource, below: DnsSource) -> DnsSource {
    fn fill<T>(list: &mut Vec<T>, below: Vec<T>) {
        if list.is_empty() {
            *list = below;
        }
    }
    fill(&mut lists.server, below.server);
    fill(&mut lists.search, below.search);
    fill(&mut lists.options, below.options);
    lists
}

/// The same for people.
pub(crate) fn shown(text: &str) -> DnsConfig {
    read(text).config().unwrap_or_default()
}
