// SPDX-License-Identifier: Apache-2.0

//! Journals of open transactions: one file each, there from before the first change until the end.

use std::fs;
use std::path::{Path, PathBuf};

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::Journal;
use uuid::Uuid;

use crate::durable;

#[derive(Debug)]
pub(crate) struct Journals {
    directory: PathBuf,
}

impl Journals {
    pub(crate) fn open(directory: PathBuf) -> Result<Self, NipartError> {
        durable::create_directory(&directory)?;
        Ok(Self { directory })
    }

    fn path_of(&self, id: Uuid) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }

    /// Returns once the journal is on disk.
    pub(crate) fn write(&self, journal: &Journal) -> Result<(), NipartError> {
        let content = serde_json::to_vec(journal).map_err(|error| {
            NipartError::new(
                ErrorKind::Bug,
                format!("write journal {}: {error}", journal.id),
            )
        })?;
        durable::replace(&self.path_of(journal.id), &content, None)
    }

    pub(crate) fn remove(&self, id: Uuid) -> Result<(), NipartError> {
        durable::remove(&self.path_of(id))
    }

    /// Transactions that never ended, oldest first: their ids are ordered by time (UUID version 7).
    pub(crate) fn unfinished(&self) -> Result<Vec<Journal>, NipartError> {
        let entries = fs::read_dir(&self.directory)
            .map_err(|error| durable::storage("list", &self.directory, &error))?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .collect();
        paths.sort();
        Ok(paths.iter().filter_map(|path| read_journal(path)).collect())
    }
}

/// A journal that doesn't parse was being written when the machine died: nothing was changed before it was synced,
/// so there is nothing to undo.
fn read_journal(path: &Path) -> Option<Journal> {
    let parsed = match durable::read(path) {
        Ok(Some(text)) => serde_json::from_str(&text).map_err(|error| error.to_string()),
        Ok(None) => return None,
        Err(error) => Err(error.to_string()),
    };
    match parsed {
        Ok(journal) => Some(journal),
        Err(error) => {
            let aside = durable::set_aside(path);
            tracing::error!(
                "journal {} is damaged ({error}): set aside as {}",
                path.display(),
                aside.display()
            );
            None
        }
    }
}
