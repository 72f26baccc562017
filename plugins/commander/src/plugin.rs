// SPDX-License-Identifier: Apache-2.0

//! The commander's loop: each question and each thing told starts a chain in a task of its own.
//!
//! ```text
//!  daemon ──show, plan, apply──▶ ┌───────────┐ ──task per chain──▶ peers
//!  monitor ──link-changed──────▶ │ main loop │
//!  dhcp ──lease-changed────────▶ │           │ ──messages──▶ follower
//!  daemon ──plugin-changed─────▶ └───────────┘
//! ```

mod addressed;
mod tools;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use nipart_plugin_sdk::{Handle, Incoming, Plugin, Question};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::lease::LeaseEvent;
use nipart_schemas::monitor::{LinkChange, LinkCondition};
use nipart_schemas::plugin::{PluginReport, PluginState};
use nipart_schemas::request::HistoryReport;
use tokio::sync::{Semaphore, mpsc, watch};

use self::tools::Tools;
use crate::ask;
use crate::awaited::AddressNews;
use crate::chain;
use crate::checkpoint::{Checkpoints, End};
use crate::created::CreatedLinks;
use crate::follower::Follower;
use crate::lock::Locks;
use crate::looks::Looks;
use crate::peers::EventPeers;

/// Chains that run at once; more are refused.
const MOST_CHAINS: usize = 1024;
/// States that are put together for clients at once: each takes megabytes. Others wait for their turn, no longer than
/// those before them may take.
const MOST_SHOWS: usize = 4;
/// Steps of progress that may wait for the client.
const PROGRESS_QUEUE: usize = 16;

/// The plugins without which no chain gets to its end.
const NEEDED: [Role; 6] = [
    Role::Config,
    Role::State,
    Role::Kernel,
    Role::Monitor,
    Role::Dhcp,
    Role::Dns,
];

/// Runs chains until the daemon ends the plugin.
///
/// # Errors
/// None of its own: a chain's error is its answer.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    let handle = plugin.handle();
    let (started, _) = watch::channel(false);
    let mut commander = Commander {
        follower: Follower::spawn(handle.clone()),
        users: Locks::default(),
        objects: Locks::default(),
        checkpoints: Checkpoints::default(),
        news: AddressNews::default(),
        created: CreatedLinks::default(),
        looks: Looks::default(),
        chains: Arc::new(Semaphore::new(MOST_CHAINS)),
        shows: Arc::new(Semaphore::new(MOST_SHOWS)),
        running: BTreeSet::new(),
        started,
        handle,
    };
    while let Some(incoming) = plugin.next().await {
        commander.dispatch(incoming).await;
    }
    Ok(())
}

struct Commander {
    handle: Handle,
    follower: Follower,
    users: Locks,
    objects: Locks,
    checkpoints: Checkpoints,
    news: AddressNews,
    created: CreatedLinks,
    looks: Looks,
    chains: Arc<Semaphore>,
    shows: Arc<Semaphore>,
    /// Roles that answer.
    running: BTreeSet<Role>,
    /// True once saved state has been brought back: users' requests wait for that.
    started: watch::Sender<bool>,
}

impl Commander {
    async fn dispatch(&mut self, incoming: Incoming) {
        let Incoming { data, question } = incoming;
        match data {
            EventData::Show(request) => {
                let shows = self.shows.clone();
                self.answer(question, async move |tools| {
                    // It is never closed.
                    let _turn = shows.acquire_owned().await;
                    let known = tools.follower.known().await;
                    let state = chain::show::show(&tools.peers, &request, &known).await?;
                    Ok(EventData::State(Box::new(state.into())))
                })
                .await
            }
            EventData::Plan(request) => {
                self.answer(question, async move |tools| {
                    let report = chain::plan::plan(&tools.peers, *request).await?;
                    Ok(EventData::Planned(Box::new(report)))
                })
                .await
            }
            EventData::Apply(request) => {
                let limit = request.timeout_ms.map(Duration::from_millis);
                self.answer_within(question, limit, async move |tools| {
                    tools.apply(*request).await
                })
                .await
            }
            EventData::Commit(request) => {
                self.answer(question, async move |tools| {
                    tools.end(&request, End::Commit).await
                })
                .await;
            }
            EventData::Rollback(request) => {
                self.answer(question, async move |tools| {
                    tools.end(&request, End::Rollback).await
                })
                .await;
            }
            EventData::Forget(request) => {
                self.answer(question, async move |tools| {
                    tools.end(&request, End::Forget).await
                })
                .await;
            }
            EventData::ListCheckpoints => {
                self.answer(question, async move |tools| {
                    Ok(EventData::Checkpoints(tools.checkpoints.list()))
                })
                .await;
            }
            EventData::Status => {
                self.answer(question, async move |tools| tools.status().await)
                    .await
            }
            EventData::GenerateRevert(request) => {
                self.answer(question, async move |tools| {
                    let state = chain::revert::revert(&tools.peers, &request.state).await?;
                    Ok(EventData::State(Box::new(state.into())))
                })
                .await;
            }
            EventData::History(request) => {
                self.answer(question, async move |tools| {
                    let mut report = ask::history(&tools.peers, request).await?;
                    if let HistoryReport::Detail(detail) = &mut report {
                        detail.hide_secrets();
                    }
                    Ok(EventData::HistoryReport(Box::new(report)))
                })
                .await;
            }
            EventData::LinkChanged(change) => self.link_changed(question, change).await,
            EventData::LinksChanged(names) => self.links_changed(&question, names),
            EventData::KeyAgreementEnded(interface) => {
                let tools = self.tools(&question);
                tokio::spawn(async move { tools.restore(interface).await });
            }
            EventData::LeaseChanged(event) => self.lease_changed(question, event).await,
            EventData::PluginChanged(report) => self.plugin_changed(question, report).await,
            other => question.refuse(&other).await,
        }
    }

    fn tools(&self, question: &Question) -> Tools {
        Tools {
            peers: EventPeers::new(self.handle.clone(), question.context().clone()),
            users: self.users.clone(),
            objects: self.objects.clone(),
            checkpoints: self.checkpoints.clone(),
            follower: self.follower.clone(),
            news: self.news.clone(),
            created: self.created.clone(),
        }
        .with_care()
    }

    /// Runs a client's chain, which has all of the question's time.
    async fn answer<F>(&self, question: Question, chain: impl FnOnce(Tools) -> F + Send + 'static)
    where
        F: Future<Output = Result<EventData, NipartError>> + Send,
    {
        self.answer_within(question, None, chain).await;
    }

    /// Runs a client's chain in a task of its own, once saved state is back. With a limit, it is to come to its end by
    /// then, and has the rest of the question's time to take back what it has done.
    async fn answer_within<F>(
        &self,
        question: Question,
        limit: Option<Duration>,
        chain: impl FnOnce(Tools) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<EventData, NipartError>> + Send,
    {
        let Ok(permit) = self.chains.clone().try_acquire_owned() else {
            let error = NipartError::new(
                ErrorKind::Busy,
                format!("{MOST_CHAINS} requests are being worked on: try again later"),
            );
            return question.fail(error).await;
        };
        let (sender, mut progress) = mpsc::channel(PROGRESS_QUEUE);
        let mut tools = self.tools(&question);
        tools.peers = tools.peers.serving(question.cancellation(), sender);
        if let Some(limit) = limit {
            tools.peers = tools.peers.within(limit);
        }
        let mut started = self.started.subscribe();
        tokio::spawn(async move {
            let _permit = permit;
            let work = async {
                let is_started = started.wait_for(|started| *started);
                // The sender lives as long as the commander.
                let _ = tools.peers.in_time("the start", is_started).await?;
                chain(tools).await
            };
            tokio::pin!(work);
            let result = loop {
                tokio::select! {
                    result = &mut work => break result,
                    Some(step) = progress.recv() => question.progress(step),
                }
            };
            question.finish(result).await;
        });
    }

    async fn link_changed(&self, question: Question, change: LinkChange) {
        let tools = self.tools(&question);
        // DHCP first: it needs only the link.
        tools.follower.link_changed(change.clone()).await;
        tokio::spawn(async move {
            match change.condition {
                LinkCondition::Present => tools.restore_appeared(change).await,
                LinkCondition::Up => {
                    let name = change.interface.clone();
                    if tools.follower.is_restored_when_up(name).await {
                        tools.restore_raised(change).await;
                    }
                }
                LinkCondition::Absent => tools.clear(&change.interface).await,
                _ => {}
            }
        });
    }

    fn links_changed(&self, question: &Question, names: Vec<String>) {
        let tools = self.tools(question);
        tools.news.tell();
        let looks = self.looks.clone();
        tokio::spawn(async move {
            let names = tools.follower.among(names).await;
            let Some((turn, names)) = looks.turn(names).await else {
                return;
            };
            if let Err(error) = chain::drift::drift(&tools.peers, &tools.objects, &names).await {
                tracing::error!("links that somebody has changed can't be looked after: {error}");
            }
            turn.rest().await;
        });
    }

    async fn lease_changed(&self, question: Question, event: LeaseEvent) {
        let tools = self.tools(&question);
        tools.follower.lease_changed(event.clone()).await;
        tokio::spawn(async move {
            if let Err(error) = chain::lease::lease(&tools.peers, &tools.objects, event).await {
                tracing::error!("what the lease brings can't be made so: {error}");
            }
            tools.news.tell();
        });
    }

    async fn plugin_changed(&mut self, question: Question, report: PluginReport) {
        let is_running = report.state == PluginState::Running;
        let was_complete = self.is_complete();
        for role in report.roles {
            if !is_running {
                self.running.remove(&role);
            } else if self.running.insert(role.clone()) && *self.started.borrow() {
                match role {
                    Role::Monitor => {
                        self.follower.monitor_is_back().await;
                        // Links may have come while nobody looked.
                        self.start(&question);
                    }
                    Role::Dhcp => self.follower.dhcp_is_back().await,
                    _ => {}
                }
            }
        }
        // What came while a plugin was away was told to nobody.
        self.news.tell();
        if !was_complete && self.is_complete() && !*self.started.borrow() {
            self.start(&question);
        }
    }

    fn is_complete(&self) -> bool {
        NEEDED.iter().all(|role| self.running.contains(role))
    }

    fn start(&self, question: &Question) {
        let tools = self.tools(question);
        let started = self.started.clone();
        tokio::spawn(async move {
            let checkpoints = tools.checkpoints.clone();
            match chain::start::start(&tools.peers, &tools.objects, |id| checkpoints.contains(id))
                .await
            {
                Ok(start) => tools.started(start).await,
                Err(error) => tracing::error!("saved state can't be brought back: {error}"),
            }
            started.send_replace(true);
        });
    }
}
