// SPDX-License-Identifier: Apache-2.0

//! A plugin that has shaken hands with the daemon.

use nipart_schemas::event::Role;
use tokio::sync::{mpsc, watch};

use crate::context::EventContext;
use crate::environment::Environment;
use crate::handle::Handle;
use crate::question::Incoming;

/// How far the plugin's life is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Questions come in.
    Running,
    /// The daemon or a signal asked it to finish.
    Stopping,
    /// The tunnel has ended: whoever asked has gone.
    Ended,
}

/// The receiving side for the plugin's loop, and where it was started.
#[derive(Debug)]
pub struct Plugin {
    environment: Environment,
    roles: Vec<Role>,
    handle: Handle,
    incoming: mpsc::Receiver<Incoming>,
    phase_setter: watch::Sender<Phase>,
    phase: watch::Receiver<Phase>,
}

impl Plugin {
    pub(crate) fn new(
        environment: Environment,
        roles: Vec<Role>,
        handle: Handle,
        incoming: mpsc::Receiver<Incoming>,
        phase_setter: watch::Sender<Phase>,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            environment,
            roles,
            handle,
            incoming,
            phase_setter,
            phase,
        }
    }

    /// What comes in next; none when it is time to finish: the loop must then return soon.
    ///
    /// Safe to use as one branch of a `select!`.
    pub async fn next(&mut self) -> Option<Incoming> {
        tokio::select! {
            biased;
            // A closed channel would mean that the tunnel task is gone, which is an end as well.
            _ = self.phase.wait_for(|phase| *phase != Phase::Running) => None,
            incoming = self.incoming.recv() => incoming,
        }
    }

    /// The sending side. Clone it for tasks.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Follows the plugin's life, for tasks that must end with it.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    /// Where it was started: its name and directories.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The roles that the daemon accepted.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Context for a chain that this plugin starts by itself, speaking as its first role.
    pub fn new_chain(&self) -> EventContext {
        let role = self
            .roles
            .first()
            .cloned()
            .unwrap_or_else(|| Role::from(self.environment.name.clone()));
        EventContext::root(role)
    }

    pub(crate) fn phase_setter(&self) -> watch::Sender<Phase> {
        self.phase_setter.clone()
    }
}
