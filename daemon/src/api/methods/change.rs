// SPDX-License-Identifier: Apache-2.0

//! Changing the network, and taking changes back. For peers that may.

use std::time::Duration;

use nipart_api::call::{ApplyParameters, CheckpointParameters};
use nipart_api::reply::{self, CallError};
use nipart_api::{APPLY_TIMEOUT, END_TIMEOUT};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, NipartEvent, Role};
use nipart_schemas::request::{ApplyRequest, CheckpointRequest, ConfirmRequest, Progress};
use tokio::sync::mpsc;

use super::content;
use crate::api::kept::KeptCheckpoints;
use crate::api::peer::Peer;
use crate::handle::CoreHandle;

/// The longest time that a client can give an apply.
const MAX_APPLY_TIMEOUT: Duration = Duration::from_secs(3600);

/// `kept` learns of the checkpoint before it is made: dropping the future leaves it there.
pub(in crate::api) async fn apply(
    core: &CoreHandle,
    peer: Peer,
    kept: &mut KeptCheckpoints,
    parameters: ApplyParameters,
    progress: Option<mpsc::Sender<Progress>>,
) -> Result<String, CallError> {
    may_change(peer)?;
    let ends_with_connection = parameters.hang_up.unwrap_or(false);
    if ends_with_connection && parameters.confirm_seconds.is_none() {
        let error = NipartError::new(
            ErrorKind::InvalidArgument,
            "hang_up is for changes that wait to be committed: it needs confirm_seconds",
        );
        return Err(error.into());
    }
    let timeout = parameters
        .timeout_ms
        .map_or(APPLY_TIMEOUT, Duration::from_millis)
        .min(MAX_APPLY_TIMEOUT);
    let confirm = parameters
        .confirm_seconds
        .map(|timeout| ConfirmRequest { timeout });
    let request = EventData::Apply(Box::new(ApplyRequest {
        state: parameters.state,
        verify: parameters.verify.unwrap_or(true),
        memory_only: parameters.memory_only.unwrap_or(false),
        confirm,
        timeout_ms: u64::try_from(timeout.as_millis()).ok(),
        no_wait: parameters.no_wait.unwrap_or(false),
        note: parameters.note,
        requester: Some(peer.requester()),
    }));
    let event = NipartEvent::root(Role::Client, Role::Commander, request);
    if confirm.is_some() {
        kept.begun(event.chain, ends_with_connection);
    }
    // What isn't done in time is taken back, and its client hears how that went.
    match core.call_root(event, timeout + END_TIMEOUT, progress).await {
        Ok((_, answer)) => Ok(reply::raw_message("report", content(&answer, "applied")?)),
        Err(error) => {
            kept.failed(error.kind);
            Err(error.into())
        }
    }
}

/// Has the commander do with a checkpoint what `make` asks for.
pub(in crate::api) async fn end(
    core: &CoreHandle,
    peer: Peer,
    kept: &mut KeptCheckpoints,
    parameters: CheckpointParameters,
    make: fn(CheckpointRequest) -> EventData,
) -> Result<String, CallError> {
    may_change(peer)?;
    let checkpoint = parameters.checkpoint;
    let question = make(CheckpointRequest {
        checkpoint: checkpoint.clone(),
    });
    core.call(Role::Commander, question, END_TIMEOUT, None)
        .await?;
    kept.ended(checkpoint.as_deref());
    Ok(reply::whole_message("{}"))
}

fn may_change(peer: Peer) -> Result<(), NipartError> {
    match peer.may_apply {
        true => Ok(()),
        false => Err(NipartError::new(
            ErrorKind::PermissionDenied,
            "only root, and members of the group that nipartd's settings name, may change the network",
        )),
    }
}
