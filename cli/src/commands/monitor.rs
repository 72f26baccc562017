// SPDX-License-Identifier: Apache-2.0

//! `monitor`: a line for each event, until interrupted.

use std::process::ExitCode;

use nipart_api::client::Client;
use nipart_api::reply::{Subscribed, TraceEvent};
use nipart_schemas::yaml;

use crate::arguments::ReportFormat;
use crate::failure::{Failure, defect};
use crate::output::{bytes, dim, plain, red, state_word, styled, time_of_day};

pub(super) async fn run(client: Client, format: ReportFormat) -> Result<ExitCode, Failure> {
    let mut subscription = client.subscribe().await?;
    loop {
        let told = subscription.next().await?;
        match format {
            ReportFormat::Text => styled(&describe(&told))?,
            ReportFormat::Json => {
                let line = serde_json::to_string(&told).map_err(|error| defect(&error))?;
                plain(&format!("{line}\n"))?;
            }
            ReportFormat::Yaml => {
                plain(&yaml::to_string(&told).map_err(|error| defect(&error))?)?;
            }
        }
    }
}

fn describe(told: &Subscribed) -> String {
    let missed = told.missed.map_or(String::new(), |count| {
        format!("{}\n", red(&format!("{count} events were missed")))
    });
    let event = told.event.as_ref().map_or(String::new(), line);
    format!("{missed}{event}")
}

fn line(event: &TraceEvent) -> String {
    format!(
        "{} {} {} → {} {} {} {}\n",
        time_of_day(event.at_us),
        dim(&event.chain),
        event.sender,
        event.receiver,
        event.kind,
        state_word(&event.state),
        bytes(event.bytes),
    )
}
