// SPDX-License-Identifier: Apache-2.0

//! link appeared or came up: config: what is saved for it → transaction → follow.

use nipart_schemas::error::NipartError;
use nipart_schemas::journal::SavedScope;
use tokio::time::Instant;

use super::apply::LOCK_TIMEOUT;
use super::piecemeal::bring_back;
use super::start::BUDGET;
use crate::ask;
use crate::lock::{self, LockGuard, Locks};
use crate::peers::Peers;
use crate::transaction::Outcome;

/// Brings back what is saved for the link, and for those that it belongs to. None when nothing is.
/// The outcome comes still locked.
///
/// # Errors
/// When it can't be read what is saved. What can't be made so is logged and was taken back.
pub async fn restore(
    peers: &impl Peers,
    locks: &Locks,
    interface: &str,
) -> Result<Option<(Outcome, LockGuard)>, NipartError> {
    let scope = SavedScope {
        interfaces: Some(vec![interface.to_string()]),
        persistent_only: false,
    };
    let known = ask::load_saved(peers, scope.clone()).await?.state;
    if known.interface(interface).is_none() && known.is_empty() {
        return Ok(None);
    }
    let mut guard = locks
        .acquire(
            lock::set_for(&known),
            &format!("the return of {interface}"),
            LOCK_TIMEOUT,
        )
        .await?;
    // Once more: it may have changed while we waited.
    let saved = ask::load_saved(peers, scope).await?.state;
    if saved.is_empty() {
        return Ok(None);
    }
    let outcome = bring_back(peers, &mut guard, &saved, Instant::now() + BUDGET).await;
    Ok(Some((outcome, guard)))
}
