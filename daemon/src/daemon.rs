// SPDX-License-Identifier: Apache-2.0

//! The daemon from start to end: its tasks, and the channels between them.
//!
//! ```text
//!  clients ◄─► api ──── requests (mpsc, 1024) ─────► ┌──────────┐
//!               ▲ ◄──── trace events (broadcast) ─── │ exchange │
//!                                                    └─▲──┬─────┘
//!                     happenings (mpsc, 1024)          │  │ frames (one queue per plugin, 1024 and 64 MiB)
//!          ┌───────────────────────┬───────────────────┘  ▼
//!      ┌───┴──┐ notices (mpsc, 4) ┌┴───────┐          ┌────────┐
//!      │ life │ ◄──────────────── │ reader │          │ writer │       one of each per plugin
//!      └───▲──┘                   └────▲───┘          └───┬────┘
//!          │ attempts (mpsc, 4)        └──── tunnel ◄─────┘
//!   ┌──────┴───────┐
//!   │ registration │ ◄── plugins that start
//!   └──────────────┘
//! ```
//!
//! - `exchange` ([`crate::exchange`]) owns switch, traces and plugin table. Ends last.
//! - `life` ([`crate::supervisor`]) owns a plugin's process, and its `reader` and `writer` ([`crate::connection`]).
//! - `registration` ([`crate::registration`]) owns the registration socket and a task per connection.
//! - `api` ([`crate::api`]) owns the public socket and a task per client.

use std::sync::Arc;

use nipart_plugin_sdk::memory::Memory;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::Role;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::api::{self, ApiSettings};
use crate::exchange::Exchange;
use crate::handle::CoreHandle;
use crate::notify;
use crate::registration::{self, Lives};
use crate::run_dir::RunDir;
use crate::settings::Settings;
use crate::supervisor::{Life, Stop, Surroundings};
use crate::trace::TraceRing;

/// Requests and happenings on their way to the exchange.
const QUEUE: usize = 1024;
/// Events that a subscriber may lag behind before it loses some.
const SUBSCRIPTION: usize = 512;
/// Registrations on their way to a plugin's life.
const ATTEMPTS: usize = 4;
/// For the API's and the exchange's tasks to end.
const END_DEADLINE: Duration = Duration::from_secs(2);

/// Runs until SIGTERM, SIGINT, or something that it cannot do without has failed.
pub(crate) async fn run(settings: Settings) -> Result<(), NipartError> {
    let mut terminate = follow(SignalKind::terminate())?;
    let mut interrupt = follow(SignalKind::interrupt())?;
    let run_dir = RunDir::take(&settings.run_dir)?;
    let api_settings = ApiSettings {
        socket: run_dir.api_socket(),
        group: settings.socket_group.clone(),
    };
    let registration = registration::listen(&run_dir.core_socket())?;

    let (happenings, happening_queue) = mpsc::channel(QUEUE);
    let (requests, request_queue) = mpsc::channel(QUEUE);
    let (events, _) = broadcast::channel(SUBSCRIPTION);
    let (ready, is_ready) = oneshot::channel();
    let traces = TraceRing::new(settings.trace.events, settings.trace.bytes);
    let core = CoreHandle::new(requests, events.clone());
    let exchange_end = CancellationToken::new();
    let exchange = Exchange::new(&settings.plugins, traces, events, ready);
    let mut exchange =
        tokio::spawn(exchange.run(happening_queue, request_queue, exchange_end.clone()));

    let heartbeat = settings.heartbeat();
    let (stop, stop_watch) = watch::channel(Stop::No);
    let surroundings = Arc::new(Surroundings {
        settings,
        run_dir,
        happenings,
        epoch: Instant::now(),
    });
    let (lives, attempts) = start_lives(&surroundings, &stop_watch);
    let registration = tokio::spawn(registration::serve(registration, attempts));
    let api_end = CancellationToken::new();
    let mut api = tokio::spawn(api::serve(api_settings, core, api_end.clone()));
    let memory = tokio::spawn(tend_memory(surroundings.epoch, heartbeat));
    let readiness = tokio::spawn(async move {
        if is_ready.await.is_ok() {
            tracing::info!("all plugins are running");
            notify::ready();
        }
    });

    let result = tokio::select! {
        () = received(&mut terminate) => Ok("SIGTERM"),
        () = received(&mut interrupt) => Ok("SIGINT"),
        result = &mut api => Err(match result {
            Ok(Err(error)) => error,
            Ok(Ok(())) => defect("the public API ended"),
            Err(error) => defect(&format!("the public API ended: {error}")),
        }),
        _ = &mut exchange => Err(defect("the event exchange ended")),
    };
    if let Ok(signal) = &result {
        tracing::info!("{signal}: shutting down");
    }
    notify::stopping();

    readiness.abort();
    memory.abort();
    stop_lives(lives, &stop).await;
    registration.abort();
    exchange_end.cancel();
    if !exchange.is_finished() {
        let _ = timeout(END_DEADLINE, exchange).await;
    }
    // After the exchange, so that the last answers, which say why, can still be written.
    api_end.cancel();
    if !api.is_finished() {
        let _ = timeout(END_DEADLINE, api).await;
    }
    surroundings.run_dir.remove_sockets();
    result.map(drop)
}

/// Together with the heartbeats, when this process is awake anyway.
async fn tend_memory(epoch: Instant, heartbeat: Duration) {
    let mut memory = Memory::default();
    let mut beats = interval_at(epoch + heartbeat, heartbeat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        beats.tick().await;
        memory.tend();
    }
}

/// A plugin's life task.
struct Started {
    commander: bool,
    task: JoinHandle<()>,
}

fn start_lives(
    surroundings: &Arc<Surroundings>,
    stop: &watch::Receiver<Stop>,
) -> (Vec<Started>, Lives) {
    let mut attempts = Lives::new();
    let lives = surroundings
        .settings
        .plugins
        .iter()
        .enumerate()
        .map(|(plugin, settings)| {
            let (attempt, attempt_queue) = mpsc::channel(ATTEMPTS);
            attempts.insert(settings.name.clone(), attempt);
            let life = Life {
                plugin,
                settings: settings.clone(),
                surroundings: Arc::clone(surroundings),
                attempts: attempt_queue,
                stop: stop.clone(),
            };
            Started {
                commander: settings.roles.contains(&Role::Commander),
                task: tokio::spawn(life.run()),
            }
        })
        .collect();
    (lives, attempts)
}

/// First the commander, while those that it needs still work, then all others. Lives end within their own deadlines.
async fn stop_lives(lives: Vec<Started>, stop: &watch::Sender<Stop>) {
    let (commander, others): (Vec<Started>, Vec<Started>) =
        lives.into_iter().partition(|life| life.commander);
    for (stage, lives) in [(Stop::Commander, commander), (Stop::All, others)] {
        stop.send_replace(stage);
        for life in lives {
            if let Err(error) = life.task.await {
                tracing::error!("the owner of a plugin's life ended: {error}");
            }
        }
    }
}

fn follow(kind: SignalKind) -> Result<Signal, NipartError> {
    signal(kind).map_err(|error| {
        NipartError::new(ErrorKind::Bug, format!("cannot follow signals: {error}"))
    })
}

async fn received(signal: &mut Signal) {
    if signal.recv().await.is_none() {
        std::future::pending().await
    }
}

fn defect(message: &str) -> NipartError {
    NipartError::new(ErrorKind::Bug, message)
}
