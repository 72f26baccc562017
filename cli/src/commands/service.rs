// SPDX-License-Identifier: Apache-2.0

//! `service`: applies the files of a folder, once each, as `nmstate.service` does at boot. A file that fails doesn't keep
//! the others from being applied; the exit code is that of the first failure.

mod settings;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use nipart_api::client::Client;
use nipart_config::durable;
use nipart_schemas::error::{ErrorKind, NipartError};

use self::settings::ServiceSettings;
use super::apply::one;
use super::policy;
use crate::failure::{Failure, storage};
use crate::input::read_wanted;
use crate::output::note;
use crate::request::Change;

/// Ends of the names of files that are applied.
const EXTENSIONS: [&str; 2] = ["yml", "yaml"];
/// End of the name of a file that was applied.
const APPLIED: &str = "applied";
/// The settings, in the same folder.
const SETTINGS: &str = "nmstate.conf";

pub(super) async fn run(
    socket: &Path,
    folder: &Path,
    change: &Change,
) -> Result<ExitCode, Failure> {
    let settings = ServiceSettings::read(&folder.join(SETTINGS))?;
    let files = states_in(folder)?;
    let count = files.len();
    if count == 0 {
        note(&format!("{} has no files to apply", folder.display()));
        return Ok(ExitCode::SUCCESS);
    }
    // Without a daemon, the same would be said of each.
    drop(Client::connect(socket).await?);
    let mut first_failure = None;
    let mut failed = 0;
    for file in &files {
        if let Err(failure) = apply(socket, file, &files, settings, change).await {
            failed += 1;
            let code = failure.report();
            first_failure.get_or_insert(code);
        }
    }
    if failed > 0 {
        note(&format!(
            "{failed} of {count} files of {} were not applied",
            folder.display()
        ));
    }
    Ok(first_failure.unwrap_or(ExitCode::SUCCESS))
}

async fn apply(
    socket: &Path,
    file: &Path,
    files: &[PathBuf],
    settings: ServiceSettings,
    change: &Change,
) -> Result<(), Failure> {
    let applied = file.with_extension(APPLIED);
    let twin = files
        .iter()
        .find(|other| *other != file && other.with_extension("") == file.with_extension(""));
    if let Some(twin) = twin {
        let text = format!(
            "{} was not applied: {} would have the same name afterwards, {}",
            file.display(),
            twin.display(),
            applied.display()
        );
        return Err(NipartError::new(ErrorKind::InvalidArgument, text).into());
    }
    let wanted = read_wanted(file)?;
    let document = Arc::clone(wanted.document());
    let mut client = Client::connect(socket).await?;
    let input = policy::resolve(&mut client, wanted).await?;
    let place = (files.len() - 1, files.len());
    one(&mut client, input, change, place).await?;
    let kept = match settings.keep_state_file_after_apply {
        true => durable::replace(&applied, document.text.as_bytes(), None),
        false => fs::rename(file, &applied).map_err(|error| storage("rename", file, &error)),
    };
    Ok(kept.map_err(|error| error.note("the file itself was applied"))?)
}

/// The files to apply, by name. A folder that isn't there has none.
fn states_in(folder: &Path) -> Result<Vec<PathBuf>, NipartError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(storage("read", folder, &error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| storage("read", folder, &error))?
            .path();
        let extension = path.extension().and_then(OsStr::to_str);
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
