// SPDX-License-Identifier: Apache-2.0

//! link appeared or came up: config: what is saved for it → transaction → follow.
//! link has gone: config: what is saved for it → transaction: what the kernel keeps of it goes.

use std::collections::BTreeSet;
use std::slice;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::network_state::NetworkState;
use tokio::time::Instant;

use super::apply::LOCK_TIMEOUT;
use super::piecemeal::bring_back;
use super::start::{BUDGET, wish};
use crate::ask;
use crate::created::Appearance;
use crate::lock::{self, LockGuard, LockSet, Locks};
use crate::peers::Peers;
use crate::transaction::{Outcome, transact};

/// Brings back what is saved for the link, and for those that it belongs to. None when nothing is, or when there is nothing
/// to be done: a change that was taken back left all as it was before, also where that isn't what is saved; and who set
/// a link down that a change has just created isn't overruled. `why` the link has appeared is asked when nobody is
/// changing it. The outcome comes still locked.
///
/// # Errors
/// When it can't be read what is saved. What can't be made so is logged and was taken back.
pub async fn restore(
    peers: &impl Peers,
    locks: &Locks,
    interface: &str,
    why: impl Fn() -> Appearance,
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
    let why = why();
    if why == Appearance::Undo {
        return Ok(None);
    }
    // Once more: it may have changed while we waited.
    let saved = ask::load_saved(peers, scope).await?.state;
    if saved.is_empty() {
        return Ok(None);
    }
    let deadline = Instant::now() + BUDGET;
    let leaves_down = why == Appearance::Change;
    let outcome = bring_back(peers, &mut guard, &saved, leaves_down, deadline).await;
    Ok(Some((outcome, guard)))
}

/// Removes the MPTCP endpoints of a link that has gone: the kernel keeps them, and would refuse those of its successor.
/// What agreed upon keys for it ends by itself as soon as somebody looks.
///
/// # Errors
/// When that can't be read or done.
pub async fn clear(peers: &impl Peers, locks: &Locks, interface: &str) -> Result<(), NipartError> {
    let scope = SavedScope {
        interfaces: Some(vec![interface.to_string()]),
        persistent_only: false,
    };
    let known = ask::load_saved(peers, scope).await?.state;
    let saved = known.interface(interface);
    let leaves_something = |saved: &Interface| saved.wants_endpoints() || saved.agrees_upon_keys();
    if !saved.is_some_and(leaves_something) {
        return Ok(());
    }
    let locked = LockSet::Names(BTreeSet::from([interface.to_string()]));
    let holder = format!("the loss of {interface}");
    let mut guard = locks.acquire(locked, &holder, LOCK_TIMEOUT).await?;
    let wish = wish(hands_off(interface));
    transact(peers, slice::from_mut(&mut guard), &wish)
        .await
        .map(|_| ())
}

/// A state that names the interface and wants nothing of it.
pub(super) fn hands_off(interface: &str) -> NetworkState {
    NetworkState {
        interfaces: vec![Interface::ignored(interface)],
        ..NetworkState::default()
    }
}
