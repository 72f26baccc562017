// SPDX-License-Identifier: Apache-2.0

//! Who holds what and who waits: pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What one change locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockSet {
    /// Everything.
    All,
    /// These objects.
    Names(BTreeSet<String>),
}

impl LockSet {
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Names(own), Self::Names(others)) => own.is_superset(others),
            (Self::Names(_), Self::All) => false,
        }
    }

    /// Both together.
    pub(crate) fn with(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Names(own), Self::Names(others)) => Self::Names(own | others),
            _ => Self::All,
        }
    }

    fn conflicts_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Names(own), Self::Names(others)) => !own.is_disjoint(others),
            _ => true,
        }
    }
}

impl fmt::Display for LockSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("the network"),
            Self::Names(names) => {
                let shown: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
                let more = if names.len() > shown.len() {
                    ", …"
                } else {
                    ""
                };
                write!(formatter, "one of {}{more}", shown.join(", "))
            }
        }
    }
}

/// A request's number; lower ones came first.
pub(super) type Ticket = u64;

#[derive(Debug, Default)]
pub(super) struct LockTable {
    next: Ticket,
    requests: BTreeMap<Ticket, Request>,
}

#[derive(Debug)]
struct Request {
    set: LockSet,
    holder: String,
    granted: bool,
}

impl LockTable {
    pub(super) fn request(&mut self, set: LockSet, holder: &str) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        self.requests.insert(
            ticket,
            Request {
                set,
                holder: holder.to_string(),
                granted: false,
            },
        );
        self.grant();
        ticket
    }

    /// Grants the set at once, although others hold or await it.
    pub(super) fn hold(&mut self, set: LockSet, holder: &str) -> Ticket {
        let ticket = self.request(set, holder);
        if let Some(request) = self.requests.get_mut(&ticket) {
            request.granted = true;
        }
        ticket
    }

    pub(super) fn release(&mut self, ticket: Ticket) {
        if self.requests.remove(&ticket).is_some() {
            self.grant();
        }
    }

    pub(super) fn is_granted(&self, ticket: Ticket) -> bool {
        self.requests
            .get(&ticket)
            .is_some_and(|request| request.granted)
    }

    /// Who keeps the request from being granted: whoever conflicts with it and came before it, or holds already.
    pub(super) fn in_the_way_of(&self, ticket: Ticket) -> Option<&str> {
        let request = self.requests.get(&ticket)?;
        let mut others = self.requests.iter();
        others
            .find(|(other, held)| {
                **other != ticket
                    && (**other < ticket || held.granted)
                    && held.set.conflicts_with(&request.set)
            })
            .map(|(_, other)| other.holder.as_str())
    }

    pub(super) fn is_known(&self, ticket: Ticket) -> bool {
        self.requests.contains_key(&ticket)
    }

    /// Grants each request that nobody is in the way of.
    fn grant(&mut self) {
        let tickets: Vec<Ticket> = self.requests.keys().copied().collect();
        for ticket in tickets {
            let is_free = self.in_the_way_of(ticket).is_none();
            if let Some(request) = self.requests.get_mut(&ticket) {
                request.granted |= is_free;
            }
        }
    }
}
