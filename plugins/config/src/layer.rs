// SPDX-License-Identifier: Apache-2.0

//! One state in one file, with the version before it beside it.

use std::path::{Path, PathBuf};

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;

use crate::durable;

/// A state that is kept in memory and in a file.
#[derive(Debug)]
pub(crate) struct Layer {
    path: PathBuf,
    pub(crate) state: NetworkState,
}

impl Layer {
    /// Reads the newest version that parses. A damaged file is set aside; that is said in the log and is no error.
    pub(crate) fn load(path: PathBuf) -> Result<Self, NipartError> {
        let previous = previous_of(&path);
        let state = match read_state(&path) {
            Ok(Some(state)) => state,
            Ok(None) => NetworkState::default(),
            Err(damage) => {
                let aside = durable::set_aside(&path);
                tracing::error!(
                    "{damage}; it was set aside as {}, and the version before it is used",
                    aside.display()
                );
                match read_state(&previous) {
                    Ok(state) => state.unwrap_or_default(),
                    Err(damage) => {
                        tracing::error!("{damage}: nothing is left of the saved state");
                        NetworkState::default()
                    }
                }
            }
        };
        Ok(Self { path, state })
    }

    /// Lays `upper` over the state, on disk first. Writes nothing when that changes nothing.
    pub(crate) fn lay_over(&mut self, upper: &NetworkState) -> Result<(), NipartError> {
        let state = upper.laid_over(&self.state);
        if state == self.state {
            return Ok(());
        }
        let text = yaml::to_string(&state).map_err(|error| {
            NipartError::new(
                ErrorKind::Bug,
                format!("write {} as YAML: {error}", self.path.display()),
            )
        })?;
        durable::replace(&self.path, text.as_bytes(), Some(&previous_of(&self.path)))?;
        self.state = state;
        Ok(())
    }
}

fn previous_of(path: &Path) -> PathBuf {
    path.with_extension("previous.yml")
}

fn read_state(path: &Path) -> Result<Option<NetworkState>, NipartError> {
    let Some(text) = durable::read(path)? else {
        return Ok(None);
    };
    yaml::parse(&text).map(Some).map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("{} is damaged: {error}", path.display()),
        )
    })
}
