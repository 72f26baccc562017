// SPDX-License-Identifier: Apache-2.0

//! An apply that waits for addresses: its change is held like one that waits to be confirmed, so that nothing of it is
//! lost whoever dies, and leases can come. When the addresses are there, it is committed, or its user is asked.
//!
//! ```text
//!  lease chain, monitor, plugins that are back ──AddressNews──▶ ┌──────┐ ──commit, or its time anew──▶ checkpoint
//!  time is up, user has gone, somebody else ends it ──────────▶ │ wait │ ──rollback──────────────────▶
//!                                                               └──────┘
//! ```

use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::Interface;
use nipart_schemas::request::{CheckpointReport, CheckpointRequest};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::tools::Tools;
use crate::awaited;
use crate::checkpoint::End;
use crate::peers::Peers;

/// A change that waits for addresses.
pub(super) struct AwaitingChange {
    pub(super) checkpoint: CheckpointReport,
    /// How it ended, once it has.
    pub(super) ended: oneshot::Receiver<End>,
    pub(super) awaited: Vec<Interface>,
    pub(super) deadline: Instant,
    /// What its user gave it, from the first moment on.
    pub(super) timeout: Duration,
    pub(super) news: watch::Receiver<()>,
}

/// How a wait ended.
enum WaitEnd {
    Complete,
    Late,
    /// Whoever asked has gone.
    Abandoned,
    /// Somebody else has ended the change.
    Ended(Option<End>),
}

impl Tools {
    /// Waits, and keeps the change, or holds it until it is confirmed: for `confirm`, from then on.
    pub(super) async fn until_addressed(
        &self,
        mut waiting: AwaitingChange,
        confirm: Option<Duration>,
    ) -> Result<Option<CheckpointReport>, NipartError> {
        let end = self.wait_for_addresses(&mut waiting).await;
        let AwaitingChange {
            checkpoint,
            ended,
            awaited,
            timeout,
            ..
        } = waiting;
        let id = checkpoint.id;
        let kept = match (end, confirm) {
            (WaitEnd::Complete, Some(time)) => {
                self.checkpoints.begin_anew(&id, time).await.map(Some)
            }
            (WaitEnd::Complete, None) => {
                let committed = self.checkpoints.end(&only(&id), End::Commit).await;
                committed.map(|()| None)
            }
            (WaitEnd::Ended(Some(End::Commit)), _) => return Ok(None),
            (WaitEnd::Ended(_), _) => {
                return Err(NipartError::new(
                    ErrorKind::Cancelled,
                    "the change was taken back by somebody else while it waited for addresses",
                ));
            }
            (WaitEnd::Abandoned, _) => return Err(self.abandon(id, ended).await),
            (WaitEnd::Late, _) => Err(self.too_late(&awaited, timeout).await),
        };
        match kept {
            Ok(checkpoint) => Ok(checkpoint),
            // They came when it was being taken back already.
            Err(error) if error.kind == ErrorKind::NotFound => {
                let error = self.too_late(&awaited, timeout).await;
                Err(self.take_back(id, ended, error).await)
            }
            Err(error) => Err(self.take_back(id, ended, error).await),
        }
    }

    async fn wait_for_addresses(&self, waiting: &mut AwaitingChange) -> WaitEnd {
        loop {
            // What the monitor is to tell of now, it tells of what comes after the look.
            self.follower.caught_up().await;
            match awaited::lacking(&self.peers, &waiting.awaited).await {
                Ok(lacks) if lacks.is_empty() => return WaitEnd::Complete,
                Ok(lacks) => {
                    let lacks = awaited::in_words(&lacks);
                    self.peers
                        .progress(&format!("waiting for addresses: {lacks}"), 2, 3);
                }
                // The kernel plugin tells when it is back.
                Err(error) => tracing::warn!("addresses that are waited for: {error}"),
            }
            tokio::select! {
                biased;
                () = sleep_until(waiting.deadline) => return WaitEnd::Late,
                () = self.peers.cancelled() => return WaitEnd::Abandoned,
                end = &mut waiting.ended => return WaitEnd::Ended(end.ok()),
                // The sender lives as long as the commander.
                _ = waiting.news.changed() => {}
            }
        }
    }

    async fn too_late(&self, awaited: &[Interface], timeout: Duration) -> NipartError {
        let peers = self.peers.detached();
        match awaited::lacking(&peers, awaited).await {
            Ok(lacks) => awaited::error(&peers, &lacks, Some(timeout)).await,
            Err(error) => error,
        }
    }

    /// Whoever asked has gone, and will never hear that there is a checkpoint to commit.
    pub(super) async fn abandon(&self, id: String, ended: oneshot::Receiver<End>) -> NipartError {
        let error = NipartError::new(ErrorKind::Cancelled, "the request was cancelled");
        self.take_back(id, ended, error).await
    }

    async fn take_back(
        &self,
        id: String,
        ended: oneshot::Receiver<End>,
        error: NipartError,
    ) -> NipartError {
        const DONE: &str = "everything was taken back: the network is as it was";
        match self.checkpoints.end(&only(&id), End::Rollback).await {
            Ok(()) => error.note(DONE),
            // Its time was over at the same moment.
            Err(problem) if problem.kind == ErrorKind::NotFound => match ended.await {
                Ok(End::Rollback) => error.note(DONE),
                _ => error.note(format!("somebody else has ended the change {id} meanwhile")),
            },
            Err(problem) => error.note(format!("taking it back failed: {problem}")),
        }
    }
}

fn only(id: &str) -> CheckpointRequest {
    CheckpointRequest {
        checkpoint: Some(id.to_string()),
    }
}
