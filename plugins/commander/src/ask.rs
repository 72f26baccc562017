// SPDX-License-Identifier: Apache-2.0

//! The questions of chains, typed: one function each.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use nipart_plugin_sdk::unexpected;
use nipart_schemas::decision::{Decision, DecisionRequest};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::journal::{Journal, JournalClosing, SavedScope, SavedState};
use nipart_schemas::lease::{DhcpConfig, DhcpStop, Lease};
use nipart_schemas::monitor::MonitorRule;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{ExecutionReport, Plan};
use nipart_schemas::request::{HistoryReport, HistoryRequest, QueryScope};
use nipart_schemas::unread::Unread;

use tokio::time::{Instant, sleep, timeout_at};

use crate::peers::Peers;

/// Reading the kernel costs milliseconds; the rest is for a machine under load.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Thousands of deletions can take this long (kernel grace periods).
const EXECUTE_TIMEOUT: Duration = Duration::from_secs(300);
/// For plugins that only think or write a file.
const SHORT_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two tries while a plugin is away: its restart takes about as long.
const BACK_OFF: Duration = Duration::from_millis(200);

/// Does the work again while a plugin is away, until `deadline`: the daemon restarts plugins.
///
/// # Errors
/// That of the last try, or kind `timeout`.
pub async fn patiently<T, F: Future<Output = Result<T, NipartError>>>(
    deadline: Instant,
    mut work: impl FnMut() -> F,
) -> Result<T, NipartError> {
    loop {
        let result = timeout_at(deadline, work()).await.unwrap_or_else(|_| {
            Err(NipartError::new(
                ErrorKind::Timeout,
                "the work has not ended within its time",
            ))
        });
        match result {
            Err(error)
                if error.kind == ErrorKind::PluginFailure
                    && Instant::now() + BACK_OFF < deadline =>
            {
                tracing::warn!("waiting for a plugin to come back: {error}");
                sleep(BACK_OFF).await;
            }
            other => return other,
        }
    }
}

/// What there is: the kernel's network, and name resolution when the scope asks for it, read side by side.
///
/// # Errors
/// Those of [`Peers::ask`], here and below.
pub async fn query(peers: &impl Peers, scope: QueryScope) -> Result<NetworkState, NipartError> {
    observe(peers, scope).await?.into_read()
}

/// As [`query`], for who may only hand it on.
///
/// # Errors
/// As [`query`].
pub(crate) async fn observe(
    peers: &impl Peers,
    scope: QueryScope,
) -> Result<Unread<NetworkState>, NipartError> {
    if !scope.dns {
        return query_one(peers, Role::Kernel, scope).await;
    }
    let (state, names) = futures::try_join!(
        query_one(peers, Role::Kernel, scope.clone()),
        query_one(peers, Role::Dns, scope)
    )?;
    let mut state = state.into_read()?;
    state.add_names(names.into_read()?);
    Ok(state.into())
}

async fn query_one(
    peers: &impl Peers,
    receiver: Role,
    scope: QueryScope,
) -> Result<Unread<NetworkState>, NipartError> {
    match peers
        .ask(receiver.clone(), EventData::Query(scope), QUERY_TIMEOUT)
        .await?
    {
        EventData::State(state) => Ok(*state),
        other => Err(unexpected(&receiver, &other)),
    }
}

/// Executes wave after wave, each by whom it belongs to, and stops at the first failure.
pub async fn execute(peers: &impl Peers, plan: Plan) -> Result<ExecutionReport, NipartError> {
    let mut report = ExecutionReport::default();
    for (executor, part) in plan.by_executor() {
        let of_part = match peers
            .ask(
                executor.clone(),
                EventData::Execute(Box::new(part)),
                EXECUTE_TIMEOUT,
            )
            .await?
        {
            EventData::Executed(report) => *report,
            other => return Err(unexpected(&executor, &other)),
        };
        report.succeeded += of_part.succeeded;
        report.created.extend(of_part.created);
        report.failures = of_part.failures;
        if !report.failures.is_empty() {
            break;
        }
    }
    Ok(report)
}

/// Decides what to do.
pub async fn decide(
    peers: &impl Peers,
    request: Arc<DecisionRequest>,
) -> Result<Decision, NipartError> {
    match peers
        .ask(Role::State, EventData::Decide(request), SHORT_TIMEOUT)
        .await?
    {
        EventData::Decision(decision) => Ok(*decision),
        other => Err(unexpected(&Role::State, &other)),
    }
}

/// What is remembered.
pub async fn load_saved(peers: &impl Peers, scope: SavedScope) -> Result<SavedState, NipartError> {
    match peers
        .ask(Role::Config, EventData::LoadSaved(scope), SHORT_TIMEOUT)
        .await?
    {
        EventData::Saved(saved) => Ok(*saved),
        other => Err(unexpected(&Role::Config, &other)),
    }
}

/// Writes down what is going to be done.
pub async fn open_journal(peers: &impl Peers, journal: Journal) -> Result<(), NipartError> {
    done(
        peers,
        Role::Config,
        EventData::OpenJournal(Box::new(journal)),
    )
    .await
}

/// Ends a transaction.
pub async fn close_journal(
    peers: &impl Peers,
    closing: Arc<JournalClosing>,
) -> Result<(), NipartError> {
    done(peers, Role::Config, EventData::CloseJournal(closing)).await
}

/// A part of the history.
pub async fn history(
    peers: &impl Peers,
    request: HistoryRequest,
) -> Result<HistoryReport, NipartError> {
    match peers
        .ask(Role::Config, EventData::History(request), SHORT_TIMEOUT)
        .await?
    {
        EventData::HistoryReport(report) => Ok(*report),
        other => Err(unexpected(&Role::Config, &other)),
    }
}

/// The leases of now.
pub async fn query_leases(peers: &impl Peers) -> Result<Vec<Lease>, NipartError> {
    match peers
        .ask(Role::Dhcp, EventData::QueryLeases, SHORT_TIMEOUT)
        .await?
    {
        EventData::Leases(leases) => Ok(leases),
        other => Err(unexpected(&Role::Dhcp, &other)),
    }
}

/// Starts a DHCP client, or restarts it with other settings.
pub async fn start_dhcp(peers: &impl Peers, config: DhcpConfig) -> Result<(), NipartError> {
    done(peers, Role::Dhcp, EventData::StartDhcp(config)).await
}

/// Stops a DHCP client.
pub async fn stop_dhcp(peers: &impl Peers, stop: DhcpStop) -> Result<(), NipartError> {
    done(peers, Role::Dhcp, EventData::StopDhcp(stop)).await
}

/// Gives the monitor its rules.
pub async fn set_monitor_rules(
    peers: &impl Peers,
    rules: Vec<MonitorRule>,
) -> Result<(), NipartError> {
    done(peers, Role::Monitor, EventData::SetMonitorRules(rules)).await
}

async fn done(peers: &impl Peers, receiver: Role, data: EventData) -> Result<(), NipartError> {
    match peers.ask(receiver.clone(), data, SHORT_TIMEOUT).await? {
        EventData::Done => Ok(()),
        other => Err(unexpected(&receiver, &other)),
    }
}
