// SPDX-License-Identifier: Apache-2.0

//! `status`: whether the network is as saved.

use std::process::ExitCode;

use nipart_api::client::Client;
use nipart_schemas::request::{CheckpointReport, InterfaceStatus, StatusReport, SyncState};

use super::checkpoints::prospect;
use crate::arguments::ReportFormat;
use crate::failure::{DIFFERENCES, Failure};
use crate::output::{self, state_word};

pub(super) async fn run(mut client: Client, format: ReportFormat) -> Result<ExitCode, Failure> {
    let report = client.status().await?;
    output::report(&report, format, describe)?;
    let is_in_sync = |interface: &InterfaceStatus| interface.state == SyncState::InSync;
    let is_stuck = |change: &CheckpointReport| change.problem.is_some();
    let is_sound =
        report.interfaces.iter().all(is_in_sync) && !report.checkpoints.iter().any(is_stuck);
    Ok(match is_sound {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(DIFFERENCES),
    })
}

fn describe(report: &StatusReport) -> String {
    let names = report
        .interfaces
        .iter()
        .map(|status| status.interface.chars().count());
    let width = names.max().unwrap_or_default();
    let mut text = String::new();
    for status in &report.interfaces {
        let word = match status.state {
            SyncState::InSync => "in-sync",
            SyncState::Drifted => "drifted",
            SyncState::Pending => "pending",
            SyncState::Failed => "failed",
        };
        text.push_str(&format!(
            "{:width$}  {}\n",
            status.interface,
            state_word(word)
        ));
        if let Some(reason) = &status.reason {
            text.push_str(&format!("  because: {reason}\n"));
        }
        for operation in &status.operations {
            text.push_str(&format!("  to do: {operation}\n"));
        }
    }
    if report.interfaces.is_empty() {
        text.push_str("Nothing is saved\n");
    }
    for checkpoint in &report.checkpoints {
        text.push_str(&prospect(checkpoint));
    }
    for what in &report.recovered {
        text.push_str(&format!("At the start: {what}\n"));
    }
    text
}
