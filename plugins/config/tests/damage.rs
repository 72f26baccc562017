// SPDX-License-Identifier: Apache-2.0

//! Files that are cut short, or in which bytes are others than were written: the store opens all the same, with the
//! newest state that is whole, says in the log what it found, and finds the same again at the next start.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test: failing loudly is its way of reporting"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use nipart_config::Store;
use nipart_schemas::interface::Interface;
use nipart_schemas::journal::{Commit, Journal, JournalClosing, SavedScope};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::Plan;
use nipart_schemas::request::HistoryRequest;
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

/// Where bytes are changed in each file.
const FLIPS: usize = 300;

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// In memory where that is possible: thousands of starts would wait for the disk.
fn temporary() -> TempDir {
    TempDir::new_in("/dev/shm").unwrap_or_else(|_| TempDir::new().unwrap())
}

fn state(mtu: u32) -> NetworkState {
    let named = |name: &str| Interface {
        mtu: Some(mtu),
        description: Some(format!("{name} of {mtu}")),
        ..Interface::named(name)
    };
    NetworkState {
        interfaces: vec![named("eth0"), named("eth1")],
        ..NetworkState::default()
    }
}

fn journal(number: u128) -> Journal {
    Journal {
        id: Uuid::from_u128(number),
        before: state(1300),
        begun: None,
        plan: Plan::default(),
        origin: None,
        checkpoint: None,
    }
}

fn open(directory: &Path) -> Store {
    let of = |name: &str| directory.join(name);
    Store::open(&of("state"), &of("run"), &of("states")).expect("a start never fails")
}

/// What a start finds, and what it says.
fn start(directory: &Path) -> (NetworkState, Vec<Journal>, String) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let (state, unfinished) = tracing::subscriber::with_default(subscriber, || {
        let store = open(directory);
        let found = store.load(&SavedScope::default()).unwrap();
        store.history(&HistoryRequest::List { limit: 10 }).unwrap();
        (found.state, found.unfinished)
    });
    (state, unfinished, log.text())
}

/// Three commits and an open journal.
fn prepare(directory: &Path) {
    let mut store = open(directory);
    for (number, mtu) in [(1, 1300), (2, 1400), (3, 1500)] {
        store.open_journal(journal(number)).unwrap();
        let commit = Some(Commit {
            state: state(mtu),
            volatile: false,
        });
        let id = Uuid::from_u128(number);
        store.close_journal(&JournalClosing { id, commit }).unwrap();
    }
    store.open_journal(journal(4)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// The content cut short at every length, and with a byte changed at many places.
fn damaged(content: &[u8]) -> Vec<Vec<u8>> {
    let cut = (0..content.len()).map(|length| content[..length].to_vec());
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let flipped = (0..FLIPS).map(|number| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut content = content.to_vec();
        let place = number * content.len() / FLIPS;
        // Never the same byte as before.
        content[place] ^= u8::try_from(random % 255 + 1).unwrap();
        content
    });
    cut.chain(flipped).collect()
}

/// Every damage to one file, each checked by `check` after each of two starts.
fn damage(file: &str, check: impl Fn(&NetworkState, &[Journal], &str, &str)) {
    let whole = temporary();
    prepare(whole.path());
    let path = PathBuf::from("state").join(file);
    let content = fs::read(whole.path().join(&path)).unwrap();
    let cases = damaged(&content);
    for (number, damaged) in cases.iter().enumerate() {
        let broken = temporary();
        copy(whole.path(), broken.path());
        fs::write(broken.path().join(&path), damaged).unwrap();
        let case = format!(
            "{file}, case {number}: {:?}",
            String::from_utf8_lossy(damaged)
        );
        let (state, unfinished, said) = start(broken.path());
        check(&state, &unfinished, &said, &case);
        let (again, unfinished_again, _) = start(broken.path());
        assert_eq!(again, state, "the second start: {case}");
        assert_eq!(unfinished_again, unfinished, "the second start: {case}");
    }
    println!("{file}: {} cases, 0 failures", cases.len());
}

#[test]
fn saved_state() {
    damage("saved.yml", |found, unfinished, said, case| {
        // Where only the lines before the state are damaged, the state is whole.
        let is_newest = *found == state(1500);
        assert!(is_newest || *found == state(1400), "{found:?} {case}");
        assert!(
            is_newest || said.contains("saved.yml is damaged"),
            "{said} {case}"
        );
        assert!(
            is_newest || said.contains("the version before it is used"),
            "{said} {case}"
        );
        assert_eq!(unfinished.len(), 1, "{case}");
    });
}

#[test]
fn the_version_before() {
    damage("saved.previous.yml", |found, unfinished, _, case| {
        assert_eq!((found, unfinished.len()), (&state(1500), 1), "{case}");
    });
}

#[test]
fn journal_of_an_open_change() {
    let file = format!("journal/{}.json", Uuid::from_u128(4));
    damage(&file, |found, unfinished, said, case| {
        assert_eq!(*found, state(1500), "{case}");
        // Whole, or not at all.
        let is_damaged = said.contains("is damaged") && said.contains("set aside");
        let expected = if is_damaged { vec![] } else { vec![journal(4)] };
        assert_eq!(unfinished, expected, "{said} {case}");
    });
}

#[test]
fn history() {
    for file in ["history/3.json", "history/3.yml"] {
        damage(file, |found, unfinished, _, case| {
            assert_eq!((found, unfinished.len()), (&state(1500), 1), "{case}");
        });
    }
}

#[test]
fn both_versions() {
    let directory = temporary();
    prepare(directory.path());
    for file in ["saved.yml", "saved.previous.yml"] {
        fs::write(directory.path().join("state").join(file), "interfaces: [").unwrap();
    }
    let (found, _, said) = start(directory.path());
    assert!(found.is_empty());
    assert!(
        said.contains("nothing is left of the saved state"),
        "{said}"
    );
    let kept = fs::read_to_string(directory.path().join("state/saved.damaged")).unwrap();
    assert_eq!(kept, "interfaces: [");
}
