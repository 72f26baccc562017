// SPDX-License-Identifier: Apache-2.0

//! Links that changes of our own created: that they appear is no news. What a change was to make of them, it has made,
//! and what it didn't make was so before it, or was done by somebody since.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Links remembered; of more, the oldest are forgotten. A forgotten link that appears is looked at once more, without
/// harm to it.
const MOST: usize = 8192;

/// The last number of each such link by name. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreatedLinks(Arc<Mutex<BTreeMap<String, u32>>>);

impl CreatedLinks {
    /// Remembers them.
    pub(crate) fn add(&self, created: BTreeMap<String, u32>) {
        let mut links = self.links();
        links.extend(created);
        if links.len() > MOST {
            forget_oldest(&mut links);
        }
    }

    /// Whether this very link was created by us: another one of the same name has another number.
    pub(crate) fn contains(&self, name: &str, index: Option<u32>) -> bool {
        let links = self.links();
        index.is_some() && links.get(name).copied() == index
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        // Nothing panics while it is held; a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets half: the kernel numbers links in the order in which they are created.
fn forget_oldest(links: &mut BTreeMap<String, u32>) {
    let mut numbers: Vec<u32> = links.values().copied().collect();
    let (_, middle, _) = numbers.select_nth_unstable(links.len() / 2);
    let middle = *middle;
    links.retain(|_, number| *number >= middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let links = CreatedLinks::default();
        let most = u32::try_from(MOST).expect("a small number");
        links.add(
            (0..=most)
                .map(|number| (format!("v{number}"), number))
                .collect(),
        );
        assert!(links.contains(&format!("v{most}"), Some(most)));
        assert!(!links.contains(&format!("v{most}"), Some(most + 1)));
        assert!(!links.contains(&format!("v{most}"), None));
        assert!(!links.contains("v0", Some(0)));
        assert!(links.links().len() <= MOST);
    }
}
