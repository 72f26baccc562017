// SPDX-License-Identifier: Apache-2.0

//! What the store remembers, where, and for how long. Crashes and damage have tests of their own.

mod cost;
mod journal;
mod removal;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nipart_schemas::error::ErrorKind;
use nipart_schemas::journal::{Commit, Journal, JournalClosing, SavedScope};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::Plan;
use nipart_schemas::yaml;
use tempfile::TempDir;
use uuid::Uuid;

use crate::store::Store;

/// A store in a directory of its own.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.states()).unwrap();
        place
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("lib/nipart")
    }

    fn run(&self) -> PathBuf {
        self.0.path().join("run/nipart")
    }

    fn states(&self) -> PathBuf {
        self.0.path().join("states")
    }

    fn open(&self) -> Store {
        Store::open(&self.state(), &self.run(), &self.states()).unwrap()
    }

    fn administrator_writes(&self, name: &str, text: &str) {
        fs::write(self.states().join(name), text).unwrap();
    }
}

fn state(text: &str) -> NetworkState {
    yaml::parse(text).unwrap()
}

fn empty_journal(id: Uuid) -> Journal {
    Journal {
        id,
        before: NetworkState::default(),
        begun: None,
        plan: Plan::default(),
        origin: None,
        checkpoint: None,
    }
}

fn transact(store: &mut Store, id: u128, text: &str, volatile: bool) {
    let id = Uuid::from_u128(id);
    store.open_journal(empty_journal(id)).unwrap();
    close(store, id, text, volatile);
}

fn close(store: &mut Store, id: Uuid, text: &str, volatile: bool) {
    let commit = Some(Commit {
        state: state(text),
        volatile,
    });
    store.close_journal(&JournalClosing { id, commit }).unwrap();
}

fn load(store: &Store) -> NetworkState {
    store.load(&SavedScope::default()).unwrap().state
}

#[track_caller]
fn assert_remembers(store: &Store, expected: &str) {
    assert_eq!(
        yaml::to_string(&load(store)).unwrap(),
        yaml::to_string(&state(expected)).unwrap()
    );
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let place = Place::new();
    let mut store = place.open();
    transact(
        &mut store,
        1,
        "interfaces: [{name: eth0, mtu: 1400}]",
        false,
    );
    transact(
        &mut store,
        2,
        "interfaces: [{name: br0}, {name: eth0, description: x}]",
        false,
    );
    drop(store);
    let store = place.open();
    assert_remembers(
        &store,
        "interfaces: [{name: eth0, description: x, mtu: 1400}, {name: br0}]",
    );
    let everything = store.load(&SavedScope::default()).unwrap();
    assert!(everything.unfinished.is_empty());
}

#[test]
fn what_lasts_until_the_next_boot_lies_over_what_is_saved() {
    let place = Place::new();
    let mut store = place.open();
    transact(
        &mut store,
        1,
        "interfaces: [{name: eth0, mtu: 1400}, {name: br0}]",
        false,
    );
    transact(
        &mut store,
        2,
        "interfaces: [{name: eth0, mtu: 1300}, {name: br0, state: absent}]",
        true,
    );
    assert_remembers(
        &store,
        "interfaces: [{name: eth0, mtu: 1300}, {name: br0, state: down}]",
    );
    let persistent = SavedScope {
        interfaces: None,
        persistent_only: true,
    };
    let saved = store.load(&persistent).unwrap().state;
    assert_eq!(
        saved,
        state("interfaces: [{name: eth0, mtu: 1400}, {name: br0}]")
    );
    drop(store);
    // A restart of the daemon is no boot.
    assert_eq!(
        load(&place.open()).interface("eth0").unwrap().mtu,
        Some(1300)
    );
    fs::remove_dir_all(place.run()).unwrap();
    assert_remembers(
        &place.open(),
        "interfaces: [{name: eth0, mtu: 1400}, {name: br0}]",
    );
}

#[test]
fn what_is_saved_is_not_hidden_by_what_was_volatile_before() {
    let place = Place::new();
    let mut store = place.open();
    transact(&mut store, 1, "interfaces: [{name: eth0, mtu: 1300}]", true);
    transact(
        &mut store,
        2,
        "interfaces: [{name: eth0, mtu: 1400}]",
        false,
    );
    assert_remembers(&store, "interfaces: [{name: eth0, mtu: 1400}]");
    transact(
        &mut store,
        3,
        "interfaces: [{name: eth0, state: absent}]",
        false,
    );
    assert_remembers(&store, "{}");
}

#[test]
fn a_volatile_route_goes_when_it_is_removed_for_good() {
    let place = Place::new();
    let mut store = place.open();
    let routes = "routes: {config: [{destination: 10.1.0.0/16, next-hop-interface: eth0}, {destination: 10.2.0.0/16, next-hop-interface: eth0}]}";
    transact(&mut store, 1, routes, true);
    transact(
        &mut store,
        2,
        "routes: {config: [{state: absent, destination: 10.1.0.0/16}]}",
        false,
    );
    assert_remembers(
        &store,
        "routes: {config: [{destination: 10.2.0.0/16, next-hop-interface: eth0}]}",
    );
    transact(
        &mut store,
        3,
        "interfaces: [{name: eth0, state: absent}]",
        false,
    );
    assert_remembers(&store, "{}");
}

#[test]
fn a_scope_brings_what_is_related() {
    let place = Place::new();
    let mut store = place.open();
    let text = "interfaces: [{name: br0, bridge: {port: [{name: eth0}]}}, {name: eth0}, {name: eth1}]\nroutes: {config: [{destination: 10.0.0.0/8, next-hop-interface: br0}, {destination: 11.0.0.0/8, next-hop-interface: eth1}]}";
    transact(&mut store, 1, text, false);
    let scope = SavedScope {
        interfaces: Some(vec!["eth0".to_string()]),
        persistent_only: false,
    };
    assert_eq!(
        store.load(&scope).unwrap().state,
        state(
            "interfaces: [{name: br0, bridge: {port: [{name: eth0}]}}, {name: eth0}]\nroutes: {config: [{destination: 10.0.0.0/8, next-hop-interface: br0}]}"
        )
    );
}

#[test]
fn administrators_files_are_below_what_is_saved_later_names_on_top() {
    let place = Place::new();
    place.administrator_writes(
        "10-a.yml",
        "interfaces: [{name: eth0, mtu: 1300, description: a}]",
    );
    place.administrator_writes(
        "20-b.yaml",
        "interfaces: [{name: eth0, mtu: 1350}, {name: br0}]",
    );
    place.administrator_writes("30-notes.txt", "interfaces: [{name: nobody}]");
    let mut store = place.open();
    assert_remembers(
        &store,
        "interfaces: [{name: eth0, description: a, mtu: 1350}, {name: br0}]",
    );
    transact(
        &mut store,
        1,
        "interfaces: [{name: eth0, mtu: 1400}]",
        false,
    );
    assert_remembers(
        &store,
        "interfaces: [{name: eth0, description: a, mtu: 1400}, {name: br0}]",
    );
}

#[test]
fn a_bad_administrators_file_keeps_no_other_out() {
    let place = Place::new();
    place.administrator_writes("10-good.yml", "interfaces: [{name: eth0}]");
    place.administrator_writes("20-syntax.yml", "interfaces: [");
    place.administrator_writes("30-key.yml", "interfaces: [{name: eth1, colour: red}]");
    fs::write(place.states().join("40-bytes.yml"), [0xff, 0xfe, 0x00]).unwrap();
    fs::create_dir(place.states().join("50-directory.yml")).unwrap();
    place.administrator_writes("60-good.yml", "interfaces: [{name: eth2}]");
    assert_remembers(&place.open(), "interfaces: [{name: eth0}, {name: eth2}]");
}

#[test]
fn no_administrators_directory_is_no_error() {
    let place = Place::new();
    fs::remove_dir(place.states()).unwrap();
    assert_remembers(&place.open(), "{}");
}

fn every_path(below: &Path, paths: &mut Vec<PathBuf>) {
    paths.push(below.to_path_buf());
    if below.is_dir() {
        for entry in fs::read_dir(below).unwrap() {
            every_path(&entry.unwrap().path(), paths);
        }
    }
}

#[test]
fn only_the_owner_reads() {
    let place = Place::new();
    let mut store = place.open();
    for id in 1..4 {
        let text = format!("interfaces: [{{name: eth0, mtu: {}}}]", 1400 + id);
        transact(&mut store, id, &text, id == 2);
    }
    store
        .open_journal(Journal {
            id: Uuid::from_u128(9),
            before: NetworkState::default(),
            begun: None,
            plan: Plan::default(),
            origin: None,
            checkpoint: None,
        })
        .unwrap();
    let mut paths = Vec::new();
    every_path(&place.state(), &mut paths);
    every_path(&place.run(), &mut paths);
    assert!(paths.len() > 6, "{paths:?}");
    for path in paths {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, wanted, "{} has {mode:o}", path.display());
    }
}

#[test]
fn nothing_is_written_when_nothing_changes() {
    let place = Place::new();
    let mut store = place.open();
    let text = "interfaces: [{name: eth0, mtu: 1400}]";
    transact(&mut store, 1, text, false);
    let files = || {
        let mut paths = Vec::new();
        every_path(&place.state(), &mut paths);
        every_path(&place.run(), &mut paths);
        let stamp = |path: PathBuf| {
            let data = fs::metadata(&path).unwrap();
            (path, data.ino(), data.mtime(), data.mtime_nsec())
        };
        let mut stamps: Vec<_> = paths.into_iter().map(stamp).collect();
        stamps.sort();
        stamps
    };
    let before = files();
    // As the commander does when there is nothing to execute: no journal.
    close(&mut store, Uuid::from_u128(2), text, false);
    close(
        &mut store,
        Uuid::from_u128(3),
        "interfaces: [{name: eth0}]",
        false,
    );
    assert_eq!(files(), before);
}

#[test]
fn a_second_store_is_refused_until_the_first_is_gone() {
    let place = Place::new();
    let first = place.open();
    let error = Store::open(&place.state(), &place.run(), &place.states()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Busy);
    drop(first);
    place.open();
}
