// SPDX-License-Identifier: Apache-2.0

//! `trace list` and `trace show`: a request as a tree of questions, each with its answer.

use std::collections::HashMap;
use std::process::ExitCode;

use nipart_api::client::Client;
use nipart_api::reply::{Trace, TraceEvent};

use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::output::{self, Table, bytes, date_and_time, dim, duration_us, state_word};

pub(super) async fn list(
    mut client: Client,
    limit: usize,
    format: ReportFormat,
) -> Result<ExitCode, Failure> {
    let traces = client.traces(Some(limit)).await?;
    output::report(&traces, format, |traces| table(traces))?;
    Ok(ExitCode::SUCCESS)
}

fn table(traces: &[Trace]) -> String {
    let mut table = Table::new(&[
        "ID", "STARTED", "KIND", "STATE", "DURATION", "EVENTS", "BYTES",
    ]);
    for trace in traces {
        table.row(vec![
            trace.id.clone(),
            date_and_time(trace.started_us),
            trace.kind.clone(),
            trace.state.clone(),
            duration_us(trace.duration_us),
            trace.events.to_string(),
            bytes(trace.bytes),
        ]);
    }
    table.render()
}

pub(super) async fn show(
    mut client: Client,
    id: &str,
    format: ReportFormat,
) -> Result<ExitCode, Failure> {
    let events = client.trace(id).await?;
    output::report(&events, format, |events| tree(events))?;
    Ok(ExitCode::SUCCESS)
}

/// One line of the tree: a question with its answer, or something that was told.
struct Line {
    label: String,
    state: String,
    size: String,
    offset: String,
    duration: String,
}

fn tree(events: &[TraceEvent]) -> String {
    let Some(first) = events.first() else {
        return String::new();
    };
    let mut children: HashMap<&str, Vec<&TraceEvent>> = HashMap::new();
    let known: HashMap<&str, &TraceEvent> = events
        .iter()
        .map(|event| (event.uuid.as_str(), event))
        .collect();
    let mut roots = Vec::new();
    for event in events {
        let parent = event
            .ref_uuid
            .as_deref()
            .filter(|uuid| known.contains_key(uuid));
        match parent {
            Some(uuid) => children.entry(uuid).or_default().push(event),
            // The root, and those whose question is forgotten.
            None => roots.push(event),
        }
    }
    let mut lines = Vec::new();
    for root in roots {
        grow(root, "", "", &children, first.at_us, &mut lines);
    }
    let mut text = format!(
        "{}\n",
        dim(&format!("{} {}", first.chain, date_and_time(first.at_us)))
    );
    text.push_str(&align(&lines));
    text
}

/// Adds `event` with what hangs below it. `lead` stands before its own line, `below` before those of its children.
fn grow(
    event: &TraceEvent,
    lead: &str,
    below: &str,
    children: &HashMap<&str, Vec<&TraceEvent>>,
    begin_us: u64,
    lines: &mut Vec<Line>,
) {
    let hanging = children
        .get(event.uuid.as_str())
        .map_or(&[][..], Vec::as_slice);
    let is_answer = |child: &&&TraceEvent| matches!(child.state.as_str(), "done" | "failed");
    // The last one: a question has one answer, but a broken plugin may think otherwise.
    let answer = match event.state.as_str() {
        "todo" => hanging.iter().rev().find(is_answer).copied(),
        _ => None,
    };
    lines.push(Line {
        label: format!("{lead}{} → {} {}", event.sender, event.receiver, event.kind),
        state: answer.map_or_else(|| open_state(event), |answer| answer.state.clone()),
        size: answer.map_or_else(
            || bytes(event.bytes),
            |answer| format!("{} → {}", bytes(event.bytes), bytes(answer.bytes)),
        ),
        offset: format!("+{}", duration_us(event.at_us.saturating_sub(begin_us))),
        duration: answer.map_or(String::new(), |answer| {
            duration_us(answer.at_us.saturating_sub(event.at_us))
        }),
    });
    let shown: Vec<&&TraceEvent> = hanging
        .iter()
        .filter(|child| answer.is_none_or(|answer| answer.uuid != child.uuid))
        .collect();
    for (index, child) in shown.iter().enumerate() {
        let (branch, stem) = match index + 1 == shown.len() {
            true => ("└─ ", "   "),
            false => ("├─ ", "│  "),
        };
        grow(
            child,
            &format!("{below}{branch}"),
            &format!("{below}{stem}"),
            children,
            begin_us,
            lines,
        );
    }
}

/// What has no answer: told, or still being worked on. The trace alone can't tell which.
fn open_state(event: &TraceEvent) -> String {
    match event.state.as_str() {
        "todo" => "-".to_string(),
        state => state.to_string(),
    }
}

fn align(lines: &[Line]) -> String {
    let width = |cell: fn(&Line) -> &str| {
        let widths = lines.iter().map(|line| cell(line).chars().count());
        widths.max().unwrap_or_default()
    };
    let label = width(|line| &line.label);
    let state = width(|line| &line.state);
    let size = width(|line| &line.size);
    let offset = width(|line| &line.offset);
    let duration = width(|line| &line.duration);
    let mut text = String::new();
    for line in lines {
        // Padding goes outside of the colours.
        let state_padding = " ".repeat(state.saturating_sub(line.state.chars().count()));
        let row = format!(
            "{:label$}  {}{state_padding}  {:size$}  {:>offset$}  {:>duration$}",
            line.label,
            state_word(&line.state),
            line.size,
            line.offset,
            line.duration,
        );
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
