// SPDX-License-Identifier: Apache-2.0

//! `apply`: one file after the other; the first that fails ends it.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nipart_api::call::ApplyParameters;
use nipart_api::client::Client;
use nipart_schemas::request::{ApplyReport, Progress};

use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::output;
use crate::request::ApplyRequest;

/// Applies that are faster need no progress.
const QUIET: Duration = Duration::from_secs(1);

pub(super) async fn run(mut client: Client, request: ApplyRequest) -> Result<ExitCode, Failure> {
    let count = request.inputs.len();
    for (index, input) in request.inputs.into_iter().enumerate() {
        let parameters = ApplyParameters {
            state: input.state,
            verify: Some(request.verify),
            memory_only: Some(request.memory_only),
            timeout_ms: u64::try_from(request.timeout.as_millis()).ok(),
        };
        let mut line = ProgressLine::new();
        let outcome = client
            .apply(&parameters, |progress| line.show(progress))
            .await;
        line.clear();
        let report = outcome.map_err(|error| {
            let error = match count - index - 1 {
                0 => error,
                left => error.note(format!(
                    "files after this one that were not applied: {left}"
                )),
            };
            Failure::of_document(&input.document, error)
        })?;
        let name = match (request.format, count) {
            (ReportFormat::Text, 2..) => Some(input.document.name.as_str()),
            _ => None,
        };
        output::report(&report, request.format, |report| describe(report, name))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(report: &ApplyReport, name: Option<&str>) -> String {
    let mut text = name.map_or(String::new(), |name| {
        format!("{}\n", output::bold(&format!("{name}:")))
    });
    for change in &report.changes {
        text.push_str(&format!("  {change}\n"));
    }
    let others = report.operations.saturating_sub(report.changes.len());
    if others > 0 && !report.changes.is_empty() {
        text.push_str(&format!("  and {others} more\n"));
    }
    let mut words = match report.operations {
        0 => vec!["Nothing to change".to_string()],
        1 => vec!["Applied with 1 operation".to_string()],
        count => vec![format!("Applied with {count} operations")],
    };
    words.push(word(report.verified, "verified", "not verified").to_string());
    words.push(word(report.saved, "saved", "not saved").to_string());
    text.push_str(&words.join(", "));
    if let Some(trace) = &report.trace {
        text.push_str(&output::dim(&format!(" (trace {trace})")));
    }
    text.push('\n');
    text
}

fn word(is_so: bool, yes: &'static str, no: &'static str) -> &'static str {
    if is_so { yes } else { no }
}

/// A line on the terminal that is written over and over.
struct ProgressLine {
    begun: Instant,
    is_terminal: bool,
    is_shown: bool,
}

impl ProgressLine {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            is_terminal: io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    fn show(&mut self, progress: &Progress) {
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

    fn clear(&mut self) {
        if self.is_shown {
            self.write("\r\x1b[K");
        }
    }

    /// Progress that can't be written isn't worth an error.
    fn write(&self, text: &str) {
        let mut out = io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
