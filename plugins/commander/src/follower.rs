// SPDX-License-Identifier: Apache-2.0

//! The task that keeps up what goes on after a change: monitor rules and DHCP clients.
//!
//! ```text
//!  chains ──Outcome──▶ ┌──────────┐ ──set-monitor-rules──▶ monitor
//!  main loop ─link,───▶│ follower │ ──start/stop-dhcp────▶ dhcp
//!        lease, plugin └──────────┘
//! ```
//! It alone owns [`Followed`]; everybody else holds a [`Follower`] and sends messages.

use std::collections::{BTreeMap, BTreeSet};

use nipart_plugin_sdk::{EventContext, Handle};
use nipart_schemas::error::NipartError;
use nipart_schemas::event::Role;
use nipart_schemas::lease::{DhcpStop, LeaseEvent, LeaseKey, LeaseLoss};
use nipart_schemas::monitor::LinkChange;
use tokio::sync::{mpsc, oneshot};

use crate::ask;
use crate::chain::show::Known;
use crate::follow::{FollowChanges, Followed};
use crate::peers::EventPeers;
use crate::transaction::Outcome;

/// Messages that may wait: more than chains that can run.
const QUEUE: usize = 2048;

enum Message {
    Outcome(BTreeSet<String>, Box<Outcome>),
    Link(LinkChange),
    Lease(LeaseEvent),
    MonitorIsBack,
    DhcpIsBack,
    Known(oneshot::Sender<Known>),
    CaughtUp(oneshot::Sender<()>),
    Among(Vec<String>, oneshot::Sender<Vec<String>>),
    IsRestoredWhenUp(String, oneshot::Sender<bool>),
    Failed(String, String),
    Recovered(Vec<String>),
    Health(oneshot::Sender<Health>),
}

/// What went wrong, for `status`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// Why what is saved for an interface could not be made so, by interface.
    pub(crate) failures: BTreeMap<String, String>,
    /// What was taken back at the start.
    pub(crate) recovered: Vec<String>,
}

/// The way to the follower.
#[derive(Debug, Clone)]
pub(crate) struct Follower(mpsc::Sender<Message>);

impl Follower {
    /// Starts the task; it ends when the last handle is gone.
    pub(crate) fn spawn(handle: Handle) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(run(handle, receiver));
        Self(sender)
    }

    /// From now on, the interfaces in `names` are as `outcome` says.
    pub(crate) async fn follow(&self, names: BTreeSet<String>, outcome: Outcome) {
        self.send(Message::Outcome(names, Box::new(outcome))).await;
    }

    pub(crate) async fn link_changed(&self, change: LinkChange) {
        self.send(Message::Link(change)).await;
    }

    pub(crate) async fn lease_changed(&self, event: LeaseEvent) {
        self.send(Message::Lease(event)).await;
    }

    /// The monitor plugin was restarted and knows nothing.
    pub(crate) async fn monitor_is_back(&self) {
        self.send(Message::MonitorIsBack).await;
    }

    /// The dhcp plugin was restarted and runs nothing.
    pub(crate) async fn dhcp_is_back(&self) {
        self.send(Message::DhcpIsBack).await;
    }

    /// What only we know of the interfaces.
    pub(crate) async fn known(&self) -> Known {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::Known(sender)).await;
        receiver.await.unwrap_or_default()
    }

    /// Ends when all that was said before is done: monitor rules are set, clients started.
    pub(crate) async fn caught_up(&self) {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::CaughtUp(sender)).await;
        // The follower ends only with the process.
        let _ = receiver.await;
    }

    /// Those of `names` that are followed.
    pub(crate) async fn among(&self, names: Vec<String>) -> Vec<String> {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::Among(names, sender)).await;
        receiver.await.unwrap_or_default()
    }

    /// Whether what is saved for the link is brought back when it comes up.
    pub(crate) async fn is_restored_when_up(&self, interface: String) -> bool {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::IsRestoredWhenUp(interface, sender))
            .await;
        receiver.await.unwrap_or_default()
    }

    /// What is saved for the interface could not be made so.
    pub(crate) async fn failed(&self, interface: String, reason: String) {
        self.send(Message::Failed(interface, reason)).await;
    }

    /// What was taken back at the start.
    pub(crate) async fn recovered(&self, what: Vec<String>) {
        self.send(Message::Recovered(what)).await;
    }

    /// What went wrong up to now.
    pub(crate) async fn health(&self) -> Health {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::Health(sender)).await;
        receiver.await.unwrap_or_default()
    }

    async fn send(&self, message: Message) {
        // The follower ends only with the process.
        let _ = self.0.send(message).await;
    }
}

async fn run(handle: Handle, mut messages: mpsc::Receiver<Message>) {
    let mut followed = Followed::default();
    let mut health = Health::default();
    while let Some(message) = messages.recv().await {
        let peers = EventPeers::new(handle.clone(), EventContext::root(Role::Commander));
        let mut release = true;
        let changes = match message {
            Message::Outcome(names, outcome) => {
                health.failures.retain(|name, _| !names.contains(name));
                followed.update(&names, &outcome)
            }
            Message::Among(names, reply) => {
                let _ = reply.send(followed.among(names));
                continue;
            }
            Message::IsRestoredWhenUp(interface, reply) => {
                let _ = reply.send(followed.is_restored_when_up(&interface));
                continue;
            }
            Message::Failed(interface, reason) => {
                health.failures.insert(interface, reason);
                continue;
            }
            Message::Recovered(what) => {
                health.recovered.extend(what);
                continue;
            }
            Message::Health(reply) => {
                let _ = reply.send(health.clone());
                continue;
            }
            Message::Link(change) => {
                // Without the link, nothing can be given back.
                release = false;
                followed.link_changed(&change.interface, change.condition)
            }
            Message::Lease(event) => {
                match event {
                    LeaseEvent::Acquired(lease)
                    | LeaseEvent::Changed(lease)
                    | LeaseEvent::Renewed(lease) => {
                        followed.leased(&lease.key(), lease.address());
                    }
                    LeaseEvent::Lost {
                        interface,
                        protocol,
                        reason: LeaseLoss::Refused | LeaseLoss::Conflict,
                    } => {
                        let key = LeaseKey {
                            interface,
                            protocol,
                        };
                        followed.leased(&key, None);
                    }
                    // Asking for it again is worth a try.
                    LeaseEvent::Lost { .. } => {}
                }
                continue;
            }
            Message::MonitorIsBack => FollowChanges {
                rules: true,
                ..FollowChanges::default()
            },
            Message::DhcpIsBack => FollowChanges {
                start: followed.running_clients(),
                ..FollowChanges::default()
            },
            Message::Known(reply) => {
                let _ = reply.send(followed.known());
                continue;
            }
            Message::CaughtUp(reply) => {
                let _ = reply.send(());
                continue;
            }
        };
        carry_out(&peers, &followed, changes, release).await;
    }
}

/// A plugin that is away gets all of it when it is back; other failures are worth a line.
async fn carry_out(peers: &EventPeers, followed: &Followed, changes: FollowChanges, release: bool) {
    let warn = |what: &str, result: Result<(), NipartError>| {
        if let Err(error) = result {
            tracing::warn!("{what}: {error}");
        }
    };
    for key in changes.stop {
        let stop = DhcpStop {
            interface: key.interface.clone(),
            protocol: key.protocol,
            release,
        };
        let stopped = ask::stop_dhcp(peers, stop).await;
        warn(&format!("stop {key}"), stopped);
    }
    if changes.rules {
        warn(
            "set the monitor's rules",
            ask::set_monitor_rules(peers, followed.rules()).await,
        );
    }
    for config in changes.start {
        let key = config.key();
        let started = ask::start_dhcp(peers, config).await;
        warn(&format!("start {key}"), started);
    }
}
