// SPDX-License-Identifier: Apache-2.0

//! Power is lost after every step of a transaction, and whatever was not synced by then is there or not: the store
//! opens, with the old state and the journal that undoes the change, or with the new one and without.

mod disk;

use std::path::Path;

use nipart_schemas::interface::Interface;
use nipart_schemas::journal::{Checkpoint, Commit, Journal, JournalClosing, SavedScope};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::Plan;
use nipart_schemas::request::{HistoryReport, HistoryRequest};
use tempfile::TempDir;
use uuid::Uuid;

use self::disk::Disk;
use crate::durable::step;
use crate::store::Store;

/// In memory where that is possible: hundreds of starts would wait for the disk.
fn temporary() -> TempDir {
    TempDir::new_in("/dev/shm").unwrap_or_else(|_| TempDir::new().unwrap())
}

fn state(mtu: u32) -> NetworkState {
    NetworkState {
        interfaces: vec![Interface {
            mtu: Some(mtu),
            ..Interface::named("eth0")
        }],
        ..NetworkState::default()
    }
}

fn commit(mtu: u32) -> Commit {
    Commit {
        state: state(mtu),
        volatile: false,
    }
}

fn journal(id: u128, checkpoint: Option<Checkpoint>) -> Journal {
    Journal {
        id: Uuid::from_u128(id),
        before: state(1500),
        begun: None,
        plan: Plan::default(),
        origin: None,
        checkpoint,
    }
}

fn open(directory: &Path) -> Store {
    // What lasts until the next boot doesn't outlive a loss of power.
    let run = temporary();
    Store::open(directory, run.path(), &directory.join("states")).unwrap()
}

/// What a crash may leave, by how far it had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    /// The journal is being written: nothing was changed yet.
    Opening,
    /// The journal is on disk, and the kernel is being changed.
    Open,
    /// It is being committed.
    Committing,
    /// It was undone, and the journal is being removed.
    Abandoning,
    /// The store has said that it is committed.
    Committed,
    /// The store has said that it is over.
    Abandoned,
}

/// A store, and from which step on it was in which phase.
struct Recording {
    store: Store,
    phases: Vec<(usize, Phase)>,
    steps: Vec<step::Step>,
}

impl Recording {
    fn enter(&mut self, phase: Phase) {
        self.steps.extend(step::take());
        self.phases.push((self.steps.len(), phase));
    }

    fn open_journal(&mut self, journal: Journal, phase: Phase) {
        self.enter(phase);
        self.store.open_journal(journal).unwrap();
        self.enter(Phase::Open);
    }

    fn close_journal(&mut self, id: u128, commit: Option<Commit>) {
        let (during, after) = match commit {
            Some(_) => (Phase::Committing, Phase::Committed),
            None => (Phase::Abandoning, Phase::Abandoned),
        };
        self.enter(during);
        let id = Uuid::from_u128(id);
        self.store
            .close_journal(&JournalClosing { id, commit })
            .unwrap();
        self.enter(after);
    }

    fn phase_after(&self, steps: usize) -> Phase {
        let begun = self.phases.iter().rev().find(|(first, _)| *first <= steps);
        begun.unwrap().1
    }
}

/// Prepares a store, records what `transaction` does to it, and loses power after each step. Returns the number of
/// different outcomes that were looked at.
fn lose_power(prepared: &[(u128, u32)], transaction: impl FnOnce(&mut Recording)) -> usize {
    let directory = temporary();
    let mut store = open(directory.path());
    for (id, mtu) in prepared {
        store.open_journal(journal(*id, None)).unwrap();
        let id = Uuid::from_u128(*id);
        let commit = Some(commit(*mtu));
        store.close_journal(&JournalClosing { id, commit }).unwrap();
    }
    let old = saved(&store);
    let disk = Disk::read(directory.path());
    step::take();
    let mut recording = Recording {
        store,
        phases: Vec::new(),
        steps: Vec::new(),
    };
    transaction(&mut recording);
    let new = saved(&recording.store);
    let mut outcomes = 0;
    for count in 0..=recording.steps.len() {
        let phase = recording.phase_after(count);
        for image in disk.after(&recording.steps[..count]) {
            let left = temporary();
            image.write(left.path());
            check(
                left.path(),
                phase,
                &old,
                &new,
                prepared.len(),
                &format!("after {count} of {:#?}: {image:#?}", recording.steps),
            );
            outcomes += 1;
        }
    }
    outcomes
}

fn saved(store: &Store) -> NetworkState {
    let scope = SavedScope {
        interfaces: None,
        persistent_only: true,
    };
    store.load(&scope).unwrap().state
}

fn check(
    directory: &Path,
    phase: Phase,
    old: &NetworkState,
    new: &NetworkState,
    entries: usize,
    case: &str,
) {
    let mut known = None;
    // A second start finds what the first one has made of it.
    for start in 1..=2 {
        let store = open(directory);
        let state = saved(&store);
        let unfinished = store.load(&SavedScope::default()).unwrap().unfinished;
        let is_new = state == *new && new != old;
        assert!(is_new || state == *old, "{state:?} at start {start} {case}");
        match phase {
            Phase::Opening => assert!(!is_new, "{case}"),
            Phase::Open => assert!(!is_new && unfinished.len() == 1, "{case}"),
            Phase::Committing => assert_eq!(unfinished.len(), usize::from(!is_new), "{case}"),
            Phase::Abandoning => assert!(!is_new, "{case}"),
            Phase::Committed => assert!((is_new || new == old) && unfinished.is_empty(), "{case}"),
            Phase::Abandoned => assert!(!is_new && unfinished.is_empty(), "{case}"),
        }
        let HistoryReport::Entries(listed) =
            store.history(&HistoryRequest::List { limit: 100 }).unwrap()
        else {
            panic!("a list was asked for");
        };
        assert_eq!(
            listed.len(),
            entries + usize::from(is_new),
            "history {case}"
        );
        let found = (state, unfinished);
        assert!(
            known.is_none_or(|known| known == found),
            "start {start} {case}"
        );
        known = Some(found);
    }
}

#[test]
fn commits() {
    for prepared in [&[][..], &[(1, 1500)], &[(1, 1400), (2, 1500)]] {
        let outcomes = lose_power(prepared, |recording| {
            recording.open_journal(journal(7, None), Phase::Opening);
            recording.close_journal(7, Some(commit(9000)));
        });
        println!(
            "commit after {} others: {outcomes} outcomes, 0 failures",
            prepared.len()
        );
    }
}

#[test]
fn changes_that_are_taken_back() {
    let outcomes = lose_power(&[(1, 1500)], |recording| {
        recording.open_journal(journal(7, None), Phase::Opening);
        recording.close_journal(7, None);
    });
    println!("taken back: {outcomes} outcomes, 0 failures");
}

#[test]
fn changes_that_are_confirmed() {
    let checkpoint = Checkpoint {
        boot_id: "this".to_string(),
        deadline_ms: 1000,
        commit: commit(9000),
    };
    for confirmed in [Some(commit(9000)), None] {
        let outcomes = lose_power(&[(1, 1500)], |recording| {
            recording.open_journal(journal(7, None), Phase::Opening);
            recording.open_journal(journal(7, Some(checkpoint.clone())), Phase::Open);
            recording.close_journal(7, confirmed.clone());
        });
        println!(
            "confirmed: {}: {outcomes} outcomes, 0 failures",
            confirmed.is_some()
        );
    }
}
