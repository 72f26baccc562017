// SPDX-License-Identifier: Apache-2.0

//! Journals of open transactions: one file each, there from before the first change until the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use nipart_plugin_sdk::codec;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::{Commit, Journal};
use uuid::Uuid;

use crate::{checksum, durable};

#[derive(Debug)]
pub(crate) struct Journals {
    directory: PathBuf,
    /// Those that are on disk, oldest first: their ids are ordered by time (UUID version 7).
    open: BTreeMap<Uuid, Journal>,
    /// Those of committed changes whose files could not be removed.
    left: BTreeSet<Uuid>,
}

impl Journals {
    pub(crate) fn open(directory: PathBuf) -> Result<Self, NipartError> {
        durable::create_directory(&directory)?;
        durable::clean(&directory);
        let entries = fs::read_dir(&directory)
            .map_err(|error| durable::storage("list", &directory, &error))?;
        let open = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .filter_map(|path| read_journal(&path))
            .map(|journal| (journal.id, journal))
            .collect();
        Ok(Self {
            directory,
            open,
            left: BTreeSet::new(),
        })
    }

    fn path_of(&self, id: Uuid) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }

    /// Returns once the journal is on disk.
    pub(crate) fn write(&mut self, journal: Journal) -> Result<(), NipartError> {
        let content = serde_json::to_string(&journal).map_err(|error| {
            NipartError::new(
                ErrorKind::Bug,
                format!("write journal {}: {error}", journal.id),
            )
        })?;
        let content = checksum::with_line(&content);
        durable::replace(&self.path_of(journal.id), content.as_bytes(), None)?;
        self.open.insert(journal.id, journal);
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Result<(), NipartError> {
        durable::remove(&self.path_of(id))?;
        self.open.remove(&id);
        Ok(())
    }

    /// The transaction is committed: whatever becomes of its journal's file, it is not to be undone. Returns whether
    /// there was one.
    pub(crate) fn settle(&mut self, id: Uuid) -> bool {
        let was_open = self.open.remove(&id).is_some();
        if let Err(error) = durable::remove(&self.path_of(id)) {
            tracing::error!("{error}");
            self.left.insert(id);
        }
        was_open
    }

    /// Removes what [`Self::settle`] could not. Only the last commit is known to have happened: a journal of an earlier
    /// one would be undone at the next start.
    ///
    /// # Errors
    /// When a file still can't be removed, other than that of `current`: then nothing else may be committed.
    pub(crate) fn clear(&mut self, current: Uuid) -> Result<(), NipartError> {
        for id in self.left.clone() {
            match durable::remove(&self.path_of(id)) {
                Err(error) if id != current => return Err(error),
                Err(_) => {}
                Ok(()) => {
                    self.left.remove(&id);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Journal> {
        self.open.get(&id)
    }

    /// All that are open, oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Journal> {
        self.open.values()
    }

    /// Whether this one is done and waits to be confirmed.
    pub(crate) fn is_unconfirmed(&self, id: Uuid) -> bool {
        self.get(id)
            .is_some_and(|journal| journal.checkpoint.is_some())
    }

    /// What those that wait to be confirmed have changed.
    pub(crate) fn unconfirmed(&self) -> impl Iterator<Item = &Commit> {
        self.all()
            .filter_map(|journal| journal.checkpoint.as_ref())
            .map(|checkpoint| &checkpoint.commit)
    }
}

/// A damaged journal was most likely being written when the machine died: nothing was changed before it was synced, so
/// there is nothing to undo. An undo to what it says could do anything.
fn read_journal(path: &Path) -> Option<Journal> {
    let parsed = match durable::read(path) {
        Ok(Some(text)) => parse(path, &text),
        Ok(None) => return None,
        Err(error) => Err(error.to_string()),
    };
    match parsed {
        Ok(journal) => Some(journal),
        Err(error) => {
            let aside = durable::set_aside(path);
            tracing::error!(
                "journal {} is damaged ({error}): set aside as {}; a change that it was written for is not taken back",
                path.display(),
                aside.display()
            );
            None
        }
    }
}

/// One with another id than its file is named after could never be closed: its file would stay.
fn parse(path: &Path, text: &str) -> Result<Journal, String> {
    let content = checksum::content_of(text)?;
    let journal: Journal = codec::json(content).map_err(|error| error.to_string())?;
    let id = journal.id.to_string();
    match path.file_stem() {
        Some(name) if name == id.as_str() => Ok(journal),
        _ => Err(format!("it is of transaction {id}")),
    }
}
