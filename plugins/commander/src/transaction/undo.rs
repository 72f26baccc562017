// SPDX-License-Identifier: Apache-2.0

//! Taking a transaction back, however far it got.

use std::collections::BTreeSet;
use std::time::Duration;

use nipart_schemas::decision::DecisionRequest;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::{Journal, JournalClosing};
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::request::QueryScope;
use tokio::time::Instant;

use crate::ask;
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
    for _ in 0..ROUNDS {
        let step = ask::patiently(deadline, || step(peers, journal)).await?;
        if step.is_done {
            let closing = JournalClosing {
                id: journal.id,
                commit: None,
            };
            return ask::patiently(deadline, || ask::close_journal(peers, closing.clone())).await;
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

/// Looks what differs from before, and undoes that.
async fn step(peers: &impl Peers, journal: &Journal) -> Result<Step, NipartError> {
    let observed = ask::query(peers, scope_of(journal)).await?;
    let request = DecisionRequest {
        desired: journal.before.clone(),
        observed,
        undo: Some(journal.plan.clone()),
        ..DecisionRequest::default()
    };
    let plan: Plan = ask::decide(peers, request).await?.plan;
    if plan.is_empty() {
        return Ok(Step {
            is_done: true,
            problem: None,
        });
    }
    let report = ask::execute(peers, plan).await?;
    Ok(Step {
        is_done: false,
        problem: report.failures.into_iter().next(),
    })
}

/// All that the plan can have touched.
fn scope_of(journal: &Journal) -> QueryScope {
    let before = journal
        .before
        .interfaces
        .iter()
        .map(|interface| interface.name.clone());
    let planned = journal
        .plan
        .operations()
        .filter_map(|operation| operation.interface().map(str::to_string));
    let peers = journal
        .plan
        .operations()
        .filter_map(|operation| match operation {
            Operation::CreateLink {
                peer: Some(peer), ..
            } => Some(peer.name.clone()),
            _ => None,
        });
    let names: BTreeSet<String> = before.chain(planned).chain(peers).collect();
    QueryScope {
        interfaces: Some(names.into_iter().collect()),
        routes: true,
        all_routes: false,
    }
}
