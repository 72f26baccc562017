// SPDX-License-Identifier: Apache-2.0

//! What can be on a disk: what was synced is there; of what was not, any part may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::durable::step::Step;

/// More changes of names than this are not tried in every combination.
const MOST_COMBINED: usize = 8;

type Number = usize;

/// A directory with all that is in it, synced.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    root: PathBuf,
    directories: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, Number>,
    contents: Vec<Vec<u8>>,
}

/// What a crash has left: files by name, relative to the root, with their numbers and contents.
#[derive(Debug, Clone)]
pub(super) struct Image {
    directories: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, (Number, Vec<u8>)>,
}

/// A change of the names in one directory.
#[derive(Debug, Clone)]
enum Change {
    Add(PathBuf, Number),
    Move(PathBuf, PathBuf, Number),
    Remove(PathBuf),
}

impl Change {
    fn directory(&self) -> Option<&Path> {
        match self {
            Self::Add(name, _) | Self::Move(_, name, _) | Self::Remove(name) => name.parent(),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Number>) {
        match self {
            Self::Add(name, number) => {
                names.insert(name.clone(), *number);
            }
            Self::Move(from, to, number) => {
                names.remove(from);
                names.insert(to.clone(), *number);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl Disk {
    pub(super) fn read(root: &Path) -> Self {
        let mut disk = Self {
            root: root.to_path_buf(),
            directories: BTreeSet::new(),
            names: BTreeMap::new(),
            contents: Vec::new(),
        };
        let mut numbers = BTreeMap::new();
        let mut open = vec![root.to_path_buf()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path.clone());
                    disk.directories.insert(path);
                    continue;
                }
                let inode = fs::metadata(&path).unwrap().ino();
                let number = *numbers.entry(inode).or_insert_with(|| {
                    disk.contents.push(fs::read(&path).unwrap());
                    disk.contents.len() - 1
                });
                disk.names.insert(path, number);
            }
        }
        disk
    }

    /// All that may be left by a crash after these steps.
    pub(super) fn after(&self, steps: &[Step]) -> Vec<Image> {
        let mut synced = self.names.clone();
        let mut names = self.names.clone();
        let mut contents = self.contents.clone();
        let mut pending: Vec<Change> = Vec::new();
        let mut unsynced = BTreeSet::new();
        for step in steps {
            match step {
                Step::Write(path, content) => {
                    let number = *names.entry(path.clone()).or_insert_with(|| {
                        pending.push(Change::Add(path.clone(), contents.len()));
                        contents.push(Vec::new());
                        contents.len() - 1
                    });
                    contents[number].clone_from(content);
                    unsynced.insert(number);
                }
                Step::Sync(path) => {
                    unsynced.remove(&names[path]);
                }
                Step::Link(path, second) => {
                    pending.push(Change::Add(second.clone(), names[path]));
                    names.insert(second.clone(), names[path]);
                }
                Step::Rename(path, other) => {
                    let change = Change::Move(path.clone(), other.clone(), names[path]);
                    // The kernel does nothing about two names of one file.
                    if names.get(other) != names.get(path) {
                        change.apply(&mut names);
                        pending.push(change);
                    }
                }
                Step::Unlink(path) => {
                    let change = Change::Remove(path.clone());
                    change.apply(&mut names);
                    pending.push(change);
                }
                Step::SyncDirectory(directory) => pending.retain(|change| {
                    let is_here = change.directory() == Some(directory);
                    if is_here {
                        change.apply(&mut synced);
                    }
                    !is_here
                }),
            }
        }
        let mut images = Vec::new();
        for kept in combinations(pending.len()) {
            let mut names = synced.clone();
            let kept = pending.iter().zip(kept).filter(|(_, kept)| *kept);
            kept.for_each(|(change, _)| change.apply(&mut names));
            for written in [0, 1, 2] {
                let content = |number: Number| {
                    let whole = &contents[number];
                    let length = match unsynced.contains(&number) {
                        true => whole.len() * written / 2,
                        false => whole.len(),
                    };
                    whole[..length].to_vec()
                };
                images.push(self.image(&names, content));
                if unsynced.is_empty() {
                    break;
                }
            }
        }
        images
    }

    fn image(
        &self,
        names: &BTreeMap<PathBuf, Number>,
        content: impl Fn(Number) -> Vec<u8>,
    ) -> Image {
        let relative = |path: &Path| path.strip_prefix(&self.root).ok().map(Path::to_path_buf);
        let files = names
            .iter()
            .filter_map(|(path, number)| Some((relative(path)?, (*number, content(*number)))));
        Image {
            directories: self
                .directories
                .iter()
                .filter_map(|path| relative(path))
                .collect(),
            files: files.collect(),
        }
    }
}

impl Image {
    pub(super) fn write(&self, root: &Path) {
        for directory in &self.directories {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let mut first: BTreeMap<Number, PathBuf> = BTreeMap::new();
        for (name, (number, content)) in &self.files {
            let path = root.join(name);
            match first.get(number) {
                Some(known) => fs::hard_link(known, &path).unwrap(),
                None => {
                    fs::write(&path, content).unwrap();
                    first.insert(*number, path);
                }
            }
        }
    }
}

/// Which of `count` changes have reached the disk: every combination of the last ones, after all before them.
fn combinations(count: usize) -> Vec<Vec<bool>> {
    let free = count.min(MOST_COMBINED);
    (0..1_usize << free)
        .map(|bits| {
            let before = std::iter::repeat_n(true, count - free);
            before
                .chain((0..free).map(|bit| bits & (1 << bit) != 0))
                .collect()
        })
        .collect()
}
