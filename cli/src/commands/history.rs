// SPDX-License-Identifier: Apache-2.0

//! `history`: committed changes, compared and undone.

mod comparison;

use std::process::ExitCode;
use std::sync::Arc;

use nipart_api::client::Client;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::{HistoryDetail, HistoryEntry, Requester};
use nipart_schemas::yaml;

use super::{apply, difference};
use crate::arguments::ReportFormat;
use crate::failure::{DIFFERENCES, Failure, defect};
use crate::input::{Document, Input};
use crate::output::{self, Table, bold, date_and_time};
use crate::request::{Change, HistoryRequest};

pub(super) async fn run(mut client: Client, request: HistoryRequest) -> Result<ExitCode, Failure> {
    match request {
        HistoryRequest::List(limit, format) => {
            let entries = client.history(Some(limit)).await?;
            output::report(&entries, format, |entries| table(entries))?;
        }
        HistoryRequest::Show(id, format) => {
            let detail = client.history_entry(id).await?;
            output::report(&detail, format, describe)?;
        }
        HistoryRequest::Diff(from, to, format) => {
            return compare(&mut client, (from, to), format).await;
        }
        HistoryRequest::Revert(id, change) => {
            let state = client.history_entry(id).await?.revert;
            undo(&mut client, state, change, format!("revert of {id}")).await?;
        }
        HistoryRequest::Rollback(id, change) => {
            let json = client.rollback_state(id).await?;
            let state = serde_json::from_str(&json).map_err(|error| defect(&error))?;
            undo(&mut client, state, change, format!("rollback to {id}")).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Applies `state`, which `what` tells the meaning of.
async fn undo(
    client: &mut Client,
    state: NetworkState,
    mut change: Change,
    what: String,
) -> Result<(), Failure> {
    // For errors that name a place in it.
    let text = yaml::to_string(&state).map_err(|error| defect(&error))?;
    let document = Arc::new(Document {
        name: format!("<{what}>"),
        text,
        root: "",
    });
    change.note.get_or_insert(what);
    apply::one(client, Input { document, state }, &change, (0, 1)).await
}

async fn compare(
    client: &mut Client,
    (from, to): (u64, u64),
    format: ReportFormat,
) -> Result<ExitCode, Failure> {
    let before = saved_after(client, from).await?;
    let after = saved_after(client, to).await?;
    let differences = comparison::between(&before, &after);
    output::report(&differences, format, |differences| {
        difference::list(differences)
    })?;
    Ok(match differences.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(DIFFERENCES),
    })
}

async fn saved_after(client: &mut Client, id: u64) -> Result<NetworkState, Failure> {
    let saved = client.history_entry(id).await?.saved;
    saved.ok_or_else(|| {
        NipartError::new(
            ErrorKind::NotFound,
            format!("what was saved after {id} is no longer kept"),
        )
        .into()
    })
}

fn table(entries: &[HistoryEntry]) -> String {
    let mut table = Table::new(&["ID", "TIME", "WHO", "OPERATIONS", "NOTE"]);
    for entry in entries {
        table.row(vec![
            entry.id.to_string(),
            date_and_time(entry.time.saturating_mul(1_000_000)),
            who(&entry.requester),
            entry.operations.to_string(),
            entry.note.clone().unwrap_or_default(),
        ]);
    }
    table.render()
}

fn who(requester: &Requester) -> String {
    let process = match (&requester.command, requester.pid) {
        (Some(command), Some(pid)) => format!(" ({command}, process {pid})"),
        (Some(command), None) => format!(" ({command})"),
        (None, Some(pid)) => format!(" (process {pid})"),
        (None, None) => String::new(),
    };
    format!("user {}{process}", requester.uid)
}

fn describe(detail: &HistoryDetail) -> String {
    let entry = &detail.entry;
    let mut text = format!("{} {}\n", bold("change:"), entry.id);
    let mut line = |key: &str, value: &str| {
        text.push_str(&format!("{} {value}\n", bold(&format!("{key}:"))));
    };
    line("time", &date_and_time(entry.time.saturating_mul(1_000_000)));
    line("by", &who(&entry.requester));
    if let Some(note) = &entry.note {
        line("note", note);
    }
    line("trace", &entry.trace);
    line("operations", &entry.operations.to_string());
    for change in &entry.changes {
        text.push_str(&format!("  {change}\n"));
    }
    let others = entry.operations.saturating_sub(entry.changes.len());
    if others > 0 && !entry.changes.is_empty() {
        text.push_str(&format!("  and {others} more\n"));
    }
    for (key, state) in [("desired", &detail.desired), ("revert", &detail.revert)] {
        text.push_str(&format!("{}\n", bold(&format!("{key}:"))));
        let document = yaml::to_string(state).unwrap_or_default();
        for line in document.lines().filter(|line| *line != "---") {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}
