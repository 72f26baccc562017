// SPDX-License-Identifier: Apache-2.0

//! Keys of MACsec links that their ends agree upon (MKA, IEEE 802.1X-2010): `wpa_supplicant` does that, one process for
//! each link, which outlives this one.
//!
//! ```text
//!  RUN_DIR/mka/LINK/   agreement.json       what was begun: it is there as long as that is to go on
//!                      wpa_supplicant.conf  what the process reads
//!                      pid                  its number
//!                      control/BASE         where it answers
//! ```
//!
//! Whoever looks finds in these files what is agreed upon by which key, also after a restart. A process that ends by itself
//! leaves secure channels in the link, over which a new one would stumble (`macsec_add_rxsc`, drivers/net/macsec.c): the
//! link is to be created anew, which the commander is told.

mod client;
mod control;
mod settings;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, Macsec};
use nipart_schemas::operation::{Operation, Plan};
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType, socket};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep_until};

use self::client::Client;
use self::settings::Agreement;

/// Names the program, for tests and for systems that have it elsewhere.
const PROGRAM_VARIABLE: &str = "NIPART_WPA_SUPPLICANT";
const PROGRAM: &str = "wpa_supplicant";
/// Where it is looked for besides `PATH`.
const PROGRAM_FOLDERS: &str = "/usr/sbin:/sbin";
/// Ends that nobody has heard of yet.
const ENDED_QUEUE: usize = 64;
/// A process that ends sooner is begun again only then.
const SHORTEST_LIFE: Duration = Duration::from_secs(5);

/// All processes, and the way to hear of their ends.
pub(crate) struct KeyAgreements {
    folder: PathBuf,
    /// One at a time begins or ends something. When each link's last beginning failed.
    turn: Mutex<HashMap<String, Instant>>,
    ended: mpsc::Sender<String>,
    news: Mutex<mpsc::Receiver<String>>,
}

impl KeyAgreements {
    /// Those whose files are under `run_dir`.
    pub(crate) fn new(run_dir: &Path) -> Self {
        let (ended, news) = mpsc::channel(ENDED_QUEUE);
        Self {
            folder: run_dir.join("mka"),
            turn: Mutex::default(),
            ended,
            news: Mutex::new(news),
        }
    }

    /// Listens for the ends of what goes on since before this process was started.
    pub(crate) fn take_up(&self) {
        for interface in self.interfaces() {
            self.watch(interface);
        }
    }

    /// The next link whose process has ended by itself.
    pub(crate) async fn ended(&self) -> String {
        match self.news.lock().await.recv().await {
            Some(interface) => interface,
            // A sender is kept here.
            None => std::future::pending().await,
        }
    }

    /// Completes those of the interfaces whose ends agree upon keys, and ends what was begun for links that are gone.
    pub(crate) async fn observe(&self, interfaces: &mut [Interface]) {
        for interface in self.interfaces() {
            let client = self.client(&interface);
            let Some(agreement) = client.agreement() else {
                continue;
            };
            if index_of(&interface) != Some(agreement.link) {
                // Whoever has the turn begins it for the new link.
                if let Ok(_turn) = self.turn.try_lock()
                    && let Err(error) = client.stop().await
                {
                    tracing::warn!(interface, "{error}");
                }
                continue;
            }
            let found = interfaces.iter_mut().find(|found| found.name == interface);
            let section = found.and_then(|found| found.macsec.as_mut());
            if let Some(section) = section.filter(|_| client.is_running()) {
                section.mka_cak = Some(agreement.key);
                section.mka_ckn = Some(agreement.key_name);
            }
        }
    }

    /// Begins what the section says for a new link, which is down. It may come up when this returns.
    pub(crate) async fn start(&self, interface: &str, section: &Macsec) -> Result<(), NipartError> {
        let mut turn = self.turn.lock().await;
        if let Some(failed) = turn.remove(interface) {
            // What is saved is brought back again and again, as its link comes and goes by that.
            sleep_until(failed + SHORTEST_LIFE).await;
        }
        let client = self.client(interface);
        client.stop().await?;
        let link = index_of(interface).ok_or_else(|| {
            let text = format!("there is no interface {interface}");
            NipartError::new(ErrorKind::NotFound, text)
        })?;
        let Some(agreement) = Agreement::of(link, section) else {
            return Ok(());
        };
        let program = program().ok_or_else(missing)?;
        if let Err(error) = client.start(&program, &agreement).await {
            turn.insert(interface.to_string(), Instant::now());
            if let Err(other) = client.stop().await {
                tracing::warn!(interface, "{other}");
            }
            return Err(error);
        }
        self.watch(interface.to_string());
        Ok(())
    }

    /// Ends it, before its link goes.
    pub(crate) async fn stop(&self, interface: &str) -> Result<(), NipartError> {
        let _turn = self.turn.lock().await;
        self.client(interface).stop().await
    }

    fn watch(&self, interface: String) {
        let client = self.client(&interface);
        let ended = self.ended.clone();
        let earliest = Instant::now() + SHORTEST_LIFE;
        tokio::spawn(async move {
            let Some(agreement) = client.agreement() else {
                return;
            };
            client.ended().await;
            // That of another link has another one who listens.
            if client.agreement().as_ref() != Some(&agreement) {
                return;
            }
            tracing::warn!(interface, "wpa_supplicant has ended by itself");
            sleep_until(earliest).await;
            // Without a receiver, this process ends.
            let _ = ended.send(interface).await;
        });
    }

    fn client(&self, interface: &str) -> Client {
        Client::new(self.folder.join(interface))
    }

    fn interfaces(&self) -> Vec<String> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = folders.map(|folder| folder.file_name().into_string());
        names.flatten().collect()
    }
}

/// Refuses a plan that needs a program which isn't there.
pub(crate) fn check(plan: &Plan) -> Result<(), NipartError> {
    let needs_it = |operation: &&Operation| match operation {
        Operation::CreateLink { interface, .. } => interface.agrees_upon_keys(),
        _ => false,
    };
    match plan.operations().find(needs_it) {
        Some(operation) if program().is_none() => Err(missing().while_doing(operation)),
        _ => Ok(()),
    }
}

fn missing() -> NipartError {
    NipartError::new(
        ErrorKind::NotSupported,
        "macsec key agreement needs wpa_supplicant: install the package wpasupplicant",
    )
}

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(PROGRAM_VARIABLE) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(std::env::split_paths(PROGRAM_FOLDERS));
    let mut programs = folders.map(|folder| folder.join(PROGRAM));
    programs.find(|program| program.is_file())
}

/// The number that the link has now.
fn index_of(interface: &str) -> Option<u32> {
    let socket = socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
    name_to_index(socket, interface).ok()
}
