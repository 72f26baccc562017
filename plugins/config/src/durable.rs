// SPDX-License-Identifier: Apache-2.0

//! Files that survive a crash at any moment: either the old content or the new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
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

/// Puts `content` in the place of the file, synced with its directory. The version before it stays beside it when
/// `keep_previous` names where.
///
/// # Errors
/// Kind `storage`; the file is then as it was.
pub fn replace(
    path: &Path,
    content: &[u8],
    keep_previous: Option<&Path>,
) -> Result<(), NipartError> {
    let temporary = path.with_extension("new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
    if let Err(error) = written {
        // Best effort: the next replacement truncates it anyway.
        let _ = fs::remove_file(&temporary);
        return Err(storage("write", &temporary, &error));
    }
    if let Some(previous) = keep_previous
        && path.exists()
    {
        link_over(path, previous)?;
    }
    fs::rename(&temporary, path).map_err(|error| storage("replace", path, &error))?;
    sync_directory_of(path)
}

/// Gives the file a second name, in the place of whatever had it.
pub(crate) fn link_over(path: &Path, second: &Path) -> Result<(), NipartError> {
    let temporary = second.with_extension("link");
    let linked = match fs::hard_link(path, &temporary) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&temporary).and_then(|()| fs::hard_link(path, &temporary))
        }
        other => other,
    };
    linked
        .and_then(|()| fs::rename(&temporary, second))
        .map_err(|error| storage("keep the last version of", path, &error))
}

/// Removes the file, for good once this returns. One that isn't there is no error.
///
/// # Errors
/// Kind `storage`.
pub fn remove(path: &Path) -> Result<(), NipartError> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(storage("remove", path, &error)),
    }
}

/// Sets a damaged file aside under a name that says so, and returns that name.
pub(crate) fn set_aside(path: &Path) -> PathBuf {
    let aside = path.with_extension("damaged");
    // When even that fails, the file stays where it is and is overwritten by the next commit.
    if let Err(error) = fs::rename(path, &aside) {
        tracing::warn!("{}", storage("set aside", path, &error));
        return path.to_path_buf();
    }
    aside
}

fn sync_directory_of(path: &Path) -> Result<(), NipartError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| storage("sync directory", directory, &error))
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
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
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
