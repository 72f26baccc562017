// SPDX-License-Identifier: Apache-2.0

//! The one owner of switch, traces and the table of plugins: takes what happened, carries out what follows.
//!
//! Invariant: nothing in its loop waits for a plugin or a client. Queues are tried, never awaited.

use std::collections::HashMap;
use std::sync::Arc;

use nipart_plugin_sdk::codec::{self, Envelope, RawEvent};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, EventState, NipartEvent, Role};
use nipart_schemas::plugin::{PluginReport, PluginState};
use nipart_schemas::trace::TraceRecord;
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc, oneshot};
use tokio::time::{Instant, Interval, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::connection::{Put, Queue};
use crate::control::{self, Control};
use crate::handle::{Call, Request};
use crate::notify;
use crate::settings::PluginSettings;
use crate::switch::{Output, Passing, PluginId, Presence, Switch};
use crate::trace::{Clock, TraceRing, record};

/// What the owners of plugins' lives and tunnels report.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A plugin sent this.
    Frame { plugin: PluginId, passing: Passing },
    /// A plugin has shaken hands.
    Up {
        plugin: PluginId,
        pid: u32,
        version: String,
        queue: Queue,
    },
    /// A running plugin is suspect, or no longer.
    Heard {
        plugin: PluginId,
        state: PluginState,
        reason: Option<&'static str>,
    },
    /// A plugin's tunnel has ended. How it ended comes with `Lost`, soon.
    Closing { plugin: PluginId },
    /// A plugin is not running.
    Lost(Change),
}

/// A plugin is not running: what it is instead, and why.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) plugin: PluginId,
    pub(crate) state: PluginState,
    pub(crate) pid: Option<u32>,
    pub(crate) presence: Presence,
    pub(crate) reason: String,
}

/// A plugin in the table.
#[derive(Debug)]
struct Entry {
    report: PluginReport,
    queue: Option<Queue>,
    since: Option<Instant>,
    started: bool,
    /// Has run once, or was given up.
    settled: bool,
}

/// A client who waits.
#[derive(Debug)]
struct Caller {
    kind: String,
    since: Instant,
    reply: oneshot::Sender<Result<Box<RawValue>, NipartError>>,
    progress: Option<mpsc::Sender<nipart_schemas::request::Progress>>,
    _permit: OwnedSemaphorePermit,
}

/// The owner.
pub(crate) struct Exchange {
    switch: Switch,
    traces: TraceRing,
    clock: Clock,
    events: broadcast::Sender<Arc<TraceRecord>>,
    plugins: Vec<Entry>,
    callers: HashMap<Uuid, Caller>,
    ready: Option<oneshot::Sender<()>>,
}

impl Exchange {
    pub(crate) fn new(
        plugins: &[PluginSettings],
        traces: TraceRing,
        events: broadcast::Sender<Arc<TraceRecord>>,
        ready: oneshot::Sender<()>,
    ) -> Self {
        let mut switch = Switch::default();
        let plugins = plugins
            .iter()
            .map(|plugin| {
                switch.add(&plugin.name, &plugin.roles);
                Entry {
                    report: PluginReport {
                        name: plugin.name.clone(),
                        roles: plugin.roles.clone(),
                        state: PluginState::Discovered,
                        pid: None,
                        version: None,
                        restarts: 0,
                        uptime_ms: None,
                        reason: None,
                    },
                    queue: None,
                    since: None,
                    started: false,
                    settled: false,
                }
            })
            .collect();
        Self {
            switch,
            traces,
            clock: Clock::start(),
            events,
            plugins,
            callers: HashMap::new(),
            ready: Some(ready),
        }
    }

    /// Runs until `end`, then fails what is still open.
    pub(crate) async fn run(
        mut self,
        mut happenings: mpsc::Receiver<Happening>,
        mut requests: mpsc::Receiver<Request>,
        end: CancellationToken,
    ) {
        // From this loop and not from a task of its own: the watchdog is to notice when it hangs.
        let mut watchdog = notify::watchdog();
        self.tell_when_ready();
        loop {
            tokio::select! {
                Some(happening) = happenings.recv() => self.happened(happening),
                Some(request) = requests.recv() => self.requested(request),
                () = until(self.switch.next_deadline()) => self.switch.expire(Instant::now()),
                () = tick(watchdog.as_mut()) => notify::alive(),
                () = end.cancelled() => break,
            }
            self.carry_out();
        }
        self.switch.end();
        self.carry_out();
    }

    fn happened(&mut self, happening: Happening) {
        let now = Instant::now();
        match happening {
            Happening::Frame { plugin, passing } => self.switch.plugin_sent(now, plugin, passing),
            Happening::Up {
                plugin,
                pid,
                version,
                queue,
            } => {
                if let Some(entry) = self.plugins.get_mut(plugin) {
                    entry.queue = Some(queue);
                    entry.since = Some(now);
                    entry.settled = true;
                    entry.report.state = PluginState::Running;
                    entry.report.pid = Some(pid);
                    entry.report.version = Some(version);
                    entry.report.reason = None;
                }
                self.switch.up(plugin, Some(pid));
                self.tell_commander(plugin);
                self.tell_when_ready();
            }
            Happening::Heard {
                plugin,
                state,
                reason,
            } => {
                if let Some(entry) = self.plugins.get_mut(plugin) {
                    entry.report.state = state;
                    entry.report.reason = reason.map(str::to_string);
                }
            }
            Happening::Closing { plugin } => self.switch.closing(plugin),
            Happening::Lost(change) => self.lost(change),
        }
    }

    fn lost(&mut self, change: Change) {
        let Some(entry) = self.plugins.get_mut(change.plugin) else {
            return;
        };
        let was_running = entry.queue.take().is_some();
        entry.since = None;
        entry.report.state = change.state;
        entry.report.pid = change.pid;
        entry.report.reason = Some(change.reason.clone());
        match change.state {
            PluginState::Starting if entry.started => entry.report.restarts += 1,
            PluginState::Starting => entry.started = true,
            PluginState::Failed => entry.settled = true,
            _ => {}
        }
        self.switch
            .lost(change.plugin, change.presence, &change.reason);
        if was_running || change.state == PluginState::Failed {
            self.tell_commander(change.plugin);
        }
        self.tell_when_ready();
    }

    fn requested(&mut self, request: Request) {
        match request {
            Request::Call(call) => self.call(*call),
            Request::CallDropped(question) => {
                if let Some(caller) = self.callers.remove(&question) {
                    tracing::info!(chain = %question, "the client who asked `{}` has gone", caller.kind);
                }
                self.switch.client_gone(question);
            }
            Request::Plugins(reply) => {
                let now = Instant::now();
                let reports = self.plugins.iter().map(|entry| entry.report(now)).collect();
                let _ = reply.send(reports);
            }
            Request::Traces(limit, reply) => {
                let _ = reply.send(self.traces.summaries(limit));
            }
            Request::Trace(chain, reply) => {
                let _ = reply.send(self.traces.chain(chain));
            }
        }
    }

    fn call(&mut self, call: Call) {
        let now = Instant::now();
        match Passing::of(&call.event) {
            Ok(passing) => {
                let caller = Caller {
                    kind: call.event.kind,
                    since: now,
                    reply: call.reply,
                    progress: call.progress,
                    _permit: call.permit,
                };
                self.callers.insert(call.event.uuid, caller);
                self.switch.client_asked(now, passing);
            }
            Err(error) => {
                let _ = call.reply.send(Err(error));
            }
        }
    }

    /// Does what the switch wants, until it wants nothing more.
    fn carry_out(&mut self) {
        loop {
            let outputs = self.switch.outputs();
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    Output::Passed { envelope, bytes } => self.remember(&envelope, bytes),
                    Output::Deliver { plugin, passing } => self.deliver(plugin, passing),
                    Output::Client { question, passing } => self.answer_client(question, &passing),
                }
            }
        }
    }

    fn remember(&mut self, envelope: &Envelope, bytes: usize) {
        let at_us = self.clock.microseconds(Instant::now());
        let record = Arc::new(record(envelope, bytes, at_us));
        if self.events.receiver_count() > 0 {
            // Fails when the last subscriber has just gone.
            let _ = self.events.send(Arc::clone(&record));
        }
        self.traces.push(record);
    }

    fn deliver(&mut self, plugin: PluginId, passing: Passing) {
        let queue = self
            .plugins
            .get(plugin)
            .and_then(|entry| entry.queue.as_ref());
        // Without a queue, or with a closed one, the plugin is gone: its questions are closed, or soon will be.
        if queue.is_some_and(|queue| queue.put(passing.frame) == Put::Full) {
            self.switch.refused(plugin, &passing.envelope);
        }
    }

    fn answer_client(&mut self, question: Uuid, passing: &Passing) {
        let event: Result<RawEvent, NipartError> = codec::decode(&passing.frame);
        if passing.envelope.state == EventState::Ongoing {
            let progress = self
                .callers
                .get(&question)
                .and_then(|caller| caller.progress.as_ref());
            if let (Some(progress), Ok(event)) = (progress, event)
                && let Ok(Control::Progress(step)) = control::parse(&event.data)
            {
                // Who doesn't keep up misses steps, and that is all.
                let _ = progress.try_send(step);
            }
            return;
        }
        let Some(caller) = self.callers.remove(&question) else {
            return;
        };
        let answer = event.and_then(answer_of);
        let milliseconds = caller.since.elapsed().as_millis();
        match &answer {
            Ok(_) => {
                tracing::debug!(chain = %question, "`{}` done in {milliseconds} ms", caller.kind);
            }
            Err(error) => {
                tracing::info!(chain = %question, "`{}` failed after {milliseconds} ms: {error}", caller.kind);
            }
        }
        let _ = caller.reply.send(answer);
    }

    /// Tells a running commander what has become of a plugin; one that is back, of all that run.
    fn tell_commander(&mut self, plugin: PluginId) {
        let now = Instant::now();
        let is_commander =
            |entry: &Entry| entry.report.roles.contains(&Role::Commander) && entry.queue.is_some();
        let Some(commander) = self.plugins.iter().position(is_commander) else {
            return;
        };
        let reports: Vec<PluginReport> = self
            .plugins
            .iter()
            .enumerate()
            .filter(|(other, entry)| {
                *other != commander
                    && (*other == plugin || (plugin == commander && entry.queue.is_some()))
            })
            .map(|(_, entry)| entry.report(now))
            .collect();
        for report in reports {
            self.switch
                .tell(now, Role::Commander, EventData::PluginChanged(report));
        }
    }

    fn tell_when_ready(&mut self) {
        if self.plugins.iter().all(|entry| entry.settled)
            && let Some(ready) = self.ready.take()
        {
            let _ = ready.send(());
        }
    }
}

impl Entry {
    fn report(&self, now: Instant) -> PluginReport {
        let uptime = self
            .since
            .map(|since| now.saturating_duration_since(since).as_millis());
        PluginReport {
            uptime_ms: uptime.and_then(|uptime| u64::try_from(uptime).ok()),
            ..self.report.clone()
        }
    }
}

/// The data of an answer, or the error that it is.
fn answer_of(event: NipartEvent<Box<RawValue>>) -> Result<Box<RawValue>, NipartError> {
    if event.state == EventState::Done {
        return Ok(event.data);
    }
    match control::parse(&event.data) {
        Ok(Control::Error(error)) => Err(error),
        _ => Err(NipartError::new(
            ErrorKind::Protocol,
            format!("the {} plugin failed without an error", event.sender),
        )),
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn tick(interval: Option<&mut Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
