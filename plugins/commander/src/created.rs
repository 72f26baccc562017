// SPDX-License-Identifier: Apache-2.0

//! Links that our own changes created: that they appear is no news.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long after its creation a link may be told to have appeared: the monitor may have to be restarted first. What appears
/// later was away meanwhile, in another network namespace or under another name.
const LIFETIME: Duration = Duration::from_secs(60);

/// Why a link has appeared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appearance {
    /// Somebody plugged it in, or created it.
    News,
    /// A change of ours created it.
    Change,
    /// A change was taken back, and it with it.
    Undo,
}

#[derive(Debug, Clone, Copy)]
struct Created {
    index: u32,
    at: Instant,
    appearance: Appearance,
}

/// The last creation of each such link by name. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreatedLinks(Arc<Mutex<BTreeMap<String, Created>>>);

impl CreatedLinks {
    /// Remembers links with their numbers, and forgets those of long ago.
    pub(crate) fn add(&self, created: BTreeMap<String, u32>, appearance: Appearance) {
        let at = Instant::now();
        let mut links = self.links();
        // Whoever was told of them in time may still wait for locks.
        links.retain(|_, link| at.duration_since(link.at) < 2 * LIFETIME);
        links.extend(created.into_iter().map(|(name, index)| {
            let link = Created {
                index,
                at,
                appearance,
            };
            (name, link)
        }));
    }

    /// Why this very link has appeared, of which we were told at `told`: another one of the same name has another number.
    /// One that we were told of before the last creation has gone since.
    pub(crate) fn why(&self, name: &str, index: Option<u32>, told: Instant) -> Appearance {
        let links = self.links();
        let link = links.get(name).filter(|link| {
            let is_this = Some(link.index) == index;
            told < link.at || (is_this && told.duration_since(link.at) < LIFETIME)
        });
        link.map_or(Appearance::News, |link| link.appearance)
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<String, Created>> {
        // Nothing panics while it is held; a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_known_by_its_number_for_some_time() {
        let links = CreatedLinks::default();
        let told_early = Instant::now();
        links.add(BTreeMap::from([("v0".to_string(), 7)]), Appearance::Change);
        let now = Instant::now();
        assert_eq!(links.why("v0", Some(7), now), Appearance::Change);
        assert_eq!(links.why("v0", Some(7), told_early), Appearance::Change);
        assert_eq!(links.why("v0", Some(6), told_early), Appearance::Change);
        for (name, index, told) in [
            ("v0", Some(8), now),
            ("v0", None, now),
            ("v1", Some(7), now),
            ("v0", Some(7), now + LIFETIME),
        ] {
            assert_eq!(
                links.why(name, index, told),
                Appearance::News,
                "{name} {index:?}"
            );
        }
        links.add(BTreeMap::from([("v0".to_string(), 8)]), Appearance::Undo);
        assert_eq!(links.why("v0", Some(8), now), Appearance::Undo);
    }
}
