// SPDX-License-Identifier: Apache-2.0

//! The steps of which every change of a file is made up, and a record of them for tests.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What was done.
#[derive(Debug, Clone)]
#[cfg_attr(not(test), expect(dead_code, reason = "only tests look at steps"))]
pub(crate) enum Step {
    /// The file was created or emptied, and has this content; not yet on disk.
    Write(PathBuf, Vec<u8>),
    /// Its content is on disk.
    Sync(PathBuf),
    /// It has a second name.
    Link(PathBuf, PathBuf),
    /// It has another name.
    Rename(PathBuf, PathBuf),
    /// It has lost a name.
    Unlink(PathBuf),
    /// The directory's names are on disk.
    SyncDirectory(PathBuf),
}

/// Creates the file, or empties it, and writes `content`. Nothing of that is on disk yet.
pub(super) fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)?;
    file.write_all(content)?;
    record(|| Step::Write(path.into(), content.into()));
    Ok(file)
}

/// Waits until the file's content is on disk.
pub(super) fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    record(|| Step::Sync(path.into()));
    Ok(())
}

/// Gives a file a second name, which must be free.
pub(super) fn link(path: &Path, second: &Path) -> io::Result<()> {
    fs::hard_link(path, second)?;
    record(|| Step::Link(path.into(), second.into()));
    Ok(())
}

/// Gives a file another name, in the place of whatever had it.
pub(super) fn rename(path: &Path, other: &Path) -> io::Result<()> {
    fs::rename(path, other)?;
    record(|| Step::Rename(path.into(), other.into()));
    Ok(())
}

/// Takes a name away.
pub(super) fn unlink(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    record(|| Step::Unlink(path.into()));
    Ok(())
}

/// Waits until the names in the directory are on disk.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()?;
    record(|| Step::SyncDirectory(directory.into()));
    Ok(())
}

/// Remembers a step.
#[cfg(not(test))]
fn record(_step: impl FnOnce() -> Step) {}

#[cfg(test)]
fn record(step: impl FnOnce() -> Step) {
    STEPS.with_borrow_mut(|steps| steps.push(step()));
}

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::RefCell<Vec<Step>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// All that this thread did since the last time.
#[cfg(test)]
pub(crate) fn take() -> Vec<Step> {
    STEPS.take()
}
