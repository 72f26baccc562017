// SPDX-License-Identifier: Apache-2.0

//! `plugin list`.

use std::process::ExitCode;

use nipart_api::client::Client;
use nipart_api::reply::Plugin;

use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::output::{self, Table, uptime_ms};

pub(super) async fn list(mut client: Client, format: ReportFormat) -> Result<ExitCode, Failure> {
    let plugins = client.plugins().await?;
    output::report(&plugins, format, |plugins| table(plugins))?;
    Ok(ExitCode::SUCCESS)
}

fn table(plugins: &[Plugin]) -> String {
    let mut table = Table::new(&[
        "NAME", "ROLES", "STATE", "PID", "UPTIME", "RESTARTS", "VERSION", "REASON",
    ]);
    for plugin in plugins {
        table.row(vec![
            plugin.name.clone(),
            plugin.roles.join(","),
            plugin.state.clone(),
            plugin.pid.map_or(String::new(), |pid| pid.to_string()),
            plugin.uptime_ms.map_or(String::new(), uptime_ms),
            plugin.restarts.to_string(),
            plugin.version.clone().unwrap_or_default(),
            plugin.reason.clone().unwrap_or_default(),
        ]);
    }
    table.render()
}
