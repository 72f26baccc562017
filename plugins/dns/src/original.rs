// SPDX-License-Identifier: Apache-2.0

//! What stood in the place of resolv.conf before we wrote it: a file, a link, or nothing.
//!
//! It is kept before it is replaced, and put back when it isn't needed any more; a crash at any moment leaves at least
//! one of the two.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nipart_config::durable;
use nipart_schemas::dns::{DnsOrigin, DnsSource};
use nipart_schemas::error::{ErrorKind, NipartError};

use crate::paths::Paths;
use crate::resolv_conf;

/// Who may read resolv.conf: everybody.
pub(crate) const FILE_MODE: u32 = 0o644;

/// The text that programs read, whoever wrote it; none when there is none.
pub(crate) fn text(paths: &Paths) -> Result<Option<String>, NipartError> {
    durable::read(&paths.resolv_conf)
}

/// Whether what stands there is ours.
pub(crate) fn is_replaced(paths: &Paths) -> Result<bool, NipartError> {
    // A link is never ours, wherever it leads.
    let is_link = fs::symlink_metadata(&paths.resolv_conf).is_ok_and(|data| data.is_symlink());
    Ok(!is_link && text(paths)?.is_some_and(|text| resolv_conf::is_ours(&text, &paths.original)))
}

/// The lists of the original file: they count where no source says anything. Those behind a link are somebody else's,
/// and may change at any time.
pub(crate) fn lists(paths: &Paths) -> Result<DnsSource, NipartError> {
    let path = if is_replaced(paths)? {
        &paths.original
    } else {
        &paths.resolv_conf
    };
    let is_file = fs::symlink_metadata(path).is_ok_and(|data| data.is_file());
    let text = if is_file { durable::read(path)? } else { None };
    Ok(text.map_or_else(
        || DnsSource::new(None, DnsOrigin::Static),
        |text| resolv_conf::read(&text),
    ))
}

/// Keeps what stands there, unless it is ours.
pub(crate) fn keep(paths: &Paths) -> Result<(), NipartError> {
    if is_replaced(paths)? {
        return Ok(());
    }
    copy(&paths.resolv_conf, &paths.original)
}

/// Puts back what was kept, if what stands there is ours.
pub(crate) fn restore(paths: &Paths) -> Result<(), NipartError> {
    if is_replaced(paths)? {
        copy(&paths.original, &paths.resolv_conf)?;
    }
    durable::remove(&paths.original)
}

/// Makes `to` what `from` is: the same file, a link to the same, or nothing.
fn copy(from: &Path, to: &Path) -> Result<(), NipartError> {
    let failed = |doing: &str, path: &Path, error: &io::Error| {
        let message = format!("{doing} {}: {error}", path.display());
        NipartError::new(ErrorKind::Storage, message)
    };
    match fs::symlink_metadata(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => durable::remove(to),
        Err(error) => Err(failed("look at", from, &error)),
        Ok(data) if data.is_symlink() => {
            copy_link(from, to).map_err(|error| failed("replace by a link", to, &error))
        }
        Ok(data) => {
            let content = fs::read(from).map_err(|error| failed("read", from, &error))?;
            durable::publish(to, &content, mode_of(&data))
        }
    }
}

fn mode_of(data: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    data.permissions().mode() & 0o777
}

fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    let target = fs::read_link(from)?;
    let temporary: PathBuf = to.with_extension("new");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(target, &temporary)?;
    fs::rename(&temporary, to)?;
    let directory = to.parent().unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
