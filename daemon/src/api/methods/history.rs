// SPDX-License-Identifier: Apache-2.0

//! What was changed, what waits, and what would lead back. For everybody.

use nipart_api::call::{HistoryParameters, ListHistoryParameters, PlanParameters};
use nipart_api::reply::{self, CallError};
use nipart_api::{DEFAULT_HISTORY, READ_TIMEOUT};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::{HistoryRequest, PlanRequest};

use super::content;
use crate::api::peer::Peer;
use crate::handle::CoreHandle;

pub(in crate::api) async fn checkpoints(core: &CoreHandle) -> Result<String, CallError> {
    let (_, answer) = core
        .call(
            Role::Commander,
            EventData::ListCheckpoints,
            READ_TIMEOUT,
            None,
        )
        .await?;
    let checkpoints = content(&answer, "checkpoints")?;
    Ok(reply::raw_message("checkpoints", checkpoints))
}

pub(in crate::api) async fn status(core: &CoreHandle) -> Result<String, CallError> {
    let (_, answer) = core
        .call(Role::Commander, EventData::Status, READ_TIMEOUT, None)
        .await?;
    Ok(reply::whole_message(content(&answer, "status-report")?))
}

pub(in crate::api) async fn generate_revert(
    core: &CoreHandle,
    parameters: PlanParameters,
) -> Result<String, CallError> {
    let request = EventData::GenerateRevert(Box::new(PlanRequest {
        state: parameters.state,
    }));
    let (_, answer) = core
        .call(Role::Commander, request, READ_TIMEOUT, None)
        .await?;
    Ok(reply::raw_message("state", content(&answer, "state")?))
}

pub(in crate::api) async fn list(
    core: &CoreHandle,
    parameters: ListHistoryParameters,
) -> Result<String, CallError> {
    let limit = parameters.limit.unwrap_or(DEFAULT_HISTORY);
    let entries = ask(core, HistoryRequest::List { limit }, "entries").await?;
    Ok(reply::raw_message("entries", &entries))
}

pub(in crate::api) async fn entry(
    core: &CoreHandle,
    HistoryParameters { id }: HistoryParameters,
) -> Result<String, CallError> {
    let detail = ask(core, HistoryRequest::Show { id }, "detail").await?;
    Ok(reply::whole_message(&detail))
}

/// With secrets for those who may apply it: hidden ones would mean "as they are".
pub(in crate::api) async fn rollback_state(
    core: &CoreHandle,
    peer: Peer,
    HistoryParameters { id }: HistoryParameters,
) -> Result<String, CallError> {
    let mut state = ask(core, HistoryRequest::RollbackTo { id }, "state").await?;
    if !peer.may_apply {
        let mut shown: NetworkState =
            serde_json::from_str(&state).map_err(|error| super::defect(&error))?;
        shown.hide_secrets();
        state = serde_json::to_string(&shown).map_err(|error| super::defect(&error))?;
    }
    Ok(reply::raw_message("state", &state))
}

/// The JSON text of what the history's answer has behind `tag`.
async fn ask(core: &CoreHandle, request: HistoryRequest, tag: &str) -> Result<String, CallError> {
    let request = EventData::History(request);
    let (_, answer) = core
        .call(Role::Commander, request, READ_TIMEOUT, None)
        .await?;
    let report = content(&answer, "history-report")?;
    // Unparsed, as everything that only passes.
    let report = serde_json::from_str::<Box<serde_json::value::RawValue>>(report)
        .map_err(|error| super::defect(&error))?;
    Ok(content(&report, tag)?.to_string())
}
