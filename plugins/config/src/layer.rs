// SPDX-License-Identifier: Apache-2.0

//! One state in one file, with the version before it beside it.

use std::path::{Path, PathBuf};

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;
use uuid::Uuid;

use crate::durable;

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
    /// Reads the newest version that parses. A damaged file is set aside; that is said in the log and is no error.
    pub(crate) fn load(path: PathBuf) -> Result<Self, NipartError> {
        let previous = previous_of(&path);
        let (state, committed_by) = match read_state(&path) {
            Ok(Some(found)) => found,
            Ok(None) => Default::default(),
            Err(damage) => {
                let aside = durable::set_aside(&path);
                tracing::error!(
                    "{damage}; it was set aside as {}, and the version before it is used",
                    aside.display()
                );
                match read_state(&previous) {
                    Ok(found) => found.unwrap_or_default(),
                    Err(damage) => {
                        tracing::error!("{damage}: nothing is left of the saved state");
                        Default::default()
                    }
                }
            }
        };
        Ok(Self {
            path,
            state,
            committed_by,
        })
    }

    /// Lays `upper` over the state, on disk first. Returns whether that changed anything; if not, nothing is written.
    pub(crate) fn lay_over(
        &mut self,
        upper: &NetworkState,
        transaction: Uuid,
    ) -> Result<bool, NipartError> {
        let state = upper.laid_over(&self.state);
        if state == self.state {
            return Ok(false);
        }
        let text = yaml::to_string(&state).map_err(|error| {
            NipartError::new(
                ErrorKind::Bug,
                format!("write {} as YAML: {error}", self.path.display()),
            )
        })?;
        let content = format!("{MARK}{transaction}\n{text}");
        durable::replace(
            &self.path,
            content.as_bytes(),
            Some(&previous_of(&self.path)),
        )?;
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
    let state = yaml::parse(&text).map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("{} is damaged: {error}", path.display()),
        )
    })?;
    let mark = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix(MARK)?.trim().parse().ok());
    Ok(Some((state, mark)))
}

/// Reads a state that was written by a [`Layer`].
pub(crate) fn read(path: &Path) -> Result<Option<NetworkState>, NipartError> {
    Ok(read_state(path)?.map(|(state, _)| state))
}
