// SPDX-License-Identifier: Apache-2.0

//! Links that were created anew because a change was taken back: that they appear is no news.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The last number of each such link by name: no more of them than changes were taken back. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct BroughtBack(Arc<Mutex<BTreeMap<String, u32>>>);

impl BroughtBack {
    /// Remembers them.
    pub(crate) fn add(&self, links: BTreeMap<String, u32>) {
        self.links().extend(links);
    }

    /// Whether this very link was brought back: another one of the same name has another number.
    pub(crate) fn contains(&self, name: &str, index: Option<u32>) -> bool {
        let links = self.links();
        index.is_some() && links.get(name).copied() == index
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        // Nothing panics while it is held; a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
