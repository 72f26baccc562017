// SPDX-License-Identifier: Apache-2.0

//! What is remembered: saved state over administrators' files, what lasts until the next boot on top, and journals.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::InterfaceState;
use nipart_schemas::journal::{Commit, Journal, JournalClosing, SavedScope, SavedState};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::{HistoryReport, HistoryRequest};
use nipart_schemas::route::{AbsentRoutes, Route, RouteKey, Routes};
use nipart_schemas::route_rule::{AbsentRules, RouteRule, RouteRules};
use uuid::Uuid;

use crate::history::History;
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
    history: History,
    /// All layers over each other; none while there is only the saved one.
    merged: Option<NetworkState>,
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
        durable::clean(state_dir);
        let saved = Layer::load(state_dir.join("saved.yml"))?;
        let volatile = Layer::load(run_dir.join("volatile.yml"))?;
        let mut journals = Journals::open(state_dir.join("journal"))?;
        // A commit that was interrupted after the moment in which it happened.
        for transaction in [saved.committed_by, volatile.committed_by]
            .into_iter()
            .flatten()
        {
            if journals.settle(transaction) {
                tracing::info!(chain = %transaction, "a change was committed right before the end: it stays");
            }
        }
        let history = History::open(state_dir.join("history"), saved.path(), saved.committed_by)?;
        let mut store = Self {
            administrator: administrator::read(states_dir),
            saved,
            volatile,
            journals,
            history,
            merged: None,
            _lock: lock,
        };
        store.merge();
        Ok(store)
    }

    /// Lays the layers over each other: administrator's files, saved, until the next boot, not yet confirmed.
    fn merge(&mut self) {
        let unconfirmed: Vec<&Commit> = self.journals.unconfirmed().collect();
        if self.administrator.is_empty() && self.volatile.state.is_empty() && unconfirmed.is_empty()
        {
            self.merged = None;
            return;
        }
        let below = self.volatile.state.laid_over(&self.persistent());
        self.merged = Some(
            unconfirmed
                .into_iter()
                .fold(below, |below, commit| commit.state.laid_over(&below)),
        );
    }

    /// What is saved over administrators' files. What they want absent doesn't stand against what is saved.
    fn persistent(&self) -> NetworkState {
        let mut state = self.saved.state.laid_over(&self.administrator);
        let mentioned = self.saved.state.mentioned_interfaces();
        state.interfaces.retain(|interface| {
            interface.wanted_state() != InterfaceState::Absent
                || !mentioned.contains(&interface.name)
        });
        state
    }

    /// What is remembered of `scope`.
    ///
    /// # Errors
    /// When the journals can't be listed.
    pub fn load(&self, scope: &SavedScope) -> Result<SavedState, NipartError> {
        let persistent;
        let state = match &self.merged {
            Some(_) if scope.persistent_only => {
                persistent = self.persistent();
                &persistent
            }
            Some(merged) => merged,
            None => &self.saved.state,
        };
        Ok(match &scope.interfaces {
            Some(names) => SavedState {
                state: state.scoped(names),
                unfinished: Vec::new(),
            },
            None => SavedState {
                state: state.clone(),
                unfinished: self.journals.all().cloned().collect(),
            },
        })
    }

    /// Answers a question about the history.
    ///
    /// # Errors
    /// When there is no such entry, or it is damaged.
    pub fn history(&self, request: &HistoryRequest) -> Result<HistoryReport, NipartError> {
        self.history.report(request)
    }

    /// Writes down what is going to be done, or that it is done and waits to be confirmed; on disk when this returns.
    ///
    /// # Errors
    /// Kind `storage`: then nothing may be changed.
    pub fn open_journal(&mut self, journal: Journal) -> Result<(), NipartError> {
        let is_unconfirmed = journal.checkpoint.is_some();
        self.journals.clear(journal.id)?;
        self.journals.write(journal)?;
        if is_unconfirmed {
            self.merge();
        }
        Ok(())
    }

    /// Ends a transaction: first what it leaves behind is saved, then its journal goes. Doing it twice does no harm.
    ///
    /// # Errors
    /// Kind `storage`: then the transaction is not committed.
    pub fn close_journal(&mut self, closing: &JournalClosing) -> Result<(), NipartError> {
        let layers_changed = match &closing.commit {
            Some(commit) => self.commit(closing.id, commit)?,
            None => false,
        };
        let was_unconfirmed = self.journals.is_unconfirmed(closing.id);
        match &closing.commit {
            Some(_) => {
                self.journals.settle(closing.id);
            }
            None => self.journals.remove(closing.id)?,
        }
        if layers_changed || was_unconfirmed {
            self.merge();
        }
        Ok(())
    }

    /// Returns whether any layer has changed.
    fn commit(&mut self, id: Uuid, commit: &Commit) -> Result<bool, NipartError> {
        self.journals.clear(id)?;
        if commit.volatile {
            let state = absent_as_down(&commit.state);
            return self.volatile.lay_over_with_removals(&state, id);
        }
        let journal = self.journals.get(id);
        if journal.is_none() && commit.state.laid_over(&self.saved.state) == self.saved.state {
            let hidden = self.hidden_by_volatile(&commit.state);
            return self.volatile.lay_over(&hidden, id);
        }
        let entry = self
            .history
            .begin(id, journal, &commit.state, &self.saved.state)?;
        let changed = match self.saved.lay_over(&commit.state, id) {
            Ok(changed) => changed,
            Err(error) => {
                self.history.forget(entry)?;
                return Err(error);
            }
        };
        // From here on it is committed, whatever else goes wrong.
        let hidden = self.hidden_by_volatile(&commit.state);
        let uncovered = self.volatile.lay_over(&hidden, id);
        let recorded = self.history.finish(entry, self.saved.path());
        for problem in [recorded.err(), uncovered.as_ref().err().cloned()]
            .into_iter()
            .flatten()
        {
            tracing::error!("{problem}");
        }
        Ok(changed || uncovered.unwrap_or_default())
    }

    /// The part of a persistent commit that a volatile one from before would hide.
    fn hidden_by_volatile(&self, state: &NetworkState) -> NetworkState {
        let above = self.volatile.state.by_name();
        let interfaces = state.interfaces.iter().filter(|interface| {
            // Also the routes through an interface that goes.
            interface.wanted_state() == InterfaceState::Absent
                || above.contains_key(interface.name.as_str())
        });
        let volatile = self.volatile.state.config_routes();
        let removed = AbsentRoutes::of(volatile);
        let volatile: HashSet<RouteKey> = volatile.iter().map(Route::key).collect();
        let is_hidden = |route: &&Route| {
            route.is_absent() || volatile.contains(&route.key()) || removed.mean(route)
        };
        let routes = state.config_routes().iter().filter(is_hidden);
        let routes: Vec<Route> = routes.cloned().collect();
        let volatile = self.volatile.state.rules();
        let removed = AbsentRules::of(volatile);
        let volatile = RouteRule::identities(volatile);
        let rules = state.rules().iter().filter(|rule| {
            rule.is_absent() || volatile.contains(&rule.identity()) || removed.mean(rule)
        });
        NetworkState {
            interfaces: interfaces.cloned().collect(),
            routes: Routes::of(routes),
            route_rules: RouteRules::of(rules.cloned().collect()),
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
