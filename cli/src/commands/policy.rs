// SPDX-License-Identifier: Apache-2.0

//! `policy`: the state that a policy means; and the same for the commands that take policies in the place of states.

use std::path::Path;
use std::process::ExitCode;

use nipart_api::call::ShowParameters;
use nipart_api::client::Client;
use nipart_schemas::network_state::NetworkState;

use super::show;
use crate::captured;
use crate::failure::{Failure, defect};
use crate::input::{Input, PolicyInput, Wanted};
use crate::request::PolicyRequest;

pub(super) async fn run(socket: &Path, request: PolicyRequest) -> Result<ExitCode, Failure> {
    let PolicyInput { document, policy } = request.input;
    let current = match request.current.or_else(|| policy.current().cloned()) {
        Some(current) => current,
        None => current_of(&mut Client::connect(socket).await?).await?,
    };
    let outcome = policy
        .capture(&current, request.captured)
        .and_then(|captured| Ok((policy.fill(&current, &captured)?, captured)));
    let (state, captured) = outcome.map_err(|error| Failure::refused_document(document, error))?;
    if let Some(file) = request.captured_file {
        captured::write(&file, &captured, request.format)?;
    }
    show::state(&state, request.format)
}

/// What is wanted, as a plain state: for a policy, with the network as it is now.
pub(super) async fn resolve(client: &mut Client, wanted: Wanted) -> Result<Input, Failure> {
    match wanted {
        Wanted::State(input) => Ok(input),
        Wanted::Policy(input) => {
            let current = current_of(client).await?;
            input.resolve(&current)
        }
    }
}

pub(super) async fn current_of(client: &mut Client) -> Result<NetworkState, Failure> {
    let json = client.show(&ShowParameters::default()).await?;
    serde_json::from_str(&json).map_err(|error| defect(&error))
}
