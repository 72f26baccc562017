// SPDX-License-Identifier: Apache-2.0

//! Work that waits inside system calls, on a thread of its own.

use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};

use super::Outcome;

/// How long one run may take: each step waits for the kernel's network lock.
const LIMIT: Duration = Duration::from_secs(30);

/// Does the work for each in order, up to the first that fails. `doing` is for errors.
pub(super) async fn in_order<T: Send + 'static>(
    doing: &str,
    items: Vec<T>,
    work: fn(&T) -> Result<(), NipartError>,
) -> Vec<Outcome> {
    let total = items.len();
    let broken = |kind, text| {
        let error = NipartError::new(kind, format!("{doing}: {text}"));
        vec![Some(Err(error))]
    };
    let working = tokio::task::spawn_blocking(move || up_to_failure(&items, work));
    let mut outcomes = match tokio::time::timeout(LIMIT, working).await {
        Ok(Ok(outcomes)) => outcomes,
        Ok(Err(_)) => broken(ErrorKind::Bug, "the thread has died"),
        Err(_) => broken(ErrorKind::Timeout, "not done within 30 s"),
    };
    outcomes.resize(total, None);
    outcomes
}

fn up_to_failure<T>(items: &[T], work: fn(&T) -> Result<(), NipartError>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for item in items {
        let outcome = work(item);
        let failed = outcome.is_err();
        outcomes.push(Some(outcome));
        if failed {
            break;
        }
    }
    outcomes
}
