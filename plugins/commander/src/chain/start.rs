// SPDX-License-Identifier: Apache-2.0

//! start: config: unfinished journals → undo each; then everything that is saved → transaction; what is missing is
//! awaited.

use std::collections::BTreeSet;
use std::time::Duration;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::journal::{Journal, SavedScope};
use nipart_schemas::lease::{DhcpStop, LeaseKey};
use nipart_schemas::network_state::NetworkState;
use tokio::time::Instant;
use uuid::Uuid;

use super::apply::LOCK_TIMEOUT;
use super::piecemeal::bring_back;
use crate::ask;
use crate::checkpoint::deadline_of;
use crate::identity::found_again;
use crate::lock::{LockGuard, LockSet, Locks};
use crate::peers::Peers;
use crate::transaction::{Outcome, Remember, Wish, turned_on, undo};

/// The whole start, waiting for plugins that are being restarted included.
pub(super) const BUDGET: Duration = Duration::from_secs(120);

/// What a start found and did.
#[derive(Debug)]
pub struct Started {
    /// What to follow from now on.
    pub outcome: Outcome,
    /// Everything is still locked.
    pub guard: LockGuard,
    /// Changes of this boot whose time to be confirmed isn't over, and when it is.
    pub unconfirmed: Vec<(Journal, Instant)>,
    /// What was taken back, in words.
    pub recovered: Vec<String>,
}

/// Undoes what was left half done, and brings the saved state back. Journals of which `is_waiting` says so belong to
/// somebody already.
///
/// # Errors
/// When the saved state can't be read. What can't be applied is logged, and doesn't keep the rest from being applied.
pub async fn start(
    peers: &impl Peers,
    objects: &Locks,
    is_waiting: impl Fn(Uuid) -> bool,
) -> Result<Started, NipartError> {
    let mut guard = objects
        .acquire(LockSet::All, "the start", LOCK_TIMEOUT)
        .await?;
    let deadline = Instant::now() + BUDGET;
    let load = || ask::load_saved(peers, SavedScope::default());
    let unfinished = ask::patiently(deadline, load).await?.unfinished;
    let mut unconfirmed = Vec::new();
    let mut recovered = Vec::new();
    let mut turned_on_by = BTreeSet::new();
    // The newest first: it was begun on top of the older.
    for journal in unfinished
        .into_iter()
        .rev()
        .filter(|journal| !is_waiting(journal.id))
    {
        if let Some(deadline) = journal.checkpoint.as_ref().and_then(deadline_of) {
            unconfirmed.push((journal, deadline));
        } else {
            recovered.extend(recover(peers, &journal).await);
            turned_on_by.extend(turned_on(&journal));
        }
    }
    let saved = ask::patiently(deadline, load).await?.state;
    let saved = found_again(peers, saved).await;
    stop_clients(peers, turned_on_by, &saved).await;
    Ok(Started {
        outcome: bring_back(peers, &mut guard, &saved, false, deadline).await,
        guard,
        unconfirmed,
        recovered,
    })
}

/// Says what was taken back, if it was.
async fn recover(peers: &impl Peers, journal: &Journal) -> Option<String> {
    let what = match &journal.checkpoint {
        Some(_) => "change that was not confirmed",
        None => "change that had not ended",
    };
    let id = journal.id;
    match undo(&peers.detached(), journal).await {
        Ok(()) => {
            tracing::warn!(chain = %id, "a {what} was taken back");
            Some(format!("{what} {id}: taken back"))
        }
        Err(error) => {
            let next = peers.left_open(journal, &error);
            tracing::error!(chain = %id, "a {what} can't be taken back: {error}; {next}");
            None
        }
    }
}

/// Nobody else knows of clients that only a change wanted that was taken back.
async fn stop_clients(peers: &impl Peers, turned_on: BTreeSet<LeaseKey>, saved: &NetworkState) {
    let is_wanted = |key: &LeaseKey| {
        let saved = saved.interface(&key.interface);
        saved.is_some_and(|saved| saved.wants_lease(key.protocol))
    };
    for key in turned_on.into_iter().filter(|key| !is_wanted(key)) {
        let stop = DhcpStop {
            interface: key.interface.clone(),
            protocol: key.protocol,
            release: true,
        };
        if let Err(error) = ask::stop_dhcp(peers, stop).await {
            tracing::warn!(interface = key.interface, "stop {key}: {error}");
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
        with_names: true,
        verify: true,
        remember: Remember::No,
        origin: None,
        leaves_down: false,
        awaits_addresses: false,
        confirm_within: None,
    }
}
