// SPDX-License-Identifier: Apache-2.0

//! Taking a transaction back, however far it got.

use std::sync::Arc;
use std::time::Duration;

use nipart_schemas::decision::DecisionRequest;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::{Journal, JournalClosing};
use nipart_schemas::network_state::NetworkState;
use tokio::time::Instant;

use super::lease::{aged, without_leases};
use super::touched::scope_of;
use crate::ask;
use crate::checkpoint::time_since;
use crate::created::Appearance;
use crate::peers::Peers;

/// The whole undo, waiting for plugins that are being restarted included.
const BUDGET: Duration = Duration::from_secs(120);
/// One undo, one look, and once more for what the kernel did late.
const ROUNDS: usize = 4;

/// Makes everything that the journal's plan touched what it was, checks that, and closes the journal.
///
/// # Errors
/// When the old state can't be reached; the journal then stays.
pub async fn undo(peers: &impl Peers, journal: &Journal) -> Result<(), NipartError> {
    let deadline = Instant::now() + BUDGET;
    let mut last = None;
    for round in 0..ROUNDS {
        let step = ask::patiently(deadline, || step(peers, journal, round > 0)).await?;
        if step.is_done {
            let closing = Arc::new(JournalClosing {
                id: journal.id,
                commit: None,
            });
            return ask::patiently(deadline, || ask::close_journal(peers, Arc::clone(&closing)))
                .await;
        }
        last = step.problem;
    }
    Err(last.unwrap_or_else(|| {
        NipartError::new(
            ErrorKind::VerificationFailed,
            format!("the network still differs from what it was after {ROUNDS} tries"),
        )
    }))
}

struct Step {
    is_done: bool,
    problem: Option<NipartError>,
}

/// Looks what differs from before, and undoes that; `again` when that was done already.
async fn step(peers: &impl Peers, journal: &Journal, again: bool) -> Result<Step, NipartError> {
    let mut observed = ask::query(peers, scope_of(journal)).await?;
    let desired = before(journal);
    if again {
        observed.presume_link_modes(&desired);
    }
    let request = DecisionRequest {
        desired,
        observed: observed.clone().into(),
        undo: Some(journal.plan.clone()),
        ..DecisionRequest::default()
    };
    let mut plan = ask::decide(peers, Arc::new(request)).await?.plan;
    if plan.is_empty() {
        plan = without_leases(journal, &observed);
    }
    if plan.is_empty() {
        return Ok(Step {
            is_done: true,
            problem: None,
        });
    }
    let report = ask::execute(peers, plan).await?;
    peers.created(report.created, Appearance::Undo);
    Ok(Step {
        is_done: false,
        problem: report.failures.into_iter().next(),
    })
}

/// What was before, as it would be by now.
fn before(journal: &Journal) -> NetworkState {
    let before = journal.before.clone();
    match &journal.begun {
        Some(begun) => aged(before, time_since(begun)),
        None => before,
    }
}
