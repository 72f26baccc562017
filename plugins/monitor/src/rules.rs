// SPDX-License-Identifier: Apache-2.0

//! The rules: pure, without clock or socket.
//!
//! A name that a rule mentions is *watched*. What is known of it, its [`Status`], is compared with what was told
//! last, and the conditions that have become true since are told to those whose rules are interested in them.
//!
//! **Flapping.** A status is told at once, unless the same status was told of the same name within [`QUIET`]: then
//! it is looked again when that time is over, and what came and went meanwhile is never told. So a link that comes up
//! is served without delay, also when it was created just before, while one that flaps costs at most one telling of
//! each status in each interval.
//!
//! **Renaming and creating anew.** A link is known by its number: a number that appears under another name means
//! that the old name is absent and the new one present; a name that appears with another number is another link,
//! which is told as absent and present again even if nothing in between was seen.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use nipart_schemas::event::Role;
use nipart_schemas::monitor::{LinkChange, LinkCondition, MonitorRule};

/// Time within which the same status of the same name isn't told twice.
pub(crate) const QUIET: Duration = Duration::from_millis(50);

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// To whom.
    pub followup: Role,
    /// What.
    pub change: LinkChange,
}

/// How a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Absent,
    /// The link with this number exists and is not up.
    Down(u32),
    /// The link with this number is up and has carrier.
    Up(u32),
}

impl Status {
    fn conditions(self) -> &'static [LinkCondition] {
        match self {
            Self::Absent => &[LinkCondition::Absent],
            Self::Down(_) => &[LinkCondition::Present, LinkCondition::Down],
            Self::Up(_) => &[LinkCondition::Present, LinkCondition::Up],
        }
    }

    fn index(self) -> Option<u32> {
        match self {
            Self::Absent => None,
            Self::Down(index) | Self::Up(index) => Some(index),
        }
    }

    fn slot(self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Down(_) => 1,
            Self::Up(_) => 2,
        }
    }

    /// The conditions that are told when this follows `before`.
    fn news_since(self, before: Option<Self>) -> Vec<LinkCondition> {
        let mut news = Vec::new();
        let mut known: &[LinkCondition] = before.map_or(&[], Self::conditions);
        if let (Some(now), Some(then)) = (self.index(), before.and_then(Self::index))
            && now != then
        {
            news.push(LinkCondition::Absent);
            known = &[];
        }
        let conditions = self.conditions().iter();
        news.extend(conditions.filter(|condition| !known.contains(condition)));
        news
    }
}

/// What one rule says of its name.
#[derive(Debug)]
struct Interest {
    followup: Role,
    conditions: Vec<LinkCondition>,
    /// What the follower knows already, until something was told.
    known: Option<LinkCondition>,
}

impl Interest {
    fn knows(&self, condition: LinkCondition) -> bool {
        self.known == Some(condition)
            // What is up or down is present.
            || (condition == LinkCondition::Present
                && matches!(self.known, Some(LinkCondition::Up | LinkCondition::Down)))
    }
}

/// A name that rules mention.
#[derive(Debug, Default)]
struct Watched {
    rules: Vec<Interest>,
    /// None until it was looked up.
    now: Option<Status>,
    told: Option<Status>,
    /// When each status was told last.
    told_at: [Option<Instant>; 3],
    /// When it is to be looked at again.
    due: Option<Instant>,
    /// The rules before these hadn't been told yet that the link may be another one than the follower knows.
    is_news_pending: bool,
}

/// All rules, and what is known of the links that they name.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    watched: HashMap<String, Watched>,
    /// Names of the watched links that exist, by number.
    present: HashMap<u32, String>,
    due: BTreeSet<(Instant, String)>,
}

impl Rules {
    /// These rules and no others. Returns what is to be told at once about names that are known already, and the
    /// names that have to be looked up.
    pub(crate) fn replace(
        &mut self,
        rules: Vec<MonitorRule>,
        now: Instant,
    ) -> (Vec<Telling>, Vec<String>) {
        let mut before = std::mem::take(&mut self.watched);
        self.due.clear();
        for rule in rules {
            let name = rule.interface;
            let watched = self.watched.entry(name.clone()).or_default();
            if let Some(before) = before.remove(&name) {
                watched.now = before.now;
                watched.is_news_pending = before.due.is_some();
            }
            watched.rules.push(Interest {
                followup: rule.followup,
                conditions: rule.interested,
                known: rule.known.filter(|_| !watched.is_news_pending),
            });
        }
        self.present
            .retain(|_, name| self.watched.contains_key(name));
        let mut tellings = Vec::new();
        let mut unknown = Vec::new();
        let mut names: Vec<String> = self.watched.keys().cloned().collect();
        names.sort_unstable();
        for name in names {
            match self.watched.get(&name).and_then(|watched| watched.now) {
                Some(status) => self.settle(&name, status, now, &mut tellings),
                None => unknown.push(name),
            }
        }
        (tellings, unknown)
    }

    /// Whether there is nothing to watch.
    pub(crate) fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// All watched names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.watched.keys().map(String::as_str)
    }

    /// Whether news of this link could change anything.
    pub(crate) fn cares_about(&self, index: u32, name: &str) -> bool {
        self.watched.contains_key(name) || self.present.contains_key(&index)
    }

    /// The name of a watched link of which somebody wants to know every change.
    pub(crate) fn wants_changes(&self, index: u32) -> Option<&str> {
        let name = self.present.get(&index)?;
        let wanted = |interest: &Interest| interest.conditions.contains(&LinkCondition::Changed);
        self.watched
            .get(name)?
            .rules
            .iter()
            .any(wanted)
            .then_some(name)
    }

    /// Whether any rule is interested in this condition.
    pub(crate) fn any_wants(&self, condition: LinkCondition) -> bool {
        let mut rules = self.watched.values().flat_map(|watched| &watched.rules);
        rules.any(|interest| interest.conditions.contains(&condition))
    }

    /// Who wants to know of changes of this link.
    pub(crate) fn followers_of(&self, name: &str) -> impl Iterator<Item = &Role> {
        let rules = self
            .watched
            .get(name)
            .into_iter()
            .flat_map(|watched| &watched.rules);
        rules
            .filter(|interest| interest.conditions.contains(&LinkCondition::Changed))
            .map(|interest| &interest.followup)
    }

    /// A link exists: it appeared, changed, or was renamed.
    pub(crate) fn link(
        &mut self,
        index: u32,
        name: &str,
        is_up: bool,
        now: Instant,
    ) -> Vec<Telling> {
        let mut tellings = Vec::new();
        if self.present.get(&index).is_some_and(|known| known != name) {
            tellings = self.gone(index, now);
        }
        let status = match is_up {
            true => Status::Up(index),
            false => Status::Down(index),
        };
        if let Some(watched) = self.watched.get(name) {
            if let Some(before) = watched.now.and_then(Status::index) {
                self.present.remove(&before);
            }
            self.present.insert(index, name.to_string());
            self.settle(name, status, now, &mut tellings);
        }
        tellings
    }

    /// A link has gone.
    pub(crate) fn gone(&mut self, index: u32, now: Instant) -> Vec<Telling> {
        let mut tellings = Vec::new();
        if let Some(name) = self.present.remove(&index) {
            self.settle(&name, Status::Absent, now, &mut tellings);
        }
        tellings
    }

    /// There is no link of this name.
    pub(crate) fn absent(&mut self, name: &str, now: Instant) -> Vec<Telling> {
        let mut tellings = Vec::new();
        if let Some(watched) = self.watched.get(name) {
            if let Some(before) = watched.now.and_then(Status::index) {
                self.present.remove(&before);
            }
            self.settle(name, Status::Absent, now, &mut tellings);
        }
        tellings
    }

    /// When [`Self::look_again`] is to be called; none while nothing waits.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// What is to be told of names that have been held back for long enough.
    pub(crate) fn look_again(&mut self, now: Instant) -> Vec<Telling> {
        let mut tellings = Vec::new();
        while self.next_due().is_some_and(|due| due <= now)
            && let Some((_, name)) = self.due.pop_first()
        {
            let Some(watched) = self.watched.get_mut(&name) else {
                continue;
            };
            watched.due = None;
            if let Some(status) = watched.now {
                self.settle(&name, status, now, &mut tellings);
            }
        }
        tellings
    }

    /// Takes note of the status, and tells it or puts it off.
    fn settle(&mut self, name: &str, status: Status, now: Instant, tellings: &mut Vec<Telling>) {
        let Some(watched) = self.watched.get_mut(name) else {
            return;
        };
        watched.now = Some(status);
        if watched.told == Some(status) {
            // Back where it was before anybody was told: nothing has happened.
            if let Some(due) = watched.due.take() {
                self.due.remove(&(due, name.to_string()));
            }
            return;
        }
        if watched.due.is_some() {
            return;
        }
        let told_at = &mut watched.told_at[status.slot()];
        if let Some(due) = told_at.map(|told| told + QUIET).filter(|due| *due > now) {
            watched.due = Some(due);
            self.due.insert((due, name.to_string()));
            return;
        }
        *told_at = Some(now);
        let news = status.news_since(watched.told.replace(status));
        for condition in news {
            for interest in &watched.rules {
                if interest.conditions.contains(&condition) && !interest.knows(condition) {
                    tellings.push(Telling {
                        followup: interest.followup.clone(),
                        change: LinkChange {
                            interface: name.to_string(),
                            condition,
                            index: match condition {
                                LinkCondition::Absent => None,
                                _ => status.index(),
                            },
                        },
                    });
                }
            }
        }
        for interest in &mut watched.rules {
            interest.known = None;
        }
    }
}
