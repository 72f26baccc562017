// SPDX-License-Identifier: Apache-2.0

//! The commander's loop: each question and each thing told starts a chain in a task of its own.
//!
//! ```text
//!  daemon ──show, plan, apply──▶ ┌───────────┐ ──task per chain──▶ peers
//!  monitor ──link-changed──────▶ │ main loop │
//!  dhcp ──lease-changed────────▶ │           │ ──messages──▶ follower
//!  daemon ──plugin-changed─────▶ └───────────┘
//! ```

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use nipart_plugin_sdk::{Handle, Incoming, Plugin, Question};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::lease::LeaseEvent;
use nipart_schemas::monitor::LinkChange;
use nipart_schemas::plugin::{PluginReport, PluginState};
use nipart_schemas::request::ApplyRequest;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::chain;
use crate::follower::{Follower, calls_for_restore};
use crate::lock::Locks;
use crate::peers::EventPeers;

/// Chains that run at once; more are refused.
const MOST_CHAINS: usize = 1024;
/// Steps of progress that may wait for the client.
const PROGRESS_QUEUE: usize = 16;

/// The plugins without which no chain gets to its end.
const NEEDED: [Role; 5] = [
    Role::Config,
    Role::State,
    Role::Kernel,
    Role::Monitor,
    Role::Dhcp,
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
        locks: Locks::default(),
        chains: Arc::new(Semaphore::new(MOST_CHAINS)),
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
    locks: Locks,
    chains: Arc<Semaphore>,
    /// Roles that answer.
    running: BTreeSet<Role>,
    /// True once saved state has been brought back: users' requests wait for that.
    started: watch::Sender<bool>,
}

/// What every chain needs.
#[derive(Clone)]
struct Tools {
    peers: EventPeers,
    locks: Locks,
    follower: Follower,
}

impl Commander {
    async fn dispatch(&mut self, incoming: Incoming) {
        let Incoming { data, question } = incoming;
        match data {
            EventData::Show(request) => {
                self.answer(question, async move |tools| {
                    let with_dhcp = tools.follower.with_dhcp().await;
                    let state = chain::show::show(&tools.peers, &request, &with_dhcp).await?;
                    Ok(EventData::State(Box::new(state)))
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
                self.answer(question, async move |tools| apply(&tools, *request).await)
                    .await
            }
            EventData::LinkChanged(change) => self.link_changed(question, change).await,
            EventData::LeaseChanged(event) => self.lease_changed(question, event).await,
            EventData::PluginChanged(report) => self.plugin_changed(question, report).await,
            other => question.refuse(&other).await,
        }
    }

    fn tools(&self, question: &Question) -> Tools {
        Tools {
            peers: EventPeers::new(self.handle.clone(), question.context().clone()),
            locks: self.locks.clone(),
            follower: self.follower.clone(),
        }
    }

    /// Runs a client's chain in a task of its own, once saved state is back.
    async fn answer<F>(&self, question: Question, chain: impl FnOnce(Tools) -> F + Send + 'static)
    where
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
        let mut started = self.started.subscribe();
        tokio::spawn(async move {
            let _permit = permit;
            let work = async {
                // The sender lives as long as the commander.
                let _ = started.wait_for(|started| *started).await;
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
        if !calls_for_restore(change.condition) {
            return;
        }
        tokio::spawn(async move {
            let name = change.interface;
            match chain::link::restore(&tools.peers, &tools.locks, &name).await {
                Ok(Some((outcome, _guard))) => {
                    let names = outcome.merged.mentioned_interfaces();
                    tools.follower.follow(names, outcome).await;
                }
                Ok(None) => {}
                Err(error) => tracing::error!(
                    interface = name,
                    "what is saved for {name} can't be brought back: {error}"
                ),
            }
        });
    }

    async fn lease_changed(&self, question: Question, event: LeaseEvent) {
        let tools = self.tools(&question);
        tools.follower.lease_changed(event.clone()).await;
        tokio::spawn(async move {
            if let Err(error) = chain::lease::lease(&tools.peers, &tools.locks, event).await {
                tracing::error!("what the lease brings can't be made so: {error}");
            }
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
            match chain::start::start(&tools.peers, &tools.locks).await {
                Ok((outcome, _guard)) => {
                    tracing::info!(
                        operations = outcome.plan.operations().count(),
                        awaited = outcome.pending.len(),
                        "saved state is back"
                    );
                    let names = outcome.merged.mentioned_interfaces();
                    tools.follower.follow(names, outcome).await;
                }
                Err(error) => tracing::error!("saved state can't be brought back: {error}"),
            }
            started.send_replace(true);
        });
    }
}

async fn apply(tools: &Tools, request: ApplyRequest) -> Result<EventData, NipartError> {
    let names = request.state.mentioned_interfaces();
    let (report, outcome, _guard) =
        chain::apply::apply(&tools.peers, &tools.locks, request).await?;
    tools.follower.follow(names, outcome).await;
    Ok(EventData::Applied(Box::new(report)))
}
