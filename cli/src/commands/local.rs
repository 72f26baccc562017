// SPDX-License-Identifier: Apache-2.0

//! `apply --no-daemon`: the daemon's own chain, with its plugins' libraries in this process instead of behind events.
//!
//! The store's lock keeps it from working beside a running daemon. A process that dies half way leaves the open
//! journal, which the daemon takes back when it starts; until then no other change is begun.

use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nipart_commander::chain::apply::apply;
use nipart_commander::chain::show::{Known, show};
use nipart_commander::lock::Locks;
use nipart_commander::peers::Peers;
use nipart_config::Store;
use nipart_dns::{Names, Paths};
use nipart_kernel::Kernel;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::ip::Ipv6;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::lease::LeaseProtocol;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::{ApplyReport, ApplyRequest, Progress, Requester, ShowRequest};
use uuid::Uuid;

use super::apply::finish;
use super::progress::ProgressLine;
use crate::failure::Failure;
use crate::input::{Input, Wanted};
use crate::request::{Change, Directories};

pub(super) async fn run(
    inputs: Vec<Wanted>,
    change: &Change,
    directories: &Directories,
) -> Result<ExitCode, Failure> {
    for wanted in &inputs {
        if let Wanted::State(input) = wanted {
            needs_no_daemon(input)?;
        }
    }
    let store = Store::open(&directories.state, &directories.run, &directories.states)?;
    nothing_is_unfinished(&store)?;
    let tools = Arc::new(Tools {
        kernel: Kernel::open(&directories.run).await?,
        names: Names::open(Paths::from_process(&directories.run, &directories.state)),
        store: Mutex::new(store),
        progress: Mutex::new(ProgressLine::new()),
        is_stopped: AtomicBool::new(false),
    });
    let count = inputs.len();
    for (index, wanted) in inputs.into_iter().enumerate() {
        let peers = LocalPeers {
            tools: Arc::clone(&tools),
            chain: Uuid::now_v7(),
            is_detached: false,
        };
        let input = match wanted {
            Wanted::State(input) => input,
            Wanted::Policy(policy) => {
                let current = show(&peers, &ShowRequest::default(), &Known::default()).await?;
                let input = policy.resolve(&current)?;
                needs_no_daemon(&input)?;
                input
            }
        };
        let outcome = apply_one(&peers, input.state, change).await;
        locked(&tools.progress).clear();
        finish(outcome, &input.document, change.format, (index, count))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn apply_one(
    peers: &LocalPeers,
    state: NetworkState,
    change: &Change,
) -> Result<ApplyReport, NipartError> {
    let request = ApplyRequest {
        state,
        verify: change.verify,
        memory_only: change.memory_only,
        confirm: None,
        timeout_ms: None,
        no_wait: true,
        note: change.note.clone(),
        requester: Some(requester()),
    };
    let (users, objects) = (Locks::default(), Locks::default());
    let work = apply(peers, &users, &objects, request);
    let late = tokio::time::sleep(change.timeout);
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(work, late, interrupt);
    // Neither ends the work at once: it has to take back what it did.
    let mut reason = None;
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            () = &mut late, if reason.is_none() => reason = Some(ErrorKind::Timeout),
            _ = &mut interrupt, if reason.is_none() => reason = Some(ErrorKind::Cancelled),
        }
        peers.tools.is_stopped.store(true, Ordering::Relaxed);
    };
    match outcome {
        Ok((mut report, _, _)) => {
            // Nobody remembers it.
            report.trace = None;
            Ok(report)
        }
        Err(mut error) => {
            if let (ErrorKind::Cancelled, Some(reason)) = (error.kind, reason) {
                error.kind = reason;
            }
            Err(error)
        }
    }
}

/// This process, for the history.
fn requester() -> Requester {
    Requester {
        uid: std::fs::metadata("/proc/self").map_or(0, |process| process.uid()),
        pid: Some(std::process::id()),
        command: Some("nipartctl".to_string()),
    }
}

fn needs_no_daemon(input: &Input) -> Result<(), Failure> {
    let mut interfaces = input.state.interfaces.iter().enumerate();
    let refused = interfaces.find_map(|(index, interface)| {
        let renewed = "DHCP needs a running daemon, which renews the lease";
        let heard = "a default route of router advertisements that isn't the kernel's needs a running daemon, which listens to them";
        let takes_route = |ipv6: &Ipv6| ipv6.takes_default_route();
        let (field, why) = interface.wanted_leases().find_map(|lease| match lease.protocol {
            LeaseProtocol::Dhcpv4 => Some(("ipv4.dhcp", renewed)),
            LeaseProtocol::Dhcpv6 => Some(("ipv6.dhcp", renewed)),
            LeaseProtocol::RouterAdvertisement => {
                let is_ours = interface.ipv6.as_ref().is_some_and(takes_route);
                is_ours.then_some(("ipv6", heard))
            }
        })?;
        Some((index, interface, field, why))
    });
    match refused {
        None => Ok(()),
        Some((index, interface, field, why)) => {
            let text = format!("{}: {why}", interface.name);
            let error = NipartError::new(ErrorKind::NotSupported, text)
                .at(format!("interfaces[{index}].{field}"));
            Err(Failure::of_document(&input.document, error))
        }
    }
}

fn nothing_is_unfinished(store: &Store) -> Result<(), NipartError> {
    match store.load(&SavedScope::default())?.unfinished.first() {
        None => Ok(()),
        Some(journal) => Err(NipartError::new(
            ErrorKind::Busy,
            format!(
                "the change {} was interrupted and not yet taken back",
                journal.id
            ),
        )
        .note("start nipartd: it takes it back")),
    }
}

/// What stands in for the plugins.
struct Tools {
    kernel: Kernel,
    names: Names,
    store: Mutex<Store>,
    progress: Mutex<ProgressLine>,
    is_stopped: AtomicBool,
}

/// One chain's way to them.
#[derive(Clone)]
struct LocalPeers {
    tools: Arc<Tools>,
    chain: Uuid,
    is_detached: bool,
}

/// A thread that panicked would have ended the process.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Peers for LocalPeers {
    /// The libraries have time limits of their own.
    async fn ask(
        &self,
        receiver: Role,
        data: EventData,
        _timeout: Duration,
    ) -> Result<EventData, NipartError> {
        let Tools {
            kernel,
            names,
            store,
            ..
        } = self.tools.as_ref();
        Ok(match data {
            EventData::Query(_) if receiver == Role::Dns => {
                EventData::State(Box::new(names.query().await?.into()))
            }
            EventData::Execute(plan) if receiver == Role::Dns => {
                EventData::Executed(Box::new(names.execute(&plan).await))
            }
            EventData::Query(scope) => {
                EventData::State(Box::new(kernel.query(&scope).await?.into()))
            }
            EventData::Execute(plan) => EventData::Executed(Box::new(kernel.execute(&plan).await)),
            EventData::Decide(request) => {
                EventData::Decision(Box::new(nipart_state::decide(&request)?))
            }
            EventData::LoadSaved(scope) => EventData::Saved(Box::new(locked(store).load(&scope)?)),
            EventData::OpenJournal(journal) => {
                locked(store).open_journal(*journal)?;
                EventData::Done
            }
            EventData::CloseJournal(closing) => {
                locked(store).close_journal(&closing)?;
                EventData::Done
            }
            EventData::QueryLeases => EventData::Leases(Vec::new()),
            other => {
                return Err(NipartError::new(
                    ErrorKind::NotSupported,
                    format!(
                        "{receiver} can't be asked `{}` without a daemon",
                        other.name()
                    ),
                ));
            }
        })
    }

    fn detached(&self) -> Self {
        Self {
            is_detached: true,
            ..self.clone()
        }
    }

    fn chain(&self) -> Uuid {
        self.chain
    }

    fn is_cancelled(&self) -> bool {
        !self.is_detached && self.tools.is_stopped.load(Ordering::Relaxed)
    }

    fn progress(&self, message: &str, done: usize, total: usize) {
        locked(&self.tools.progress).show(&Progress {
            message: message.to_string(),
            done,
            total,
        });
    }
}
