// SPDX-License-Identifier: Apache-2.0

//! Files that survive a crash at any moment: either the old content or the new.
//!
//! All that is written goes through [`step`], so that tests can leave a directory as a crash after each step could.

pub(crate) mod step;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nipart_schemas::error::{ErrorKind, NipartError};
use rustix::fs::{FlockOperation, flock};

/// Only the owner reads: states can hold secrets.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// An error that says what was done to which file.
pub(crate) fn storage(doing: &str, path: &Path, error: &io::Error) -> NipartError {
    NipartError::new(
        ErrorKind::Storage,
        format!("{doing} {}: {error}", path.display()),
    )
}

/// Creates a directory, and those above it, that only its owner may enter.
///
/// # Errors
/// Kind `storage`.
pub fn create_directory(path: &Path) -> Result<(), NipartError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(path)
        .map_err(|error| storage("create directory", path, &error))
}

/// Ends of names of files that are being written. One that is found at a start was left by a crash.
const UNFINISHED: [&str; 2] = ["new", "link"];

/// Puts `content` in the place of the file, synced with its directory. The version before it stays beside it when
/// `keep_previous` names where.
///
/// # Errors
/// Kind `storage`; the file is then as it was, unless only the directory could not be synced.
pub fn replace(
    path: &Path,
    content: &[u8],
    keep_previous: Option<&Path>,
) -> Result<(), NipartError> {
    write_anew(path, content, keep_previous, FILE_MODE)
}

/// The same for what others read: `mode` says who.
///
/// # Errors
/// Kind `storage`; the file is then as it was, unless only the directory could not be synced.
pub fn publish(path: &Path, content: &[u8], mode: u32) -> Result<(), NipartError> {
    write_anew(path, content, None, mode)
}

fn write_anew(
    path: &Path,
    content: &[u8],
    keep_previous: Option<&Path>,
    mode: u32,
) -> Result<(), NipartError> {
    let temporary = path.with_extension("new");
    let result = put(path, &temporary, content, keep_previous, mode);
    if result.is_err() {
        // Best effort: it takes up space, and the next replacement truncates it anyway.
        let _ = step::unlink(&temporary);
    }
    result?;
    sync_directory_of(path)
}

fn put(
    path: &Path,
    temporary: &Path,
    content: &[u8],
    keep_previous: Option<&Path>,
    mode: u32,
) -> Result<(), NipartError> {
    step::write(temporary, content, mode)
        .and_then(|file| step::sync(&file, temporary))
        .map_err(|error| storage("write", temporary, &error))?;
    if let Some(previous) = keep_previous
        && path.exists()
    {
        link_over(path, previous)?;
    }
    step::rename(temporary, path).map_err(|error| storage("replace", path, &error))
}

/// Gives the file a second name, in the place of whatever had it.
pub(crate) fn link_over(path: &Path, second: &Path) -> Result<(), NipartError> {
    let temporary = second.with_extension("link");
    let linked = match step::link(path, &temporary) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            step::unlink(&temporary).and_then(|()| step::link(path, &temporary))
        }
        other => other,
    };
    linked
        .and_then(|()| step::rename(&temporary, second))
        .and_then(|()| match step::unlink(&temporary) {
            // Two names of the same file are not renamed over each other: both stay.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .map_err(|error| storage("keep the last version of", path, &error))
}

/// Removes the file, for good once this returns. One that isn't there is no error.
///
/// # Errors
/// Kind `storage`.
pub fn remove(path: &Path) -> Result<(), NipartError> {
    match step::unlink(path) {
        Ok(()) => sync_directory_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A disk that can't be written to says so even of what isn't there.
        Err(_) if !path.exists() => Ok(()),
        Err(error) => Err(storage("remove", path, &error)),
    }
}

/// Keeps a damaged file under a name that says so, and returns that name. It stays where it is, too.
pub(crate) fn keep_damaged(path: &Path) -> PathBuf {
    let aside = path.with_extension("damaged");
    match link_over(path, &aside) {
        Ok(()) => aside,
        Err(error) => {
            tracing::warn!("{error}");
            path.to_path_buf()
        }
    }
}

/// Sets a damaged file aside under a name that says so, and returns that name.
pub(crate) fn set_aside(path: &Path) -> PathBuf {
    let aside = path.with_extension("damaged");
    if let Err(error) = step::rename(path, &aside) {
        tracing::warn!("{}", storage("set aside", path, &error));
        return path.to_path_buf();
    }
    aside
}

/// Removes what a crash left half written in a directory.
pub(crate) fn clean(directory: &Path) {
    let files = fs::read_dir(directory).into_iter().flatten();
    for path in files.filter_map(|file| Some(file.ok()?.path())) {
        if path
            .extension()
            .is_some_and(|extension| UNFINISHED.iter().any(|end| extension == *end))
        {
            match step::unlink(&path) {
                Ok(()) => tracing::info!("removed {}, which a crash left", path.display()),
                Err(error) => tracing::warn!("{}", storage("remove", &path, &error)),
            }
        }
    }
}

fn sync_directory_of(path: &Path) -> Result<(), NipartError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    step::sync_directory(directory).map_err(|error| storage("sync directory", directory, &error))
}

/// Reads a whole file; none when there is none.
///
/// # Errors
/// Kind `storage`.
pub fn read(path: &Path) -> Result<Option<String>, NipartError> {
    match fs::read(path) {
        // Invalid UTF-8 is damage, which the parser then reports.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(storage("read", path, &error)),
    }
}

/// Takes the lock of a directory, so that a daemon and a `--no-daemon` apply never write at the same time. It is
/// held as long as the file is open.
///
/// # Errors
/// Kind `busy` when another process holds it, else `storage`.
pub fn lock(path: &Path) -> Result<File, NipartError> {
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path);
    let file = match opened {
        // What is saved can be read, and the network brought up, although nothing can be changed.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => File::open(path),
        other => other,
    }
    .map_err(|error| storage("open", path, &error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(NipartError::new(
            ErrorKind::Busy,
            format!(
                "{} is held by another process: a running nipartd, or an apply without it",
                path.display()
            ),
        )),
        Err(error) => Err(storage("lock", path, &error.into())),
    }
}
