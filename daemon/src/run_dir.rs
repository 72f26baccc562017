// SPDX-License-Identifier: Apache-2.0

//! The run directory: one daemon at a time, its sockets, and nothing left of them afterwards.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nipart_schemas::error::{ErrorKind, NipartError};

/// Holds the run directory for this daemon.
#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    /// Locked as long as the daemon lives.
    _lock: File,
}

impl RunDir {
    /// Creates what is missing and locks the directory. Fails when another daemon holds it.
    pub(crate) fn take(path: &Path) -> Result<Self, NipartError> {
        create(path, 0o755)?;
        let lock = lock(&path.join("nipartd.lock"))?;
        let run_dir = Self {
            path: path.to_path_buf(),
            _lock: lock,
        };
        let plugins = run_dir.plugins();
        create(&plugins, 0o700)?;
        std::fs::set_permissions(&plugins, std::fs::Permissions::from_mode(0o700))
            .map_err(|error| storage(&plugins, &error))?;
        Ok(run_dir)
    }

    /// The public API's socket.
    pub(crate) fn api_socket(&self) -> PathBuf {
        self.path.join("io.nipart")
    }

    /// Where plugins register. No plugin's name starts with an underscore.
    pub(crate) fn core_socket(&self) -> PathBuf {
        self.plugins().join("_core.sock")
    }

    /// Where a plugin listens.
    pub(crate) fn plugin_socket(&self, name: &str) -> PathBuf {
        self.plugins().join(format!("{name}.sock"))
    }

    /// For nobody but us.
    fn plugins(&self) -> PathBuf {
        self.path.join("plugins")
    }

    /// Removes all sockets. Locks stay: removing a lock file lets two hold "the" lock.
    pub(crate) fn remove_sockets(&self) {
        let _ = std::fs::remove_file(self.api_socket());
        let Ok(entries) = std::fs::read_dir(self.plugins()) else {
            return;
        };
        for entry in entries.flatten() {
            if entry.path().extension().is_some_and(|end| end == "sock") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

fn create(path: &Path, mode: u32) -> Result<(), NipartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(|error| storage(path, &error))
}

/// The file says who holds it, for the message of whoever comes second.
fn lock(path: &Path) -> Result<File, NipartError> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| storage(path, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            return Err(NipartError::new(
                ErrorKind::Busy,
                format!(
                    "another nipartd (pid {}) holds {}",
                    holder.trim(),
                    path.display()
                ),
            ));
        }
        Err(TryLockError::Error(error)) => return Err(storage(path, &error)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|error| storage(path, &error))?;
    Ok(file)
}

fn storage(path: &Path, error: &std::io::Error) -> NipartError {
    NipartError::new(ErrorKind::Storage, format!("{}: {error}", path.display()))
}
