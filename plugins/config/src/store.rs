// SPDX-License-Identifier: Apache-2.0

//! What is remembered: saved state over administrators' files, what lasts until the next boot on top, and journals.

use std::fs::File;
use std::path::Path;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::InterfaceState;
use nipart_schemas::journal::{Commit, Journal, JournalClosing, SavedScope, SavedState};
use nipart_schemas::network_state::NetworkState;

use crate::journals::Journals;
use crate::layer::Layer;
use crate::{administrator, durable};

/// The state directory, locked, and its content.
#[derive(Debug)]
pub struct Store {
    administrator: NetworkState,
    saved: Layer,
    volatile: Layer,
    journals: Journals,
    /// All layers over each other.
    merged: NetworkState,
    _lock: File,
}

impl Store {
    /// Opens the store: `state_dir` survives a reboot, `run_dir` doesn't, `states_dir` is the administrator's.
    ///
    /// # Errors
    /// When another process holds it, or the directories can't be used. Damaged files are no error.
    pub fn open(state_dir: &Path, run_dir: &Path, states_dir: &Path) -> Result<Self, NipartError> {
        durable::create_directory(state_dir)?;
        durable::create_directory(run_dir)?;
        let lock = durable::lock(&state_dir.join("lock"))?;
        let mut store = Self {
            administrator: administrator::read(states_dir),
            saved: Layer::load(state_dir.join("saved.yml"))?,
            volatile: Layer::load(run_dir.join("volatile.yml"))?,
            journals: Journals::open(state_dir.join("journal"))?,
            merged: NetworkState::default(),
            _lock: lock,
        };
        store.merge();
        Ok(store)
    }

    fn merge(&mut self) {
        let persistent = self.saved.state.laid_over(&self.administrator);
        self.merged = self.volatile.state.laid_over(&persistent);
    }

    /// What is remembered of `scope`.
    ///
    /// # Errors
    /// When the journals can't be listed.
    pub fn load(&self, scope: &SavedScope) -> Result<SavedState, NipartError> {
        let persistent;
        let state = if scope.persistent_only {
            persistent = self.saved.state.laid_over(&self.administrator);
            &persistent
        } else {
            &self.merged
        };
        Ok(match &scope.interfaces {
            Some(names) => SavedState {
                state: state.scoped(names),
                unfinished: Vec::new(),
            },
            None => SavedState {
                state: state.clone(),
                unfinished: self.journals.unfinished()?,
            },
        })
    }

    /// Writes down what is going to be done; on disk when this returns.
    ///
    /// # Errors
    /// Kind `storage`: then nothing may be changed.
    pub fn open_journal(&self, journal: &Journal) -> Result<(), NipartError> {
        self.journals.write(journal)
    }

    /// Ends a transaction: first what it leaves behind is saved, then its journal goes.
    ///
    /// # Errors
    /// Kind `storage`: then the transaction is not committed.
    pub fn close_journal(&mut self, closing: &JournalClosing) -> Result<(), NipartError> {
        if let Some(commit) = &closing.commit {
            self.commit(commit)?;
        }
        self.journals.remove(closing.id)
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), NipartError> {
        if commit.volatile {
            self.volatile.lay_over(&absent_as_down(&commit.state))?;
        } else {
            self.saved.lay_over(&commit.state)?;
            let hidden = self.hidden_by_volatile(&commit.state);
            self.volatile.lay_over(&hidden)?;
        }
        self.merge();
        Ok(())
    }

    /// The part of a persistent commit that a volatile one from before would hide.
    fn hidden_by_volatile(&self, state: &NetworkState) -> NetworkState {
        let above = self.volatile.state.by_name();
        let interfaces = state
            .interfaces
            .iter()
            .filter(|interface| above.contains_key(interface.name.as_str()));
        NetworkState {
            interfaces: interfaces.cloned().collect(),
            ..NetworkState::default()
        }
    }
}

/// What is taken away until the next boot only is still remembered below: `absent` behaves as `down`.
fn absent_as_down(state: &NetworkState) -> NetworkState {
    let mut state = state.clone();
    for interface in &mut state.interfaces {
        if interface.wanted_state() == InterfaceState::Absent {
            interface.state = Some(InterfaceState::Down);
        }
    }
    state
}
