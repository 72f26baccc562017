// SPDX-License-Identifier: Apache-2.0

//! One state in one file, with the version before it beside it.

use std::path::{Path, PathBuf};

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::Route;
use nipart_schemas::route_rule::RouteRule;
use nipart_schemas::yaml;
use uuid::Uuid;

use crate::{checksum, durable};

/// First words of the line that names the transaction by which the file was written.
const MARK: &str = "# Committed by transaction ";

/// A state that is kept in memory and in a file.
///
/// Replacing the file is the moment in which a transaction is committed: it names the transaction, so that after a
/// crash its journal is known to be done with.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    path: PathBuf,
    pub(crate) state: NetworkState,
    /// The transaction that wrote it.
    pub(crate) committed_by: Option<Uuid>,
}

impl Layer {
    /// Reads the newest version that is whole. A damaged file is set aside, and the version before it takes its place
    /// for good; that is said in the log and is no error.
    pub(crate) fn load(path: PathBuf) -> Result<Self, NipartError> {
        let (state, committed_by) = match read_state(&path) {
            Ok(Some(found)) => found,
            Ok(None) => Default::default(),
            Err(damage) => Self::fall_back(&path, &damage),
        };
        Ok(Self {
            path,
            state,
            committed_by,
        })
    }

    fn fall_back(path: &Path, damage: &NipartError) -> (NetworkState, Option<Uuid>) {
        let previous = previous_of(path);
        match read_state(&previous) {
            Ok(Some(found)) => {
                let aside = durable::keep_damaged(path);
                tracing::error!(
                    "{damage}; it is kept as {}, and the version before it is used",
                    aside.display()
                );
                // The next start must find it too.
                if let Err(error) = durable::link_over(&previous, path) {
                    tracing::error!("{error}");
                }
                found
            }
            other => {
                let aside = durable::set_aside(path);
                tracing::error!(
                    "{damage}; it is kept as {}, and there is no version before it: nothing is left of the saved state",
                    aside.display()
                );
                if let Err(damage) = other {
                    tracing::error!("{damage}");
                }
                Default::default()
            }
        }
    }

    /// Lays `upper` over the state, on disk first. Returns whether that changed anything; if not, nothing is written.
    pub(crate) fn lay_over(
        &mut self,
        upper: &NetworkState,
        transaction: Uuid,
    ) -> Result<bool, NipartError> {
        self.replace(upper.laid_over(&self.state), transaction)
    }

    /// The same for a layer over others, in which the removal of a route or rule of theirs is to be remembered.
    pub(crate) fn lay_over_with_removals(
        &mut self,
        upper: &NetworkState,
        transaction: Uuid,
    ) -> Result<bool, NipartError> {
        let mut state = upper.laid_over(&self.state);
        let removals = upper.config_routes().iter();
        let removals: Vec<Route> = removals
            .filter(|route| route.is_absent() && !state.config_routes().contains(route))
            .cloned()
            .collect();
        if !removals.is_empty() {
            let routes = state.routes.get_or_insert_default();
            routes.config.get_or_insert_default().extend(removals);
        }
        let removals = upper.rules().iter();
        let removals: Vec<RouteRule> = removals
            .filter(|rule| rule.is_absent() && !state.rules().contains(rule))
            .cloned()
            .collect();
        state.add_rules(removals);
        self.replace(state, transaction)
    }

    /// Puts `state` in the place of the other, on disk first.
    fn replace(&mut self, state: NetworkState, transaction: Uuid) -> Result<bool, NipartError> {
        if state == self.state {
            return Ok(false);
        }
        let text = yaml::to_string(&state).map_err(|error| {
            NipartError::new(
                ErrorKind::Bug,
                format!("write {} as YAML: {error}", self.path.display()),
            )
        })?;
        let content = format!("{MARK}{transaction}\n{}", checksum::with_line(&text));
        let previous = previous_of(&self.path);
        if let Err(error) = durable::replace(&self.path, content.as_bytes(), Some(&previous)) {
            // Once it has replaced the other it counts, though it may not be synced: so it would at a start.
            if durable::read(&self.path).ok().flatten().as_ref() != Some(&content) {
                return Err(error);
            }
            tracing::error!("{error}: what was saved may get lost should the machine fail now");
        }
        self.state = state;
        self.committed_by = Some(transaction);
        Ok(true)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn previous_of(path: &Path) -> PathBuf {
    path.with_extension("previous.yml")
}

fn read_state(path: &Path) -> Result<Option<(NetworkState, Option<Uuid>)>, NipartError> {
    let Some(text) = durable::read(path)? else {
        return Ok(None);
    };
    let damaged = |why: &dyn std::fmt::Display| {
        NipartError::new(
            ErrorKind::Storage,
            format!("{} is damaged: {why}", path.display()),
        )
    };
    let mut mark = None;
    let mut body = text.as_str();
    if let Some((line, rest)) = text.split_once('\n')
        && let Some(transaction) = line.strip_prefix(MARK)
    {
        mark = transaction.trim().parse().ok();
        body = rest;
    }
    body = checksum::content_of(body).map_err(|why| damaged(&why))?;
    // What was written always says something; this is what is left of something longer.
    if body
        .lines()
        .all(|line| line.trim().is_empty() || line.starts_with('#'))
    {
        return Err(damaged(&"it is empty"));
    }
    let state = yaml::parse(&text).map_err(|error| damaged(&error))?;
    Ok(Some((state, mark)))
}

/// Reads a state that was written by a [`Layer`].
pub(crate) fn read(path: &Path) -> Result<Option<NetworkState>, NipartError> {
    Ok(read_state(path)?.map(|(state, _)| state))
}
