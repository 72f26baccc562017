// SPDX-License-Identifier: Apache-2.0

//! apply: lock → transaction → follow → unlock → client.

use std::time::Duration;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::request::{ApplyReport, ApplyRequest};

use crate::lock::{self, LockGuard, Locks};
use crate::peers::Peers;
use crate::transaction::{Outcome, Remember, Wish, in_words, transact};

/// How long a change waits for those before it.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Makes the state so. The outcome, still locked, is for whoever follows the interfaces from now on.
///
/// # Errors
/// When the state is refused, or can't be made so; then everything was taken back, or the error says what was not.
pub async fn apply(
    peers: &impl Peers,
    locks: &Locks,
    request: ApplyRequest,
) -> Result<(ApplyReport, Outcome, LockGuard), NipartError> {
    let wish = Wish {
        desired: request.state.without_shown_only(),
        missing: MissingInterfaces::Refuse,
        leases: None,
        without_lease: Vec::new(),
        verify: request.verify,
        remember: if request.memory_only {
            Remember::Volatile
        } else {
            Remember::Persistent
        },
    };
    let guard = locks
        .acquire(lock::set_for(&wish.desired), LOCK_TIMEOUT)
        .await?;
    let outcome = transact(peers, &wish).await?;
    let report = ApplyReport {
        operations: outcome.plan.operations().count(),
        changes: in_words(&outcome.plan),
        trace: Some(peers.chain().to_string()),
        verified: outcome.verified,
        saved: !request.memory_only,
    };
    Ok((report, outcome, guard))
}
