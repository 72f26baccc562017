// SPDX-License-Identifier: Apache-2.0

//! Applied changes that wait for their confirmation, each with a task that takes it back when its time is up.
//!
//! ```text
//!  commit, rollback ──Command──▶ task of the checkpoint ──▶ close its journal, or undo it
//!           deadline ──────────▶
//! ```
//! While it waits, its interfaces are locked against other users' changes, not against leases and links.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::{Checkpoint, Journal, JournalClosing};
use nipart_schemas::request::{CheckpointReport, CheckpointRequest};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::lock::{self, LockGuard, Locks};
use crate::peers::Peers;
use crate::transaction::{close, undo};

/// How long the end of a checkpoint waits for a chain that is changing the same interfaces.
const LOCK_TIMEOUT: Duration = Duration::from_secs(120);

/// What becomes of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is kept and remembered.
    Commit,
    /// It is taken back.
    Rollback,
}

/// What waits: the journal, which is on disk with its checkpoint, and until when.
#[derive(Debug)]
pub struct Transaction {
    /// What was done.
    pub journal: Journal,
    /// What the journal says of its confirmation.
    pub checkpoint: Checkpoint,
    /// When it is taken back.
    pub deadline: Instant,
}

type Command = (End, oneshot::Sender<Result<(), NipartError>>);

/// All that wait; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Checkpoints(Arc<Mutex<BTreeMap<Uuid, Waiting>>>);

#[derive(Debug)]
struct Waiting {
    deadline: Instant,
    interfaces: Vec<String>,
    commands: mpsc::Sender<Command>,
}

impl Checkpoints {
    /// Lets a transaction wait. `on_end` hears how it ended.
    pub fn wait(
        &self,
        peers: impl Peers + 'static,
        objects: Locks,
        held: LockGuard,
        transaction: Transaction,
        on_end: impl FnOnce(End) + Send + 'static,
    ) -> CheckpointReport {
        let Transaction {
            journal,
            checkpoint,
            deadline,
        } = transaction;
        let id = journal.id;
        let interfaces: Vec<String> = checkpoint
            .commit
            .state
            .mentioned_interfaces()
            .into_iter()
            .collect();
        let (sender, mut commands) = mpsc::channel::<Command>(4);
        self.waiting().insert(
            id,
            Waiting {
                deadline,
                interfaces,
                commands: sender,
            },
        );
        let all = self.clone();
        tokio::spawn(async move {
            let (end, reply, result) = loop {
                let (end, reply) = tokio::select! {
                    Some((end, reply)) = commands.recv() => (end, Some(reply)),
                    () = sleep_until(deadline) => {
                        tracing::warn!(chain = %id, "checkpoint {id} was not committed in time: taking it back");
                        (End::Rollback, None)
                    }
                };
                let result = finish(&peers.detached(), &objects, &journal, &checkpoint, end).await;
                if let Err(error) = &result {
                    tracing::error!(chain = %id, "checkpoint {id}: {error}");
                }
                // What can't be committed can still be taken back.
                if result.is_ok() || end == End::Rollback {
                    break (end, reply, result);
                }
                answer(reply, result);
            };
            all.waiting().remove(&id);
            on_end(end);
            drop(held);
            answer(reply, result);
        });
        self.report(id).unwrap_or_else(|| CheckpointReport {
            id: id.to_string(),
            remaining: 0,
            interfaces: Vec::new(),
        })
    }

    /// Ends a checkpoint.
    ///
    /// # Errors
    /// Kind `not-found` when there is none of that id; else what went wrong.
    pub async fn end(&self, request: &CheckpointRequest, end: End) -> Result<(), NipartError> {
        let commands = {
            let waiting = self.waiting();
            let id = find(&waiting, request.checkpoint.as_deref())?;
            waiting.get(&id).map(|waiting| waiting.commands.clone())
        };
        let gone = || NipartError::new(ErrorKind::NotFound, "the checkpoint has just ended");
        let (sender, receiver) = oneshot::channel();
        commands
            .ok_or_else(gone)?
            .send((end, sender))
            .await
            .map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }

    /// Whether this one waits.
    pub fn contains(&self, id: Uuid) -> bool {
        self.waiting().contains_key(&id)
    }

    /// All that wait, oldest first.
    pub fn list(&self) -> Vec<CheckpointReport> {
        let ids: Vec<Uuid> = self.waiting().keys().copied().collect();
        ids.into_iter().filter_map(|id| self.report(id)).collect()
    }

    fn report(&self, id: Uuid) -> Option<CheckpointReport> {
        let waiting = self.waiting();
        let checkpoint = waiting.get(&id)?;
        let remaining = checkpoint
            .deadline
            .saturating_duration_since(Instant::now());
        Some(CheckpointReport {
            id: id.to_string(),
            remaining: u32::try_from(remaining.as_secs()).unwrap_or(u32::MAX),
            interfaces: checkpoint.interfaces.clone(),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Uuid, Waiting>> {
        // Nothing panics while it is held; a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(
    reply: Option<oneshot::Sender<Result<(), NipartError>>>,
    result: Result<(), NipartError>,
) {
    if let Some(reply) = reply {
        // Whoever asked may have gone.
        let _ = reply.send(result);
    }
}

/// The checkpoint that is meant: the newest, or the only one whose id begins so.
fn find(waiting: &BTreeMap<Uuid, Waiting>, id: Option<&str>) -> Result<Uuid, NipartError> {
    let not_found = |message: String| NipartError::new(ErrorKind::NotFound, message);
    let Some(prefix) = id else {
        let newest = waiting.keys().next_back().copied();
        return newest
            .ok_or_else(|| not_found("no checkpoint waits for its confirmation".to_string()));
    };
    let mut matching = waiting
        .keys()
        .filter(|id| id.to_string().starts_with(prefix));
    match (matching.next(), matching.next()) {
        (Some(id), None) => Ok(*id),
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
    checkpoint: &Checkpoint,
    end: End,
) -> Result<(), NipartError> {
    match end {
        End::Commit => {
            let commit = Some(checkpoint.commit.clone());
            close(
                peers,
                JournalClosing {
                    id: journal.id,
                    commit,
                },
            )
            .await
        }
        End::Rollback => {
            let names = lock::set_for(&checkpoint.commit.state);
            let holder = format!("the rollback of {}", journal.id);
            let _guard = objects.acquire(names, &holder, LOCK_TIMEOUT).await?;
            undo(peers, journal).await
        }
    }
}

/// Which boot this is, and how long it has been going on by the clock that counts suspend, in milliseconds.
///
/// # Errors
/// When `/proc` can't be read.
pub fn boot_clock() -> Result<(String, u64), NipartError> {
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("read /proc/sys/kernel/random/boot_id: {error}"),
        )
    })?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let milliseconds = u64::try_from(now.tv_sec).unwrap_or(0) * 1000
        + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
    Ok((boot_id.trim().to_string(), milliseconds))
}

/// When a checkpoint that was found on disk ends: none when its boot is over, or its time.
pub fn deadline_of(checkpoint: &Checkpoint) -> Option<Instant> {
    let (boot_id, now) = boot_clock().ok()?;
    let left = checkpoint.deadline_ms.checked_sub(now)?;
    (checkpoint.boot_id == boot_id).then(|| Instant::now() + Duration::from_millis(left))
}
