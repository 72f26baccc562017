// SPDX-License-Identifier: Apache-2.0

//! `commit`, `rollback` and `checkpoint`.

use std::process::ExitCode;

use nipart_api::client::Client;
use nipart_schemas::request::CheckpointReport;

use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::output::{self, Table, bold};

pub(super) async fn commit(
    mut client: Client,
    checkpoint: Option<String>,
) -> Result<ExitCode, Failure> {
    client.commit(checkpoint.as_deref()).await?;
    output::plain("Committed\n")?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn rollback(
    mut client: Client,
    checkpoint: Option<String>,
) -> Result<ExitCode, Failure> {
    client.rollback(checkpoint.as_deref()).await?;
    output::plain("Taken back\n")?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn forget(mut client: Client, checkpoint: &str) -> Result<ExitCode, Failure> {
    client.forget(checkpoint).await?;
    output::plain("Given up: the network stays as it is\n")?;
    Ok(ExitCode::SUCCESS)
}

/// What becomes of a change that is not yet ended, and what can be done about it.
pub(super) fn prospect(checkpoint: &CheckpointReport) -> String {
    let CheckpointReport {
        id,
        remaining,
        interfaces,
        problem,
    } = checkpoint;
    let interfaces = interfaces.join(", ");
    match problem {
        None => format!(
            "Checkpoint {} of {interfaces}: taken back in {remaining} s unless it is committed\n",
            bold(id)
        ),
        Some(problem) => format!(
            "Change {} of {interfaces}: can't be taken back, tried again in {remaining} s\n  because: {}\n  \
             at once: nipartctl rollback {id}\n  leave the network as it is: nipartctl checkpoint forget {id}\n",
            bold(id),
            problem.replace('\n', "\n    ")
        ),
    }
}

pub(super) async fn list(mut client: Client, format: ReportFormat) -> Result<ExitCode, Failure> {
    let checkpoints = client.checkpoints().await?;
    output::report(&checkpoints, format, |checkpoints| table(checkpoints))?;
    Ok(ExitCode::SUCCESS)
}

fn table(checkpoints: &[CheckpointReport]) -> String {
    let mut table = Table::new(&["ID", "TAKEN BACK IN", "INTERFACES", "PROBLEM"]);
    for checkpoint in checkpoints {
        table.row(vec![
            checkpoint.id.clone(),
            format!("{} s", checkpoint.remaining),
            checkpoint.interfaces.join(","),
            checkpoint
                .problem
                .clone()
                .unwrap_or_default()
                .replace('\n', " "),
        ]);
    }
    table.render()
}
