// SPDX-License-Identifier: Apache-2.0

//! `validate`: all that `apply` checks before it changes anything, against the network that is running, the one that a
//! file shows, or none.

use std::path::Path;
use std::process::ExitCode;

use nipart_api::call::PlanParameters;
use nipart_api::client::Client;
use nipart_commander::chain::plan::plan;
use nipart_schemas::error::ErrorKind;
use nipart_schemas::interface::Interface;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::PlanRequest;

use super::file_peers::FilePeers;
use super::{policy, show};
use crate::arguments::StateFormat;
use crate::failure::Failure;
use crate::input::{Input, Wanted};
use crate::output::note;
use crate::request::Against;

pub(super) async fn run(
    socket: &Path,
    wanted: Wanted,
    against: Against,
    format: StateFormat,
) -> Result<ExitCode, Failure> {
    let mut input = match against {
        Against::Shown(current) => against_file(wanted, *current).await?,
        Against::Nothing => against_nothing(wanted).await?,
        Against::Running => match Client::connect(socket).await {
            Ok(client) => against_running(client, wanted).await?,
            Err(error) if error.kind == ErrorKind::DaemonUnreachable => {
                against_nothing(wanted).await?
            }
            Err(error) => return Err(error.into()),
        },
    };
    // Who wants to know whether a file is right doesn't want its keys in a log.
    input.state.hide_secrets();
    show::state(&input.state, format)
}

async fn against_running(mut client: Client, wanted: Wanted) -> Result<Input, Failure> {
    let input = policy::resolve(&mut client, wanted).await?;
    let parameters = PlanParameters {
        state: input.state.clone(),
    };
    let checked = client.plan(&parameters).await;
    checked.map_err(|error| Failure::of_document(&input.document, error))?;
    Ok(input)
}

async fn against_file(wanted: Wanted, current: NetworkState) -> Result<Input, Failure> {
    let input = match wanted {
        Wanted::State(input) => input,
        Wanted::Policy(policy) => policy.resolve(&current)?,
    };
    check(&input, current).await?;
    Ok(input)
}

async fn against_nothing(wanted: Wanted) -> Result<Input, Failure> {
    let input = match wanted {
        Wanted::State(input) => input,
        // Without a network of its own it means nothing.
        Wanted::Policy(policy) => policy.resolve(&NetworkState::default())?,
    };
    let presumed = nipart_state::presumed(&input.state);
    let links: Vec<String> = presumed.interfaces.iter().map(describe).collect();
    check(&input, presumed).await?;
    let granted = match links.is_empty() {
        true => "no network was looked at".to_string(),
        false => format!(
            "no network was looked at: taken for granted were {}",
            links.join(", ")
        ),
    };
    note(&granted);
    Ok(input)
}

/// Checks what the daemon would, with a network that is as `current` says.
async fn check(input: &Input, current: NetworkState) -> Result<(), Failure> {
    let request = PlanRequest {
        state: input.state.clone(),
    };
    let checked = plan(&FilePeers::new(current), request).await;
    checked.map_err(|error| Failure::of_document(&input.document, error))?;
    Ok(())
}

fn describe(link: &Interface) -> String {
    match &link.interface_type {
        Some(interface_type) => format!("{} ({interface_type})", link.name),
        None => link.name.clone(),
    }
}
