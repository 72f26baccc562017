// SPDX-License-Identifier: Apache-2.0

//! Links of which something may have changed: collected for a while, told once. Pure.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// From the first change to the telling: a change of one's own is over by then, and many are told at once.
pub(crate) const WINDOW: Duration = Duration::from_millis(500);

/// What has been collected.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    names: BTreeSet<String>,
    due: Option<Instant>,
}

impl Changes {
    /// Takes note of a change. Returns whether it is the first of a window, so that somebody has to watch the clock.
    pub(crate) fn mark(&mut self, name: &str, now: Instant) -> bool {
        if !self.names.contains(name) {
            self.names.insert(name.to_string());
        }
        let is_first = self.due.is_none();
        self.due.get_or_insert(now + WINDOW);
        is_first
    }

    /// When [`Self::take`] has something.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What was collected, when its time has come.
    pub(crate) fn take(&mut self, now: Instant) -> Vec<String> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.due = None;
        std::mem::take(&mut self.names).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_changes_are_told_once_and_none_is_lost() {
        let start = Instant::now();
        let mut changes = Changes::default();
        assert_eq!(changes.due(), None);
        assert!(changes.mark("b", start));
        assert!(!changes.mark("a", start + WINDOW / 2));
        assert!(!changes.mark("b", start + WINDOW / 2));
        assert_eq!(changes.take(start + WINDOW / 2), Vec::<String>::new());
        assert_eq!(changes.take(start + WINDOW), ["a", "b"]);
        assert_eq!(changes.due(), None);
        assert!(changes.mark("a", start + WINDOW * 2), "a new window");
    }
}
