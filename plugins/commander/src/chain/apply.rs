// SPDX-License-Identifier: Apache-2.0

//! apply: lock → transaction → follow → unlock, or wait for addresses, for the confirmation → client.

use std::time::Duration;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::journal::Origin;
use nipart_schemas::request::{ApplyReport, ApplyRequest};
use tokio::time::Instant;

use crate::identity::identified;
use crate::lock::{self, LockGuard, Locks};
use crate::peers::Peers;
use crate::transaction::{Outcome, Remember, Wish, in_words, transact};

/// How long a change waits for those before it.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// What an apply holds: against other users until it is confirmed, against everybody while it works.
#[derive(Debug)]
pub struct Held {
    /// Against other users' changes.
    pub user: LockGuard,
    /// Against every change.
    pub objects: LockGuard,
}

/// Makes the state so. The outcome, still locked, is for whoever follows the interfaces from now on.
///
/// # Errors
/// When the state is refused, or can't be made so; then everything was taken back, or the error says what was not.
pub async fn apply(
    peers: &impl Peers,
    users: &Locks,
    objects: &Locks,
    request: ApplyRequest,
) -> Result<(ApplyReport, Outcome, Held), NipartError> {
    let confirm_within = request.confirmation_time();
    let desired = request.state.without_shown_only();
    let wish = Wish {
        desired: identified(peers, desired, MissingInterfaces::Refuse).await?,
        missing: MissingInterfaces::Refuse,
        leases: None,
        without_lease: Vec::new(),
        with_names: true,
        verify: request.verify,
        remember: if request.memory_only {
            Remember::Volatile
        } else {
            Remember::Persistent
        },
        origin: Some(Origin {
            requester: request.requester.unwrap_or_default(),
            note: request.note,
        }),
        leaves_down: false,
        awaits_addresses: true,
        confirm_within,
    };
    let set = lock::set_for(&wish.desired);
    let holder = format!("apply {}", peers.chain());
    let patience = || {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        let left = peers.deadline().map(left);
        left.map_or(LOCK_TIMEOUT, |left| left.min(LOCK_TIMEOUT))
    };
    let timeout = if request.no_wait {
        Duration::ZERO
    } else {
        patience()
    };
    let mut guards = [
        users.acquire(set.clone(), &holder, timeout).await?,
        objects.acquire(set, &holder, patience()).await?,
    ];
    let outcome = transact(peers, &mut guards, &wish).await?;
    let [user, objects] = guards;
    let held = Held { user, objects };
    let report = ApplyReport {
        operations: outcome.plan.operations().count(),
        changes: in_words(&outcome.plan),
        trace: Some(peers.chain().to_string()),
        verified: outcome.verified,
        saved: !request.memory_only && outcome.unconfirmed.is_none(),
        checkpoint: None,
    };
    Ok((report, outcome, held))
}
