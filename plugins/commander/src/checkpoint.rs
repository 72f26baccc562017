// SPDX-License-Identifier: Apache-2.0

//! Changes whose journal stays open: those that wait for their confirmation, and those that could not be taken back.
//! Each has a task that takes it back when its time is up, and tries again until that is done.
//!
//! ```text
//!  commit, rollback, forget ──Command──▶ task of the change ──▶ close its journal, or undo it
//!             time is up ──────────────▶
//! ```
//! Meanwhile its interfaces are locked against other users' changes, not against leases and links.

mod clock;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::{Journal, JournalClosing};
use nipart_schemas::request::{CheckpointReport, CheckpointRequest};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

pub use self::clock::{deadline_of, now, time_since};
use crate::ask;
use crate::lock::{LockGuard, Locks};
use crate::peers::Peers;
use crate::transaction::{close, hold, locks_of, touched_by, undo};

/// How long the end of a change waits for a chain that is changing the same interfaces.
const LOCK_TIMEOUT: Duration = Duration::from_secs(120);
/// Until a change that could not be taken back is tried again for the first time; then twice as long each time.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// The longest time between two tries.
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// What becomes of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is kept and remembered.
    Commit,
    /// It is taken back.
    Rollback,
    /// It is given up: the network stays as it is, and nothing is remembered.
    Forget,
}

/// A change whose journal is open.
#[derive(Debug)]
pub struct OpenChange {
    /// What was done; with a checkpoint when it may be confirmed.
    pub journal: Journal,
    /// When it is taken back.
    pub deadline: Instant,
    /// Why it could not be taken back when that was tried.
    pub problem: Option<NipartError>,
}

impl OpenChange {
    /// One that could not be taken back.
    pub fn stuck(journal: Journal, problem: NipartError) -> Self {
        Self {
            journal,
            deadline: Instant::now() + FIRST_RETRY,
            problem: Some(problem),
        }
    }
}

/// What a change is told.
#[derive(Debug, Clone, Copy)]
enum Order {
    End(End),
    /// Its time begins anew, and is so long.
    BeginAnew(Duration),
}

type Command = (Order, oneshot::Sender<Result<(), NipartError>>);

/// All that are open; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Checkpoints(Arc<Mutex<BTreeMap<Uuid, Waiting>>>);

#[derive(Debug)]
struct Waiting {
    deadline: Instant,
    interfaces: Vec<String>,
    problem: Option<NipartError>,
    commands: mpsc::Sender<Command>,
}

impl Checkpoints {
    /// Lets a change wait, under the lock against other users' changes. `on_end` hears how it ended.
    pub fn wait(
        &self,
        peers: impl Peers + 'static,
        objects: Locks,
        held: LockGuard,
        mut change: OpenChange,
        on_end: impl FnOnce(End, Journal) + Send + 'static,
    ) -> CheckpointReport {
        let id = change.journal.id;
        let (sender, commands) = mpsc::channel::<Command>(4);
        let waiting = Waiting {
            deadline: change.deadline,
            interfaces: touched_by(&change.journal).into_iter().collect(),
            problem: change.problem.clone(),
            commands: sender,
        };
        let report = waiting.report(id);
        self.waiting().insert(id, waiting);
        let all = self.clone();
        tokio::spawn(async move {
            let (end, answered) = all
                .see_to(&peers.detached(), &objects, &mut change, commands)
                .await;
            all.waiting().remove(&id);
            on_end(end, change.journal);
            drop(held);
            answer(answered, Ok(()));
        });
        report
    }

    /// Waits for a command or for the time to be up, until the change has ended. Returns whom to tell.
    async fn see_to(
        &self,
        peers: &impl Peers,
        objects: &Locks,
        change: &mut OpenChange,
        mut commands: mpsc::Receiver<Command>,
    ) -> (End, Option<oneshot::Sender<Result<(), NipartError>>>) {
        let id = change.journal.id;
        let mut retry = FIRST_RETRY;
        let mut is_stuck = change.problem.is_some();
        loop {
            let (end, asker) = tokio::select! {
                Some((order, asker)) = commands.recv() => match order {
                    Order::End(end) => (end, Some(asker)),
                    Order::BeginAnew(time) => {
                        let result = match is_stuck {
                            true => Err(may_be_half_undone(id)),
                            false => self.restart(peers, change, time).await,
                        };
                        answer(Some(asker), result);
                        continue;
                    }
                },
                () = sleep_until(change.deadline) => {
                    let why = if is_stuck { "is still to be taken back" } else { "was not committed in time: taking it back" };
                    tracing::warn!(chain = %id, "the change {id} {why}");
                    (End::Rollback, None)
                }
            };
            let result = finish(peers, objects, &change.journal, end, is_stuck).await;
            let Err(error) = result else {
                tracing::info!(chain = %id, "the change {id} has ended: {end:?}");
                return (end, asker);
            };
            tracing::error!(chain = %id, "the change {id}: {error}");
            let error = if end == End::Rollback {
                is_stuck = true;
                change.deadline = Instant::now() + retry;
                retry = LONGEST_RETRY.min(retry * 2);
                self.is_stuck(id, change.deadline, error.clone());
                error.note(what_next(id))
            } else {
                // What can't be committed can still be taken back.
                error
            };
            answer(asker, Err(error));
        }
    }

    fn is_stuck(&self, id: Uuid, deadline: Instant, problem: NipartError) {
        if let Some(waiting) = self.waiting().get_mut(&id) {
            waiting.deadline = deadline;
            waiting.problem = Some(problem);
        }
    }

    /// Writes down the new time, and goes by it.
    async fn restart(
        &self,
        peers: &impl Peers,
        change: &mut OpenChange,
        time: Duration,
    ) -> Result<(), NipartError> {
        let Some(checkpoint) = &change.journal.checkpoint else {
            return Ok(());
        };
        let commit = checkpoint.commit.clone();
        let (journal, deadline) = hold(peers, &change.journal, commit, time).await?;
        if let Some(waiting) = self.waiting().get_mut(&journal.id) {
            waiting.deadline = deadline;
        }
        (change.journal, change.deadline) = (journal, deadline);
        Ok(())
    }

    /// Ends a change.
    ///
    /// # Errors
    /// Kind `not-found` when there is none of that id; else what went wrong.
    pub async fn end(&self, request: &CheckpointRequest, end: End) -> Result<(), NipartError> {
        self.tell(request.checkpoint.as_deref(), Order::End(end))
            .await
    }

    /// From now on the change waits for so long.
    ///
    /// # Errors
    /// As those of [`Self::end`].
    pub async fn begin_anew(
        &self,
        id: &str,
        time: Duration,
    ) -> Result<CheckpointReport, NipartError> {
        self.tell(Some(id), Order::BeginAnew(time)).await?;
        let report = self.list().into_iter().find(|report| report.id == id);
        report.ok_or_else(gone)
    }

    async fn tell(&self, id: Option<&str>, order: Order) -> Result<(), NipartError> {
        let commands = find(&self.waiting(), id)?;
        let (sender, receiver) = oneshot::channel();
        commands.send((order, sender)).await.map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }

    /// Whether this one is open.
    pub fn contains(&self, id: Uuid) -> bool {
        self.waiting().contains_key(&id)
    }

    /// All that are open, oldest first.
    pub fn list(&self) -> Vec<CheckpointReport> {
        let waiting = self.waiting();
        let reports = waiting.iter().map(|(id, waiting)| waiting.report(*id));
        reports.collect()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Uuid, Waiting>> {
        // Nothing panics while it is held; a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn report(&self, id: Uuid) -> CheckpointReport {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        CheckpointReport {
            id: id.to_string(),
            remaining: u32::try_from(remaining.as_secs()).unwrap_or(u32::MAX),
            interfaces: self.interfaces.clone(),
            problem: self.problem.as_ref().map(ToString::to_string),
        }
    }
}

fn may_be_half_undone(id: Uuid) -> NipartError {
    NipartError::new(
        ErrorKind::InvalidArgument,
        format!("the change {id} can't be committed: a part of it may be taken back already"),
    )
    .note(what_next(id))
}

fn gone() -> NipartError {
    NipartError::new(ErrorKind::NotFound, "the checkpoint has just ended")
}

/// What the user can do about a change that could not be taken back.
pub fn what_next(id: Uuid) -> String {
    format!(
        "it is tried again by itself, and by `nipartctl rollback {id}`; `nipartctl checkpoint forget {id}` gives it up \
         and leaves the network as it is"
    )
}

fn answer(
    asker: Option<oneshot::Sender<Result<(), NipartError>>>,
    result: Result<(), NipartError>,
) {
    if let Some(asker) = asker {
        // Whoever asked may have gone.
        let _ = asker.send(result);
    }
}

/// The way to the task of the change that is meant: the newest, or the only one whose id begins so.
fn find(
    waiting: &BTreeMap<Uuid, Waiting>,
    id: Option<&str>,
) -> Result<mpsc::Sender<Command>, NipartError> {
    let not_found = |message: String| NipartError::new(ErrorKind::NotFound, message);
    let Some(prefix) = id else {
        let newest = waiting.values().next_back();
        return newest
            .map(|waiting| waiting.commands.clone())
            .ok_or_else(|| not_found("no checkpoint waits for its confirmation".to_string()));
    };
    let mut matching = waiting
        .iter()
        .filter(|(id, _)| id.to_string().starts_with(prefix));
    match (matching.next(), matching.next()) {
        (Some((_, waiting)), None) => Ok(waiting.commands.clone()),
        (None, _) => Err(not_found(format!(
            "no checkpoint {prefix} waits for its confirmation"
        ))),
        _ => Err(not_found(format!(
            "more than one checkpoint begins with {prefix}"
        ))),
    }
}

async fn finish(
    peers: &impl Peers,
    objects: &Locks,
    journal: &Journal,
    end: End,
    is_stuck: bool,
) -> Result<(), NipartError> {
    let id = journal.id;
    let commit = journal
        .checkpoint
        .as_ref()
        .map(|checkpoint| &checkpoint.commit);
    let commit = match (end, is_stuck, commit) {
        (End::Rollback, ..) => {
            let holder = format!("the rollback of {id}");
            let _guard = objects
                .acquire(locks_of(journal), &holder, LOCK_TIMEOUT)
                .await?;
            is_due(peers, journal).await;
            return undo(peers, journal).await;
        }
        (End::Commit, false, Some(commit)) => Some(commit.clone()),
        (End::Forget, true, _) => None,
        (End::Commit, ..) => return Err(may_be_half_undone(id)),
        (End::Forget, false, _) => {
            return Err(NipartError::new(
                ErrorKind::InvalidArgument,
                format!("the change {id} can be taken back, or committed"),
            ));
        }
    };
    close(peers, JournalClosing { id, commit }).await
}

/// Writes into the journal of a checkpoint that its time is over: who dies half way doesn't leave half of it to be
/// committed. A disk that can't be written to is no reason not to take it back.
async fn is_due(peers: &impl Peers, journal: &Journal) {
    let mut due = journal.clone();
    let Some(checkpoint) = due
        .checkpoint
        .as_mut()
        .filter(|checkpoint| checkpoint.deadline_ms > 0)
    else {
        return;
    };
    checkpoint.deadline_ms = 0;
    if let Err(error) = ask::open_journal(peers, due).await {
        tracing::warn!(chain = %journal.id, "{error}");
    }
}
