// SPDX-License-Identifier: Apache-2.0

//! How far a long apply is, on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use nipart_schemas::request::Progress;

/// Applies that are faster need no progress.
const QUIET: Duration = Duration::from_secs(1);

/// A line on the terminal that is written over and over.
#[derive(Debug)]
pub(super) struct ProgressLine {
    begun: Instant,
    is_terminal: bool,
    is_shown: bool,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            is_terminal: io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        if !self.is_terminal || self.begun.elapsed() < QUIET {
            return;
        }
        let count = match progress.total {
            0 => String::new(),
            total => format!(" ({} of {total})", progress.done),
        };
        self.write(&format!("\r\x1b[K{}{count}", progress.message));
        self.is_shown = true;
    }

    pub(super) fn clear(&mut self) {
        if self.is_shown {
            self.write("\r\x1b[K");
            self.is_shown = false;
        }
    }

    /// Progress that can't be written isn't worth an error.
    fn write(&self, text: &str) {
        let mut out = io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
