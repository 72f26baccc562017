// SPDX-License-Identifier: Apache-2.0

//! Committed changes: what was asked for by whom, how to undo it, and the whole saved state after it.
//!
//! Of entry 7 there are `7.json`, written before the commit, and `7.yml`, a second name of the saved state that the
//! commit wrote: it costs no copy. An entry without its second file was never committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nipart_plugin_sdk::codec;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::journal::{Journal, Origin};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::{HistoryDetail, HistoryEntry, HistoryReport, HistoryRequest};
use nipart_schemas::revert::{followed_by, revert_of};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::durable;
use crate::layer;

/// Entries that are kept.
const MOST_ENTRIES: usize = 200;
/// Bytes that they may take.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// Operations that an entry lists.
const SHOWN_OPERATIONS: usize = 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Record {
    entry: HistoryEntry,
    desired: NetworkState,
    revert: NetworkState,
}

#[derive(Debug)]
pub(crate) struct History {
    directory: PathBuf,
    /// Numbers of the entries, with the bytes that each takes.
    entries: BTreeMap<u64, u64>,
}

impl History {
    /// Opens the history; what was begun and not committed is removed, unless `committed_by` says that it was.
    pub(crate) fn open(
        directory: PathBuf,
        saved: &Path,
        committed_by: Option<Uuid>,
    ) -> Result<Self, NipartError> {
        durable::create_directory(&directory)?;
        durable::clean(&directory);
        let mut history = Self {
            directory,
            entries: BTreeMap::new(),
        };
        for id in history.numbers()? {
            let trace = || {
                history
                    .read(id)
                    .ok()
                    .and_then(|record| record.entry.trace.parse::<Uuid>().ok())
            };
            if !history.saved_of(id).exists() {
                let finished = if committed_by.is_some() && trace() == committed_by {
                    durable::link_over(saved, &history.saved_of(id)).map(|()| true)
                } else {
                    durable::remove(&history.record_of(id)).map(|()| false)
                };
                // The history is no reason not to start.
                if !finished.unwrap_or_else(|error| {
                    tracing::error!("{error}");
                    false
                }) {
                    continue;
                }
            }
            let bytes = history.bytes_of(id);
            history.entries.insert(id, bytes);
        }
        Ok(history)
    }

    fn numbers(&self) -> Result<Vec<u64>, NipartError> {
        let files = fs::read_dir(&self.directory)
            .map_err(|error| durable::storage("list", &self.directory, &error))?;
        let mut numbers: Vec<u64> = files
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .filter_map(|path| path.file_stem()?.to_str()?.parse().ok())
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn record_of(&self, id: u64) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }

    fn saved_of(&self, id: u64) -> PathBuf {
        self.directory.join(format!("{id}.yml"))
    }

    fn bytes_of(&self, id: u64) -> u64 {
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
        size(self.record_of(id)) + size(self.saved_of(id))
    }

    /// Writes down what is about to be committed. `before` is what was saved; the journal knows better.
    pub(crate) fn begin(
        &self,
        transaction: Uuid,
        journal: Option<&Journal>,
        desired: &NetworkState,
        before: &NetworkState,
    ) -> Result<u64, NipartError> {
        let id = self.entries.keys().next_back().map_or(1, |last| last + 1);
        let Origin { requester, note } = journal
            .and_then(|journal| journal.origin.clone())
            .unwrap_or_default();
        let operations = || {
            journal
                .into_iter()
                .flat_map(|journal| journal.plan.operations())
        };
        let record = Record {
            entry: HistoryEntry {
                id,
                time: SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |now| now.as_secs()),
                requester,
                note,
                trace: transaction.to_string(),
                operations: operations().count(),
                changes: operations()
                    .take(SHOWN_OPERATIONS)
                    .map(ToString::to_string)
                    .collect(),
            },
            desired: desired.clone(),
            revert: revert_of(desired, journal.map_or(before, |journal| &journal.before)),
        };
        let content = serde_json::to_vec(&record).map_err(|error| {
            NipartError::new(ErrorKind::Bug, format!("write history entry {id}: {error}"))
        })?;
        durable::replace(&self.record_of(id), &content, None)?;
        Ok(id)
    }

    /// The commit has happened: `saved` is what it wrote.
    pub(crate) fn finish(&mut self, id: u64, saved: &Path) -> Result<(), NipartError> {
        durable::link_over(saved, &self.saved_of(id))?;
        let bytes = self.bytes_of(id);
        self.entries.insert(id, bytes);
        self.prune()
    }

    /// The commit has failed.
    pub(crate) fn forget(&self, id: u64) -> Result<(), NipartError> {
        durable::remove(&self.record_of(id))
    }

    /// Removes the oldest entries until the rest is within bounds; the newest stays whatever its size.
    fn prune(&mut self) -> Result<(), NipartError> {
        while self.entries.len() > 1
            && (self.entries.len() > MOST_ENTRIES
                || self.entries.values().sum::<u64>() > MOST_BYTES)
        {
            let Some((id, _)) = self.entries.pop_first() else {
                break;
            };
            durable::remove(&self.record_of(id))?;
            durable::remove(&self.saved_of(id))?;
        }
        Ok(())
    }

    fn read(&self, id: u64) -> Result<Record, NipartError> {
        let path = self.record_of(id);
        let missing = || {
            NipartError::new(
                ErrorKind::NotFound,
                format!("there is no history entry {id}"),
            )
        };
        let text = durable::read(&path)?.ok_or_else(missing)?;
        codec::json(&text).map_err(|error| {
            NipartError::new(
                ErrorKind::Storage,
                format!("{} is damaged: {error}", path.display()),
            )
        })
    }

    /// Answers a question about the history.
    pub(crate) fn report(&self, request: &HistoryRequest) -> Result<HistoryReport, NipartError> {
        match request {
            HistoryRequest::List { limit } => {
                let newest = self.entries.keys().rev().take(*limit);
                // One damaged entry doesn't hide the others.
                let readable = newest.filter_map(|id| match self.read(*id) {
                    Ok(record) => Some(record.entry),
                    Err(error) => {
                        tracing::error!("{error}");
                        None
                    }
                });
                Ok(HistoryReport::Entries(readable.collect()))
            }
            HistoryRequest::Show { id } => {
                let Record {
                    entry,
                    desired,
                    revert,
                } = self.read(*id)?;
                let saved = layer::read(&self.saved_of(*id))?;
                Ok(HistoryReport::Detail(Box::new(HistoryDetail {
                    entry,
                    desired,
                    revert,
                    saved,
                })))
            }
            HistoryRequest::RollbackTo { id } => self
                .rollback_to(*id)
                .map(|state| HistoryReport::State(Box::new(state))),
        }
    }

    /// One state that undoes every change after `id`, the newest first.
    fn rollback_to(&self, id: u64) -> Result<NetworkState, NipartError> {
        if !self.entries.contains_key(&id) {
            return Err(NipartError::new(
                ErrorKind::NotFound,
                format!("there is no history entry {id}"),
            ));
        }
        let later: Vec<u64> = self
            .entries
            .range(id + 1..)
            .map(|(later, _)| *later)
            .collect();
        later
            .into_iter()
            .rev()
            .try_fold(NetworkState::default(), |state, later| {
                Ok(followed_by(&state, &self.read(later)?.revert))
            })
    }
}
