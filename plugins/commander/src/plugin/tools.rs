// SPDX-License-Identifier: Apache-2.0

//! What a chain of the commander has at hand, and what is done around it: locks, checkpoints, follower.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use nipart_schemas::error::NipartError;
use nipart_schemas::event::EventData;
use nipart_schemas::interface::InterfaceState;
use nipart_schemas::journal::{Journal, SavedScope};
use nipart_schemas::monitor::LinkChange;
use nipart_schemas::request::{ApplyRequest, CheckpointReport, CheckpointRequest};
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use super::addressed::AwaitingChange;
use crate::ask;
use crate::awaited::AddressNews;
use crate::chain::{self, start::Started};
use crate::checkpoint::{Checkpoints, End, OpenChange};
use crate::created::{Appearance, CreatedLinks};
use crate::follower::Follower;
use crate::lock::{LockGuard, LockSet, Locks};
use crate::peers::{Caretaker, EventPeers, Peers};
use crate::transaction::{Outcome, Unconfirmed, locks_of, touched_by};

/// What every chain needs.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    pub(super) peers: EventPeers,
    /// Held by users' changes until they are confirmed.
    pub(super) users: Locks,
    /// Held by every change while it works.
    pub(super) objects: Locks,
    pub(super) checkpoints: Checkpoints,
    pub(super) follower: Follower,
    pub(super) news: AddressNews,
    pub(super) created: CreatedLinks,
}

impl Tools {
    /// The same, with somebody who looks after what can't be taken back.
    pub(super) fn with_care(mut self) -> Self {
        let caretaker = Arc::new(self.clone());
        self.peers = self.peers.with_caretaker(caretaker);
        self
    }

    pub(super) async fn apply(&self, request: ApplyRequest) -> Result<EventData, NipartError> {
        let mut names = request.state.mentioned_interfaces();
        let timeout = Duration::from_millis(request.timeout_ms.unwrap_or_default());
        let confirm = request.confirmation_time();
        let memory_only = request.memory_only;
        let news = self.news.subscribe();
        let (mut report, mut outcome, held) =
            chain::apply::apply(&self.peers, &self.users, &self.objects, request).await?;
        let unconfirmed = outcome.unconfirmed.take();
        // The other end of a pair goes down with the one that is named.
        let merged = outcome.merged.interfaces.iter();
        let down = merged.filter(|interface| interface.wanted_state() == InterfaceState::Down);
        names.extend(down.map(|interface| interface.name.clone()));
        self.follower.follow(names, outcome).await;
        if let Some(Unconfirmed {
            journal,
            deadline,
            awaited,
        }) = unconfirmed
        {
            let change = OpenChange {
                journal,
                deadline,
                problem: None,
            };
            let (checkpoint, ended) = self.wait(held.user, change);
            // Not before it is known: a start would take it for nobody's.
            drop(held.objects);
            if self.peers.is_cancelled() {
                return Err(self.abandon(checkpoint.id, ended).await);
            }
            report.checkpoint = if awaited.is_empty() {
                Some(checkpoint)
            } else {
                let waiting = AwaitingChange {
                    checkpoint,
                    ended,
                    awaited,
                    deadline,
                    timeout,
                    news,
                };
                self.until_addressed(waiting, confirm).await?
            };
            report.saved = !memory_only && report.checkpoint.is_none();
        }
        Ok(EventData::Applied(Box::new(report)))
    }

    /// Lets the change wait. How it ends can be heard, too.
    fn wait(
        &self,
        held: LockGuard,
        change: OpenChange,
    ) -> (CheckpointReport, oneshot::Receiver<End>) {
        let tools = self.clone();
        let (sender, ended) = oneshot::channel();
        let on_end = move |end: End, journal: Journal| {
            // Most often nobody wants to know.
            let _ = sender.send(end);
            if end != End::Commit {
                tokio::spawn(async move { tools.ended(end, &journal).await });
            }
        };
        let (peers, objects) = (self.peers.detached(), self.objects.clone());
        let report = self.checkpoints.wait(peers, objects, held, change, on_end);
        (report, ended)
    }

    /// A change that is not kept has ended: what goes on is again what is saved.
    async fn ended(&self, end: End, journal: &Journal) {
        let names = touched_by(journal);
        self.follow_saved(names.clone()).await;
        // What a link, a lease or a start was to bring back is still to be brought back.
        if end == End::Rollback && journal.origin.is_none() {
            for name in names {
                self.clone().with_care().restore(name).await;
            }
        }
    }

    /// Brings back what is saved for the link.
    pub(super) async fn restore(&self, name: String) {
        self.restore_as(name, || Appearance::News).await;
    }

    /// Brings back what is saved for a link that came up. One that a change has just created, and that is down again by now,
    /// somebody has set down.
    pub(super) async fn restore_raised(&self, change: LinkChange) {
        let LinkChange {
            interface, index, ..
        } = change;
        let (name, told) = (interface.clone(), Instant::now());
        self.restore_as(name, || match self.created.why(&interface, index, told) {
            Appearance::Change => Appearance::Change,
            _ => Appearance::News,
        })
        .await;
    }

    /// Brings back what is saved for a link that has appeared.
    pub(super) async fn restore_appeared(&self, change: LinkChange) {
        let LinkChange {
            interface, index, ..
        } = change;
        let (name, told) = (interface.clone(), Instant::now());
        self.restore_as(name, || self.created.why(&interface, index, told))
            .await;
    }

    async fn restore_as(&self, name: String, why: impl Fn() -> Appearance) {
        match chain::link::restore(&self.peers, &self.objects, &name, why).await {
            Ok(Some((outcome, _guard))) => {
                let names = outcome.merged.mentioned_interfaces();
                self.follower.follow(names, outcome).await;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(
                    interface = name,
                    "what is saved for {name} can't be brought back: {error}"
                );
                self.follower.failed(name, error.message).await;
            }
        }
    }

    /// Takes away what the kernel keeps of a link that has gone.
    pub(super) async fn clear(&self, name: &str) {
        if let Err(error) = chain::link::clear(&self.peers, &self.objects, name).await {
            tracing::error!(
                interface = name,
                "what is left of {name} can't be removed: {error}"
            );
        }
    }

    pub(super) async fn end(
        &self,
        request: &CheckpointRequest,
        end: End,
    ) -> Result<EventData, NipartError> {
        let ended = self.checkpoints.end(request, end).await;
        ended.map(|()| EventData::Done)
    }

    /// After a rollback: what goes on is again what is saved.
    async fn follow_saved(&self, names: BTreeSet<String>) {
        let scope = SavedScope {
            interfaces: Some(names.iter().cloned().collect()),
            persistent_only: false,
        };
        match ask::load_saved(&self.peers.detached(), scope).await {
            Ok(saved) => {
                let outcome = Outcome {
                    merged: saved.state,
                    ..Outcome::default()
                };
                self.follower.follow(names, outcome).await;
            }
            Err(error) => tracing::error!("what is saved can't be read after a rollback: {error}"),
        }
    }

    pub(super) async fn started(&self, start: Started) {
        let Started {
            outcome,
            guard: _guard,
            unconfirmed,
            recovered,
        } = start;
        tracing::info!(
            operations = outcome.plan.operations().count(),
            awaited = outcome.pending.len(),
            "saved state is back"
        );
        self.follower.recovered(recovered).await;
        self.follower
            .follow(outcome.merged.mentioned_interfaces(), outcome)
            .await;
        for (journal, deadline) in unconfirmed {
            let holder = format!("apply {}", journal.id);
            let set = locks_of(&journal);
            let change = OpenChange {
                journal,
                deadline,
                problem: None,
            };
            match self.users.acquire(set, &holder, Duration::ZERO).await {
                Ok(held) => drop(self.wait(held, change)),
                Err(error) => tracing::error!(
                    "two changes wait to be confirmed for the same interface: {error}"
                ),
            }
        }
    }

    pub(super) async fn status(&self) -> Result<EventData, NipartError> {
        let health = self.follower.health().await;
        let mut report = chain::status::status(&self.peers, &health.failures).await?;
        report.checkpoints = self.checkpoints.list();
        report.recovered = health.recovered;
        Ok(EventData::StatusReport(Box::new(report)))
    }
}

impl Caretaker for Tools {
    fn keep(&self, journal: Journal, problem: NipartError) {
        let set = LockSet::Names(touched_by(&journal));
        let holder = format!("the change {}, which could not be taken back", journal.id);
        let held = self.users.hold(set, &holder);
        self.wait(held, OpenChange::stuck(journal, problem));
    }

    fn has(&self, chain: Uuid) -> bool {
        self.checkpoints.contains(chain)
    }

    fn created(&self, links: BTreeMap<String, u32>, by: Appearance) {
        self.created.add(links, by);
    }
}
