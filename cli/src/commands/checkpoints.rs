// SPDX-License-Identifier: Apache-2.0

//! `commit`, `rollback` and `checkpoint list`.

use std::process::ExitCode;

use nipart_api::client::Client;
use nipart_schemas::request::CheckpointReport;

use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::output::{self, Table};

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

pub(super) async fn list(mut client: Client, format: ReportFormat) -> Result<ExitCode, Failure> {
    let checkpoints = client.checkpoints().await?;
    output::report(&checkpoints, format, |checkpoints| table(checkpoints))?;
    Ok(ExitCode::SUCCESS)
}

fn table(checkpoints: &[CheckpointReport]) -> String {
    let mut table = Table::new(&["ID", "TAKEN BACK IN", "INTERFACES"]);
    for checkpoint in checkpoints {
        table.row(vec![
            checkpoint.id.clone(),
            format!("{} s", checkpoint.remaining),
            checkpoint.interfaces.join(","),
        ]);
    }
    table.render()
}
