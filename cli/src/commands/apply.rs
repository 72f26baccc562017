// SPDX-License-Identifier: Apache-2.0

//! `apply`: one file after the other; the first that fails ends it.

use std::process::ExitCode;
use std::sync::Arc;

use nipart_api::call::ApplyParameters;
use nipart_api::client::Client;
use nipart_schemas::error::NipartError;
use nipart_schemas::request::ApplyReport;

use super::confirmation;
use super::policy;
use super::progress::ProgressLine;
use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::input::{Document, Input};
use crate::output;
use crate::request::{ApplyRequest, Change, Confirm};

pub(super) async fn run(mut client: Client, request: ApplyRequest) -> Result<ExitCode, Failure> {
    let count = request.inputs.len();
    for (index, wanted) in request.inputs.into_iter().enumerate() {
        let input = policy::resolve(&mut client, wanted).await?;
        one(&mut client, input, &request.change, (index, count)).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Applies what is `index` of `count`, and asks whether to keep it where that is wanted.
pub(super) async fn one(
    client: &mut Client,
    input: Input,
    change: &Change,
    place: (usize, usize),
) -> Result<(), Failure> {
    let (confirm_seconds, asks) = match change.confirm {
        Confirm::No => (None, false),
        Confirm::Ask(seconds) => (Some(seconds), true),
        Confirm::Later(seconds) => (Some(seconds), false),
    };
    let parameters = ApplyParameters {
        state: input.state,
        verify: Some(change.verify),
        memory_only: Some(change.memory_only),
        timeout_ms: u64::try_from(change.timeout.as_millis()).ok(),
        confirm_seconds,
        // Who can't be asked any more can't say yes.
        hang_up: asks.then_some(true),
        no_wait: change.no_wait.then_some(true),
        note: change.note.clone(),
    };
    let mut line = ProgressLine::new();
    let outcome = client
        .apply(&parameters, |progress| line.show(progress))
        .await;
    line.clear();
    let report = finish(outcome, &input.document, change.format, place)?;
    match report.checkpoint {
        Some(checkpoint) if asks => confirmation::ask(client, &checkpoint, change.format).await,
        _ => Ok(()),
    }
}

/// Writes the report on the file that is `index` of `count`.
pub(super) fn finish(
    outcome: Result<ApplyReport, NipartError>,
    document: &Arc<Document>,
    format: ReportFormat,
    (index, count): (usize, usize),
) -> Result<ApplyReport, Failure> {
    let report = outcome.map_err(|error| {
        let error = match count - index - 1 {
            0 => error,
            left => error.note(format!(
                "files after this one that were not applied: {left}"
            )),
        };
        Failure::of_document(document, error)
    })?;
    let name = match (format, count) {
        (ReportFormat::Text, 2..) => Some(document.name.as_str()),
        _ => None,
    };
    output::report(&report, format, |report| describe(report, name))?;
    Ok(report)
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
    if let Some(checkpoint) = &report.checkpoint {
        text.push_str(&format!(
            "Checkpoint {}: taken back in {} s unless it is committed\n",
            output::bold(&checkpoint.id),
            checkpoint.remaining
        ));
    }
    text
}

fn word(is_so: bool, yes: &'static str, no: &'static str) -> &'static str {
    if is_so { yes } else { no }
}
