// SPDX-License-Identifier: Apache-2.0

//! `edit`: what is set of the running network, in an editor; what was changed there is applied.

mod edited;

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use nipart_api::call::ShowParameters;
use nipart_api::client::Client;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;
use uuid::Uuid;

use self::edited::Edited;
use super::apply::one;
use super::running_config::running_config;
use crate::failure::{Failure, defect, storage};
use crate::input::{Input, read};
use crate::output::plain;
use crate::request::Change;

/// Where the user's own short-lived files are, unless the environment says otherwise.
const TEMPORARY: &str = "/tmp";
/// What is there on every system (POSIX).
const LAST_EDITOR: &str = "vi";
/// Only its owner reads a file that may have keys written into it.
const FILE_MODE: u32 = 0o600;

const INTRODUCTION: &str = "\
# What is changed here is applied when the editor is left; nothing is done when nothing is changed. What is taken out
# stays as it is: `state: absent` removes an interface, a route or a rule.
";

pub(super) async fn run(
    socket: &Path,
    interfaces: Vec<String>,
    change: &Change,
) -> Result<ExitCode, Failure> {
    let before = fetch(socket, interfaces).await?;
    let shown = yaml::to_string(&before).map_err(|error| defect(&error))?;
    let file = Draft::create(&format!("{INTRODUCTION}{shown}"))?;
    loop {
        file.open_in_editor()?;
        let Err(failure) = take(socket, &file, &before, change).await else {
            break;
        };
        if !failure.is_mistake() || !may_edit_again() {
            let path = file.path.display();
            return Err(failure.note(format!("what was written is kept in {path}")));
        }
        // The code is that of how the editing ends.
        let _ = failure.report();
        if !wants_to_edit_again()? {
            let error = NipartError::new(ErrorKind::Cancelled, "nothing was changed");
            let path = file.path.display();
            return Err(error
                .note(format!("what was written is kept in {path}"))
                .into());
        }
    }
    file.remove();
    Ok(ExitCode::SUCCESS)
}

async fn fetch(socket: &Path, interfaces: Vec<String>) -> Result<NetworkState, Failure> {
    let parameters = ShowParameters {
        interfaces: (!interfaces.is_empty()).then_some(interfaces),
        ..ShowParameters::default()
    };
    let json = Client::connect(socket).await?.show(&parameters).await?;
    let state = serde_json::from_str(&json).map_err(|error| defect(&error))?;
    Ok(running_config(state))
}

/// Reads what was written and applies what was changed.
async fn take(
    socket: &Path,
    file: &Draft,
    before: &NetworkState,
    change: &Change,
) -> Result<(), Failure> {
    let Input { document, state } = read(&file.path)?;
    let edited = Edited::of(&state, before);
    if edited.state.is_empty() {
        return plain("Nothing was changed\n");
    }
    let input = Input {
        document: Arc::clone(&document),
        state: edited.state.clone(),
    };
    // The connection of before may have been closed while the editor was open.
    let mut client = Client::connect(socket).await?;
    one(&mut client, input, change, (0, 1))
        .await
        .map_err(|failure| failure.relocated(&document, |error| edited.in_file(error)))
}

/// The file that is edited.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn create(text: &str) -> Result<Self, Failure> {
        let folder = ["XDG_RUNTIME_DIR", "TMPDIR"]
            .into_iter()
            .find_map(env::var_os);
        let folder = folder.map_or_else(|| PathBuf::from(TEMPORARY), PathBuf::from);
        let path = folder.join(format!("nipart-{}.yml", Uuid::new_v4()));
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path);
        created
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| storage("write", &path, &error))?;
        Ok(Self { path })
    }

    /// Runs the user's editor, which may be a command with arguments, until it ends.
    fn open_in_editor(&self) -> Result<(), Failure> {
        let named = ["VISUAL", "EDITOR"]
            .into_iter()
            .find_map(|name| env::var(name).ok());
        let editor = named.unwrap_or_else(|| LAST_EDITOR.to_string());
        let status = Command::new("sh")
            .args(["-c", &format!("{editor} \"$1\""), "sh"])
            .arg(&self.path)
            .status();
        let problem = match status {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let path = self.path.display();
        Err(NipartError::new(
            ErrorKind::Cancelled,
            format!("nothing was changed: the editor {editor} has failed: {problem}"),
        )
        .note(format!("what was written is kept in {path}"))
        .into())
    }

    /// It is in nobody's way if that fails.
    fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn may_edit_again() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn wants_to_edit_again() -> Result<bool, Failure> {
    let mut out = io::stderr().lock();
    out.write_all(b"Edit again? [Y/n] ")?;
    out.flush()?;
    let mut line = String::new();
    let length = io::stdin().lock().read_line(&mut line)?;
    Ok(length > 0 && matches!(line.trim(), "" | "y" | "Y" | "yes" | "Yes" | "YES"))
}
