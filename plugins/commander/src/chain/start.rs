// SPDX-License-Identifier: Apache-2.0

//! start: config: unfinished journals → undo each; then everything that is saved → transaction; what is missing is
//! awaited.

use std::time::Duration;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::network_state::NetworkState;
use tokio::time::Instant;

use super::apply::LOCK_TIMEOUT;
use crate::ask;
use crate::lock::{LockGuard, LockSet, Locks};
use crate::peers::Peers;
use crate::transaction::{Outcome, Remember, Wish, transact, undo};

/// The whole start, waiting for plugins that are being restarted included.
const BUDGET: Duration = Duration::from_secs(120);

/// Undoes what was left half done, and brings the saved state back. Returns what to follow from now on, still locked.
///
/// # Errors
/// When the saved state can't be read. What can't be applied is logged, and doesn't keep the rest from being applied.
pub async fn start(peers: &impl Peers, locks: &Locks) -> Result<(Outcome, LockGuard), NipartError> {
    let guard = locks.acquire(LockSet::All, LOCK_TIMEOUT).await?;
    let deadline = Instant::now() + BUDGET;
    let saved = ask::patiently(deadline, || ask::load_saved(peers, SavedScope::default())).await?;
    // The newest first: it was begun on top of the older.
    for journal in saved.unfinished.iter().rev() {
        match undo(&peers.detached(), journal).await {
            Ok(()) => {
                tracing::warn!(chain = %journal.id, "a transaction that had not ended was taken back")
            }
            Err(error) => {
                tracing::error!(chain = %journal.id, "an unfinished transaction can't be taken back: {error}")
            }
        }
    }
    let everything = wish(saved.state.clone());
    match ask::patiently(deadline, || transact(peers, &everything)).await {
        Ok(outcome) => Ok((outcome, guard)),
        Err(error) => {
            tracing::error!("the saved state can't be brought back as a whole: {error}");
            Ok((one_by_one(peers, &saved.state).await, guard))
        }
    }
}

/// The saved wish for links that are there.
pub(crate) fn wish(desired: NetworkState) -> Wish {
    Wish {
        desired,
        missing: MissingInterfaces::Await,
        leases: None,
        without_lease: Vec::new(),
        verify: true,
        remember: Remember::No,
    }
}

/// One interface that can't be as saved must not keep the others down.
async fn one_by_one(peers: &impl Peers, saved: &NetworkState) -> Outcome {
    for Interface { name, .. } in &saved.interfaces {
        if let Err(error) = transact(peers, &wish(saved.scoped(std::slice::from_ref(name)))).await {
            tracing::error!(
                interface = name,
                "the saved state of {name} can't be brought back: {error}"
            );
        }
    }
    Outcome {
        merged: saved.clone(),
        ..Outcome::default()
    }
}
