// SPDX-License-Identifier: Apache-2.0

//! The end of a transaction that didn't succeed.

use nipart_schemas::error::NipartError;
use nipart_schemas::journal::{Journal, JournalClosing};

use super::{close, undo};
use crate::peers::Peers;

/// Removes a journal of which it is unknown whether it was written, before anything was changed: left behind, it
/// would be undone at the next start, long after others have changed the same.
pub(super) async fn forget(
    peers: &impl Peers,
    journal: &Journal,
    error: NipartError,
) -> NipartError {
    let closing = JournalClosing {
        id: journal.id,
        commit: None,
    };
    match close(peers, closing).await {
        Ok(()) => error.note("nothing was changed"),
        Err(problem) => {
            tracing::error!(chain = %journal.id, "a journal of nothing is left: {problem}");
            error
                .note(format!(
                    "nothing was changed, but the journal can't be removed: {problem}"
                ))
                .note(peers.left_open(journal, &problem))
        }
    }
}

/// Undoes what was begun, and says in the error how that went.
pub(super) async fn take_back(
    peers: &impl Peers,
    journal: &Journal,
    error: NipartError,
) -> NipartError {
    match undo(&peers.detached(), journal).await {
        Ok(()) => error.note("everything was taken back: the network is as it was"),
        Err(undo_error) => {
            tracing::error!(chain = %journal.id, "undo failed: {undo_error}");
            error
                .note(format!("taking it back failed: {undo_error}"))
                .note(peers.left_open(journal, &undo_error))
        }
    }
}
