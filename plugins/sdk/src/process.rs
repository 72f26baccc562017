// SPDX-License-Identifier: Apache-2.0

//! The main function of a plugin's executable.

use std::process::ExitCode;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::Role;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::environment::{Environment, names};
use crate::handshake::{self, Connected};
use crate::plugin::{Phase, Plugin};

/// How long a plugin may go on once the tunnel has ended: nobody is left to answer to.
const END_DEADLINE: Duration = Duration::from_millis(700);
/// How long the last answers may take to be written.
const CLOSE_DEADLINE: Duration = Duration::from_millis(200);

/// Runs a plugin from the environment that the daemon gave it until it is done.
///
/// One thread, one runtime. The process ends when `run` returns, and at the latest shortly after the daemon has gone.
pub fn main<Run, Running>(roles: Vec<Role>, version: &str, run: Run) -> ExitCode
where
    Run: FnOnce(Plugin) -> Running,
    Running: Future<Output = Result<(), NipartError>>,
{
    start_logs();
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| {
            NipartError::new(ErrorKind::Bug, format!("cannot start the runtime: {error}"))
        })
        .and_then(|runtime| {
            let result = runtime.block_on(live(roles, version, run));
            // Detached work has nobody to report to; what must be on disk was awaited by `run`.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn live<Run, Running>(roles: Vec<Role>, version: &str, run: Run) -> Result<(), NipartError>
where
    Run: FnOnce(Plugin) -> Running,
    Running: Future<Output = Result<(), NipartError>>,
{
    let terminate = signal(SignalKind::terminate()).map_err(|error| {
        NipartError::new(ErrorKind::Bug, format!("cannot follow SIGTERM: {error}"))
    })?;
    let environment = Environment::from_process()?;
    let Connected { plugin, lock } = handshake::connect(environment, roles, version).await?;
    let handle = plugin.handle();
    let phase = plugin.phase();
    let phase_setter = plugin.phase_setter();
    let result = tokio::select! {
        result = run(plugin) => result,
        () = overdue(phase) => Err(NipartError::new(
            ErrorKind::Cancelled,
            "the daemon has gone: unfinished work is given up",
        )),
        // Never ends: a signal only moves the phase.
        () = follow_signal(terminate, phase_setter) => Ok(()),
    };
    handle.close(CLOSE_DEADLINE).await;
    drop(lock);
    result
}

/// Ends when the tunnel has ended some time ago.
async fn overdue(mut phase: watch::Receiver<Phase>) {
    let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
    tokio::time::sleep(END_DEADLINE).await;
}

async fn follow_signal(mut terminate: Signal, phase: watch::Sender<Phase>) {
    while terminate.recv().await.is_some() {
        phase.send_if_modified(|phase| {
            let running = *phase == Phase::Running;
            if running {
                *phase = Phase::Stopping;
            }
            running
        });
    }
    std::future::pending().await
}

/// Logs to stderr, which is the daemon's. What cannot be understood counts as `info`.
fn start_logs() {
    let filter: Targets = std::env::var(names::LOG)
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // Fails only where logs are set up already, as in tests.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
}
