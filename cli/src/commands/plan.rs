// SPDX-License-Identifier: Apache-2.0

//! `plan` and `diff`: what an apply would do.

use std::process::ExitCode;

use nipart_api::call::PlanParameters;
use nipart_api::client::Client;
use nipart_schemas::request::PlanReport;

use super::{difference, policy};
use crate::arguments::ReportFormat;
use crate::failure::{DIFFERENCES, Failure};
use crate::input::Wanted;
use crate::output;

pub(super) async fn run(
    mut client: Client,
    inputs: Vec<Wanted>,
    verbose: bool,
    format: ReportFormat,
) -> Result<ExitCode, Failure> {
    let has_many = inputs.len() > 1;
    for wanted in inputs {
        let name =
            (has_many && format == ReportFormat::Text).then(|| wanted.document().name.clone());
        let report = ask(&mut client, wanted).await?;
        if let Some(name) = name {
            output::styled(&format!("{}\n", output::bold(&format!("{name}:"))))?;
        }
        output::report(&report, format, |report| describe(report, verbose))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn diff(
    mut client: Client,
    wanted: Wanted,
    format: ReportFormat,
) -> Result<ExitCode, Failure> {
    let report = ask(&mut client, wanted).await?;
    output::report(&report.differences, format, |differences| {
        difference::list(differences)
    })?;
    Ok(
        match report.differences.is_empty() && report.plan.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(DIFFERENCES),
        },
    )
}

async fn ask(client: &mut Client, wanted: Wanted) -> Result<PlanReport, Failure> {
    let input = policy::resolve(client, wanted).await?;
    let parameters = PlanParameters { state: input.state };
    client
        .plan(&parameters)
        .await
        .map_err(|error| Failure::of_document(&input.document, error))
}

fn describe(report: &PlanReport, verbose: bool) -> String {
    let count = report.plan.operations().count();
    let mut text = difference::list(&report.differences);
    if verbose {
        for (index, wave) in report.plan.waves.iter().enumerate() {
            text.push_str(&output::bold(&format!("wave {}:", index + 1)));
            text.push('\n');
            for operation in wave {
                text.push_str(&format!("  {operation}\n"));
            }
        }
    }
    text.push_str(&match count {
        0 if report.differences.is_empty() => "Nothing to change\n".to_string(),
        0 => "Nothing to change but what is saved\n".to_string(),
        1 => "1 operation would be executed\n".to_string(),
        _ => format!(
            "{count} operations would be executed in {} waves\n",
            report.plan.waves.len()
        ),
    });
    text
}
