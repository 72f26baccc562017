// SPDX-License-Identifier: Apache-2.0

//! Journals: there from before the first change until the end, and never longer.

use std::fs;

use nipart_schemas::error::ErrorKind;
use nipart_schemas::journal::{Commit, Journal, JournalClosing, SavedScope};
use nipart_schemas::operation::Plan;
use uuid::Uuid;

use super::{Place, assert_remembers, close, empty_journal, state};

#[test]
fn an_open_journal_is_there_after_a_restart_and_gone_once_closed() {
    let place = Place::new();
    let mut store = place.open();
    let journal = Journal {
        id: Uuid::from_u128(7),
        before: state("interfaces: [{name: eth0, mtu: 1500}]"),
        begun: None,
        plan: Plan::default(),
        origin: None,
        checkpoint: None,
    };
    store.open_journal(journal.clone()).unwrap();
    drop(store);
    let mut store = place.open();
    let found = store.load(&SavedScope::default()).unwrap().unfinished;
    assert_eq!(found, [journal]);
    let closing = JournalClosing {
        id: Uuid::from_u128(7),
        commit: None,
    };
    store.close_journal(&closing).unwrap();
    drop(store);
    let store = place.open();
    assert!(
        store
            .load(&SavedScope::default())
            .unwrap()
            .unfinished
            .is_empty()
    );
    assert_remembers(&store, "{}");
}

#[test]
fn a_journal_that_cannot_be_removed_keeps_others_from_being_written() {
    let place = Place::new();
    let mut store = place.open();
    let id = Uuid::from_u128(1);
    let file = place.state().join(format!("journal/{id}.json"));
    store.open_journal(empty_journal(id)).unwrap();
    let content = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    // A directory isn't unlinked.
    fs::create_dir(&file).unwrap();
    close(
        &mut store,
        id,
        "interfaces: [{name: eth0, mtu: 1300}]",
        false,
    );
    // Asked again, it says again that it is committed.
    close(
        &mut store,
        id,
        "interfaces: [{name: eth0, mtu: 1300}]",
        false,
    );
    let other = Journal {
        id: Uuid::from_u128(2),
        ..empty_journal(id)
    };
    let refused = store.open_journal(other.clone()).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Storage);
    let commit = Some(Commit {
        state: state("interfaces: [{name: eth0, mtu: 1400}]"),
        volatile: false,
    });
    let closing = JournalClosing {
        id: other.id,
        commit,
    };
    store.close_journal(&closing).unwrap_err();
    fs::remove_dir(&file).unwrap();
    fs::write(&file, content).unwrap();
    store.open_journal(other).unwrap();
    store.close_journal(&closing).unwrap();
    drop(store);
    let found = place.open().load(&SavedScope::default()).unwrap();
    assert_eq!(found.unfinished, []);
    assert_eq!(found.state.interface("eth0").unwrap().mtu, Some(1400));
}
