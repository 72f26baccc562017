// SPDX-License-Identifier: Apache-2.0

//! Looks at links that have changed, one at a time: what has changed meanwhile is looked at together, and the more there is
//! to look at, the longer the rest, of up to some seconds.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Duration, Instant, sleep};

/// Rest after a look, in times of what the look took.
const REST: u32 = 4;
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The links that wait to be looked at. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Looks {
    waiting: Arc<std::sync::Mutex<BTreeSet<String>>>,
    turn: Arc<Mutex<()>>,
}

/// The right to look. Its end is the next one's beginning.
#[derive(Debug)]
pub(crate) struct Turn {
    begun: Instant,
    _turn: OwnedMutexGuard<()>,
}

impl Looks {
    /// Waits for a turn to look at these links, and gives all that wait by then. None when somebody waits already, who will
    /// take them along, so that no more than one ever does; and when there is nothing to look at.
    pub(crate) async fn turn(&self, names: Vec<String>) -> Option<(Turn, Vec<String>)> {
        let is_first = self.with_waiting(|waiting| {
            let was_empty = waiting.is_empty();
            waiting.extend(names);
            was_empty && !waiting.is_empty()
        });
        if !is_first {
            return None;
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let names = self.with_waiting(std::mem::take);
        let turn = Turn {
            begun: Instant::now(),
            _turn: turn,
        };
        Some((turn, names.into_iter().collect()))
    }

    fn with_waiting<T>(&self, work: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        // Nothing panics while it is held; a poisoned set is whole.
        work(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Turn {
    /// Ends the turn after a rest.
    pub(crate) async fn rest(self) {
        sleep((self.begun.elapsed() * REST).min(LONGEST_REST)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_meanwhile_is_looked_at_together() {
        let looks = Looks::default();
        let (turn, first) = looks.turn(names(&["v1"])).await.expect("a turn");
        assert_eq!(first, names(&["v1"]));
        let later = |name: &str| {
            let (looks, name) = (looks.clone(), name.to_string());
            tokio::spawn(async move { looks.turn(vec![name]).await.map(|(_, names)| names) })
        };
        let (second, third) = (later("v2"), later("v3"));
        sleep(Duration::from_millis(100)).await;
        assert!(!second.is_finished() && third.is_finished());
        assert!(looks.turn(Vec::new()).await.is_none());
        let rested = Instant::now();
        turn.rest().await;
        assert_eq!(rested.elapsed(), Duration::from_millis(400));
        let taken = [second.await.unwrap(), third.await.unwrap()];
        assert_eq!(taken, [Some(names(&["v2", "v3"])), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_rests_for_long() {
        let looks = Looks::default();
        let (turn, _) = looks.turn(names(&["v1"])).await.expect("a turn");
        sleep(Duration::from_secs(60)).await;
        let rested = Instant::now();
        turn.rest().await;
        assert_eq!(rested.elapsed(), LONGEST_REST);
    }
}
