// SPDX-License-Identifier: Apache-2.0

//! The one way in which the network is changed: by a user, at boot, for a link, for a lease.
//!
//! lock → query → decide → journal → execute → query and decide again (nothing may be left) → commit; on any failure
//! after the journal was opened: undo → verify the undo → close the journal.

mod assess;
mod before;
mod failure;
mod lease;
mod refused;
mod remember;
mod touched;
mod undo;
mod wish;

use std::sync::Arc;
use std::time::Duration;

use nipart_schemas::decision::DecisionRequest;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::journal::{Checkpoint, Commit, Journal, JournalClosing};
use nipart_schemas::operation::Plan;
use nipart_schemas::unread::Unread;

use tokio::time::Instant;

use self::assess::with_presumed_link_modes;
pub use self::assess::{Situation, assess, scope_of};
use self::failure::{forget, take_back};
pub(crate) use self::lease::turned_on;
use self::refused::without_refused;
use self::remember::to_remember;
use self::touched::needed_by;
pub(crate) use self::touched::{locks_of, touched_by};
pub use self::undo::undo;
pub use self::wish::{Outcome, Remember, Unconfirmed, Wish};
use crate::ask;
use crate::awaited::{self, awaited, lacking};
use crate::checkpoint::now;
use crate::created::Appearance;
use crate::lock::{self, LockGuard};
use crate::peers::Peers;

/// Operations named in a report or an error.
const SHOWN_OPERATIONS: usize = 20;

/// How long a commit waits for the config plugin, which may have to be restarted.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(60);

/// Makes the wish so, all of it, or takes it all back. The caller holds the locks of what the wish mentions; those of what
/// goes along with it are taken here.
///
/// # Errors
/// What went wrong; a note says whether the network is again what it was.
pub async fn transact(
    peers: &impl Peers,
    guards: &mut [LockGuard],
    wish: &Wish,
) -> Result<Outcome, NipartError> {
    if peers.has_left_open() {
        // Its journal has the id that this one would have.
        return Err(NipartError::new(
            ErrorKind::Busy,
            "nothing more is changed until what could not be taken back is",
        ));
    }
    let Situation { request, decision } = loop {
        let situation = assess(peers, wish, false).await?;
        // Links that are stacked upon one that is created anew, ends of pairs. It ends: each time, more is locked.
        if lock::cover(guards, &needed_by(&situation.decision.plan)).await? {
            break situation;
        }
    };
    let named = &wish.desired;
    let wish = &Wish {
        desired: to_remember(&request)?,
        ..wish.clone()
    };
    // What is left alone for now is followed as before.
    let followed = match wish.leaves_down {
        true => named,
        false => &wish.desired,
    };
    let mut outcome = Outcome {
        merged: followed.laid_over(&request.saved),
        plan: decision.plan,
        pending: decision.pending,
        verified: wish.verify,
        observed: Unread::default(),
        unconfirmed: None,
    };
    let awaited = match wish.awaits_addresses {
        true => awaited(named, &outcome.merged),
        false => Vec::new(),
    };
    if outcome.plan.is_empty()
        && wish.confirm_within.is_none()
        && lacking(peers, &awaited).await?.is_empty()
    {
        if wish.remember != Remember::No {
            close(peers, closing(peers, wish)).await?;
        }
        outcome.observed = request.observed;
        return Ok(outcome);
    }
    if peers.is_cancelled() {
        return Err(NipartError::new(
            ErrorKind::Cancelled,
            "the request was cancelled before anything was changed",
        ));
    }
    let observed = request.observed.read()?.clone();
    let mut before = before::complete(peers, &outcome.plan, observed, Vec::new()).await?;
    before.learn_awaited_addresses(&request.saved);
    before.learn_uses_of_leases(&request.saved);
    let mut journal = Journal {
        id: peers.chain(),
        before,
        begun: Some(now()?),
        plan: outcome.plan.clone(),
        origin: wish.origin.clone(),
        checkpoint: None,
    };
    peers.progress("writing the journal", 0, 3);
    if let Err(error) = ask::open_journal(peers, journal.clone()).await {
        return Err(forget(peers, &journal, error).await);
    }
    match change(peers, wish, &outcome, request, &mut journal, awaited).await {
        Ok(unconfirmed) => {
            outcome.unconfirmed = unconfirmed;
            outcome.observed = journal.before.into();
            Ok(outcome)
        }
        Err(error) => Err(take_back(peers, &journal, error).await),
    }
}

/// The same, but should it fail, once more without name resolution and host names: an address must not be lost because
/// its servers can't be written down.
///
/// # Errors
/// Those of [`transact`], of the second time.
pub async fn transact_despite_names(
    peers: &impl Peers,
    guards: &mut [LockGuard],
    wish: &Wish,
) -> Result<Outcome, NipartError> {
    let error = match transact(peers, guards, wish).await {
        Err(error) if wish.scope().dns => error,
        other => return other,
    };
    let without_names = Wish {
        with_names: false,
        ..wish.clone()
    };
    let outcome = transact(peers, guards, &without_names).await?;
    tracing::error!("only the names are missing: {error}");
    Ok(outcome)
}

/// Executes, verifies, and commits, or leaves the journal open until the change is confirmed.
async fn change(
    peers: &impl Peers,
    wish: &Wish,
    outcome: &Outcome,
    request: DecisionRequest,
    journal: &mut Journal,
    awaited: Vec<Interface>,
) -> Result<Option<Unconfirmed>, NipartError> {
    let total = outcome.plan.operations().count();
    peers.progress(&format!("executing {total} operations"), 1, 3);
    let report = ask::execute(peers, outcome.plan.clone()).await?;
    if let Some(plan) = without_refused(&outcome.plan, &report.failures) {
        journal.plan = plan;
        // Should this process end too, the next one is to know it. It is not worth failing twice.
        if let Err(error) = ask::open_journal(peers, journal.clone()).await {
            tracing::warn!(chain = %journal.id, "{error}");
        }
    }
    if report.failures.is_empty() {
        // An end of a pair that comes along unasked isn't as it is saved.
        let mut created = report.created;
        let wanted = wish.desired.by_name();
        let is_up = |wanted: &&Interface| wanted.wanted_state() == InterfaceState::Up;
        created.retain(|name, _| wanted.get(name.as_str()).is_some_and(is_up));
        peers.created(created, Appearance::Change);
    }
    let mut failures = report.failures.into_iter();
    if let Some(first) = failures.next() {
        return Err(failures.take(SHOWN_OPERATIONS).fold(first, |error, other| {
            error.note(format!("also failed: {}", other.message))
        }));
    }
    if wish.verify {
        peers.progress("verifying", 2, 3);
        verify(peers, wish, request).await?;
    }
    if peers.is_cancelled() {
        return Err(NipartError::new(
            ErrorKind::Cancelled,
            "the request was cancelled",
        ));
    }
    let lacks = lacking(peers, &awaited).await?;
    let time = match (lacks.is_empty(), peers.deadline()) {
        (true, _) => wish.confirm_within,
        (false, Some(deadline)) => Some(deadline.saturating_duration_since(Instant::now())),
        (false, None) => return Err(awaited::error(peers, &lacks, None).await),
    };
    let awaited = match lacks.is_empty() {
        true => Vec::new(),
        false => awaited,
    };
    let Some(time) = time else {
        return close(peers, closing(peers, wish)).await.map(|()| None);
    };
    let (journal, deadline) = hold(peers, journal, commit(wish), time).await?;
    Ok(Some(Unconfirmed {
        journal,
        deadline,
        awaited,
    }))
}

/// Commits. A config plugin that dies meanwhile may have got as far as that or not: asked again, it says so. Asking
/// twice does no harm.
pub(crate) async fn close(peers: &impl Peers, closing: JournalClosing) -> Result<(), NipartError> {
    let peers = peers.detached();
    let closing = Arc::new(closing);
    ask::patiently(Instant::now() + COMMIT_TIMEOUT, || {
        ask::close_journal(&peers, Arc::clone(&closing))
    })
    .await
}

/// Writes into the journal that all is done, and until when it may be confirmed.
pub(crate) async fn hold(
    peers: &impl Peers,
    journal: &Journal,
    commit: Commit,
    time: Duration,
) -> Result<(Journal, Instant), NipartError> {
    let now = now()?;
    let length = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let journal = Journal {
        checkpoint: Some(Checkpoint {
            boot_id: now.boot_id,
            deadline_ms: now.milliseconds.saturating_add(length),
            commit,
        }),
        ..journal.clone()
    };
    let deadline = Instant::now() + time;
    ask::open_journal(peers, journal.clone()).await?;
    Ok((journal, deadline))
}

fn commit(wish: &Wish) -> Commit {
    Commit {
        state: wish.desired.clone(),
        volatile: wish.remember == Remember::Volatile,
    }
}

fn closing(peers: &impl Peers, wish: &Wish) -> JournalClosing {
    JournalClosing {
        id: peers.chain(),
        commit: (wish.remember != Remember::No).then(|| commit(wish)),
    }
}

/// The outcome is right when deciding again finds nothing to do.
async fn verify(
    peers: &impl Peers,
    wish: &Wish,
    mut request: DecisionRequest,
) -> Result<(), NipartError> {
    let observed = ask::observe(peers, wish.scope()).await?;
    request.observed = with_presumed_link_modes(observed, &request.desired)?;
    request.explain = true;
    let decision = ask::decide(peers, Arc::new(request)).await?;
    if decision.plan.is_empty() {
        return Ok(());
    }
    let error = NipartError::new(
        ErrorKind::VerificationFailed,
        "the kernel accepted every operation, but the network is not as wanted",
    );
    let left = decision.plan.operations().take(SHOWN_OPERATIONS);
    let error = left.fold(error, |error, operation| {
        error.note(format!("still to do: {operation}"))
    });
    let differences = decision.differences.iter().take(SHOWN_OPERATIONS);
    Err(differences.fold(error, |error, difference| {
        error.note(format!("still different: {difference}"))
    }))
}

/// The first operations of a plan, in words.
pub fn in_words(plan: &Plan) -> Vec<String> {
    plan.operations()
        .take(SHOWN_OPERATIONS)
        .map(ToString::to_string)
        .collect()
}
