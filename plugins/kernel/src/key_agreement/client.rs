// SPDX-License-Identifier: Apache-2.0

//! One process, known by its files.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::key::HIDDEN;
use nipart_sys::watched::Watched;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::process::Command;
use tokio::time::timeout;

use super::control::Control;
use super::settings::Agreement;

/// It takes less than a second.
const START_LIMIT: Duration = Duration::from_secs(15);
/// For it to say goodbye to the other end; then it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// What of its words is repeated in an error.
const WORDS_MAX: usize = 300;

/// The process of one link, whether it runs or not.
pub(super) struct Client {
    folder: PathBuf,
}

impl Client {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What was begun and not ended.
    pub(super) fn agreement(&self) -> Option<Agreement> {
        let text = fs::read(self.file("agreement.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(super) fn is_running(&self) -> bool {
        self.process().is_some()
    }

    /// Starts it; returns when it has taken the link over.
    pub(super) async fn start(
        &self,
        program: &Path,
        agreement: &Agreement,
    ) -> Result<(), NipartError> {
        let control = self.file("control");
        let configuration = self.file("wpa_supplicant.conf");
        let mut folders = DirBuilder::new();
        folders.recursive(true).mode(0o700);
        folders
            .create(&self.folder)
            .map_err(|error| storage("create", &self.folder, &error))?;
        write(&configuration, agreement.configuration(&control).as_bytes())?;
        let own = self.file("client");
        let begun = async {
            self.run(program, agreement, &configuration).await?;
            let link = async {
                let control = Control::open(&own, &control.join(&agreement.base))?;
                control.ready().await
            };
            link.await.map_err(|error| {
                failed(
                    ErrorKind::PluginFailure,
                    &format!("it doesn't answer: {error}"),
                )
            })
        };
        let link = timeout(START_LIMIT, begun).await.map_err(|_| {
            let why = format!("it is not ready within {} s", START_LIMIT.as_secs());
            failed(ErrorKind::Timeout, &why)
        })??;
        if link.is_some_and(|link| link != agreement.link) {
            let base = &agreement.base;
            let why = format!(
                "it finds no link with the MAC address of {base} and port {}: leave out mac-address",
                agreement.port
            );
            return Err(failed(ErrorKind::NotSupported, &why));
        }
        let text = serde_json::to_vec(agreement).unwrap_or_default();
        write(&self.file("agreement.json"), &text)
    }

    /// It goes into the background when it has its sockets, or says why not.
    async fn run(
        &self,
        program: &Path,
        agreement: &Agreement,
        configuration: &Path,
    ) -> Result<(), NipartError> {
        let mut command = Command::new(program);
        command
            .args(["-B", "-D", "macsec_linux", "-i", &agreement.base, "-P"])
            .arg(self.file("pid"))
            .arg("-c")
            .arg(configuration)
            .env_clear()
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command
            .output()
            .await
            .map_err(|error| failed(ErrorKind::NotSupported, &error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stdout).replace(&agreement.secret(), HIDDEN);
        let said: Vec<&str> = said.lines().map(str::trim).collect();
        let said: String = said.join("; ").chars().take(WORDS_MAX).collect();
        Err(failed(ErrorKind::KernelRefused, &said))
    }

    /// Ends it, if it runs, and forgets it.
    pub(super) async fn stop(&self) -> Result<(), NipartError> {
        // First what says that it is to go on.
        forget(&self.file("agreement.json"))?;
        if let Some(process) = self.process().and_then(watched) {
            for signal in [Signal::TERM, Signal::KILL] {
                // It may have ended by itself meanwhile.
                let _ = pidfd_send_signal(&process, signal);
                if timeout(STOP_LIMIT, end_of(&process)).await.is_ok() {
                    break;
                }
            }
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(storage("remove", &self.folder, &error))
            }
            _ => Ok(()),
        }
    }

    /// Ends when it does.
    pub(super) async fn ended(&self) {
        if let Some(process) = self.process().and_then(watched) {
            end_of(&process).await;
        }
    }

    /// The process that was started with these files: another one may have got its number.
    fn process(&self) -> Option<OwnedFd> {
        let number = fs::read_to_string(self.file("pid")).ok()?;
        let number = Pid::from_raw(number.trim().parse().ok()?)?;
        let process = pidfd_open(number, PidfdFlags::empty()).ok()?;
        let words = fs::read(format!("/proc/{}/cmdline", number.as_raw_nonzero())).ok()?;
        let configuration = self.file("wpa_supplicant.conf");
        let configuration = configuration.as_os_str().as_encoded_bytes();
        let is_ours = words
            .split(|byte| *byte == 0)
            .any(|word| word == configuration);
        is_ours.then_some(process)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn watched(process: OwnedFd) -> Option<Watched> {
    Watched::new(process).ok()
}

/// A process that has ended can be read.
async fn end_of(process: &Watched) {
    // It fails only when this process ends.
    let _ = process.read_with(|_| Ok(())).await;
}

/// Writes a file that only its owner reads, whole or not at all.
fn write(path: &Path, content: &[u8]) -> Result<(), NipartError> {
    let temporary = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| storage("write", path, &error))
}

fn forget(path: &Path) -> Result<(), NipartError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(storage("remove", path, &error))
        }
        _ => Ok(()),
    }
}

fn storage(doing: &str, path: &Path, error: &io::Error) -> NipartError {
    let text = format!("{doing} {}: {error}", path.display());
    NipartError::new(ErrorKind::Storage, text)
}

fn failed(kind: ErrorKind, why: &str) -> NipartError {
    NipartError::new(kind, format!("wpa_supplicant: {why}"))
}
