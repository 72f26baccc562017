// SPDX-License-Identifier: Apache-2.0

//! A plugin as the switch knows it, and what is held for it while it is about to come.

use std::collections::{HashSet, VecDeque};

use nipart_plugin_sdk::codec::Envelope;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::Role;
use uuid::Uuid;

use super::Passing;

/// Events held for one plugin.
const MAX_HELD_EVENTS: usize = 256;
/// Bytes of all of them. One event may be larger.
const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;

/// Whether a plugin can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Yes.
    Up,
    /// Within a second or so: questions are held.
    Coming,
    /// No, for this reason: questions fail at once.
    Away(String),
}

/// One plugin.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) pid: Option<u32>,
    pub(crate) presence: Presence,
    held: VecDeque<Passing>,
    held_bytes: usize,
}

impl Member {
    pub(crate) fn new(name: &str, roles: &[Role]) -> Self {
        Self {
            name: name.to_string(),
            roles: roles.to_vec(),
            pid: None,
            presence: Presence::Coming,
            held: VecDeque::new(),
            held_bytes: 0,
        }
    }

    /// For messages: "the kernel plugin (pid 12)".
    pub(crate) fn describe(&self) -> String {
        match self.pid {
            Some(pid) => format!("the {} plugin (pid {pid})", self.name),
            None => format!("the {} plugin", self.name),
        }
    }

    /// Whether an event can be delivered or held.
    pub(crate) fn reachable(&self, envelope: &Envelope) -> Result<(), NipartError> {
        let problem = match &self.presence {
            Presence::Up => return Ok(()),
            Presence::Coming => {
                let full = self.held.len() >= MAX_HELD_EVENTS || self.held_bytes > MAX_HELD_BYTES;
                if !full {
                    return Ok(());
                }
                "it is being started, and too many questions wait for it already"
            }
            Presence::Away(reason) => reason,
        };
        Err(NipartError::new(
            ErrorKind::PluginFailure,
            format!(
                "{} cannot be asked `{}`: {problem}",
                self.describe(),
                envelope.kind
            ),
        ))
    }

    pub(crate) fn hold(&mut self, passing: Passing) {
        self.held_bytes += passing.frame.len();
        self.held.push_back(passing);
    }

    pub(crate) fn take_held(&mut self) -> VecDeque<Passing> {
        self.held_bytes = 0;
        std::mem::take(&mut self.held)
    }

    pub(crate) fn held_events(&self) -> HashSet<Uuid> {
        self.held
            .iter()
            .map(|passing| passing.envelope.uuid)
            .collect()
    }
}
