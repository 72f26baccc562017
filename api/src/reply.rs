// SPDX-License-Identifier: Apache-2.0

//! What clients are answered: typed parameters, and messages around them.
//!
//! Varlink's names have no hyphens: what `schemas` writes in kebab-case is written anew here.

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::plugin::PluginReport;
use nipart_schemas::request::{CheckpointReport, HistoryEntry, Progress};
use nipart_schemas::trace::{TraceRecord, TraceSummary};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{INTERFACE, service};

/// Parameters of the reply to `Ping`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The daemon's version.
    pub version: String,
    /// Milliseconds since the daemon's start.
    pub uptime_ms: u64,
    /// Whether the caller may change the network.
    pub may_apply: bool,
}

/// Parameters of the reply to `Show`, `GenerateRevert` and `GetRollbackState`.
#[derive(Debug, Deserialize)]
pub struct Shown<'message> {
    /// The state, as it was sent.
    #[serde(borrow)]
    pub state: &'message RawValue,
}

/// Parameters of a reply to `Apply`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Applied<R> {
    /// In all replies but the last.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// In the last one.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub report: Option<R>,
}

fn none<T>() -> Option<T> {
    None
}

/// Parameters of the reply to `Plan`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Planned<R> {
    /// What would be done.
    pub report: R,
}

/// Parameters of the reply to `ListCheckpoints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoints {
    /// Oldest first.
    pub checkpoints: Vec<CheckpointReport>,
}

/// Parameters of the reply to `ListHistory`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntries {
    /// Newest first.
    pub entries: Vec<HistoryEntry>,
}

/// Parameters of the reply to `ListPlugins`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugins {
    /// All of them.
    pub plugins: Vec<Plugin>,
}

/// One plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    /// Its name in the daemon's settings.
    pub name: String,
    /// Roles that it plays.
    pub roles: Vec<String>,
    /// Where it is in its life.
    pub state: String,
    /// Its process, while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// What it said at registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How often it was started again.
    pub restarts: u32,
    /// Milliseconds since it is running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_ms: Option<u64>,
    /// Why it is not running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl From<PluginReport> for Plugin {
    fn from(report: PluginReport) -> Self {
        Self {
            name: report.name,
            roles: report.roles.iter().map(ToString::to_string).collect(),
            state: word(&report.state),
            pid: report.pid,
            version: report.version,
            restarts: report.restarts,
            uptime_ms: report.uptime_ms,
            reason: report.reason,
        }
    }
}

/// Parameters of the reply to `ListTraces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// Newest first.
    pub traces: Vec<Trace>,
}

/// A chain in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The root request.
    pub id: String,
    /// What was asked.
    pub kind: String,
    /// When the first event passed: microseconds since the Unix epoch.
    pub started_us: u64,
    /// From the first event to the last.
    pub duration_us: u64,
    /// Where the root question stands.
    pub state: String,
    /// Events that are remembered.
    pub events: usize,
    /// Bytes of all of them.
    pub bytes: usize,
}

impl From<TraceSummary> for Trace {
    fn from(summary: TraceSummary) -> Self {
        Self {
            id: summary.id,
            kind: summary.kind,
            started_us: summary.started_us,
            duration_us: summary.duration_us,
            state: word(&summary.state),
            events: summary.events,
            bytes: summary.bytes,
        }
    }
}

/// Parameters of the reply to `GetTrace`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvents {
    /// Oldest first.
    pub events: Vec<TraceEvent>,
}

/// Parameters of a reply to `Subscribe`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// In all replies but the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<TraceEvent>,
    /// Events lost before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
}

/// One event as the daemon's switch saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// The event.
    pub uuid: String,
    /// The event that it answers or follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_uuid: Option<String>,
    /// The root request.
    pub chain: String,
    /// Name of what it carries.
    pub kind: String,
    /// Where it stood.
    pub state: String,
    /// Who said it.
    pub sender: String,
    /// To whom.
    pub receiver: String,
    /// Length of its frame.
    pub bytes: usize,
    /// When it passed: microseconds since the Unix epoch.
    pub at_us: u64,
}

impl From<&TraceRecord> for TraceEvent {
    fn from(record: &TraceRecord) -> Self {
        Self {
            uuid: record.uuid.to_string(),
            ref_uuid: record.ref_uuid.map(|uuid| uuid.to_string()),
            chain: record.chain.to_string(),
            kind: record.kind.clone(),
            state: word(&record.state),
            sender: record.sender.to_string(),
            receiver: record.receiver.to_string(),
            bytes: record.bytes,
            at_us: record.at_us,
        }
    }
}

/// The word of an enum without data, as the schema spells it.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// An error that is replied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// `io.nipart.Failed`.
    Failed(NipartError),
    /// There is no such method.
    MethodNotFound(String),
    /// There is no such interface.
    InterfaceNotFound(String),
    /// This parameter is unknown, missing or wrong.
    InvalidParameter(String),
    /// The method replies more than once, and wasn't called with `more`.
    ExpectedMore,
}

impl From<NipartError> for CallError {
    fn from(error: NipartError) -> Self {
        Self::Failed(error)
    }
}

#[derive(Serialize)]
struct OutgoingReply<P> {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continues: bool,
    parameters: P,
}

#[derive(Serialize)]
struct OutgoingError<P> {
    error: String,
    parameters: P,
}

/// The message of a reply; `continues` when more will come.
///
/// # Errors
/// Never for the types of this module.
pub fn message<P: Serialize>(parameters: &P, continues: bool) -> Result<String, serde_json::Error> {
    serde_json::to_string(&OutgoingReply {
        continues,
        parameters,
    })
}

/// The message of a last reply with one parameter whose JSON text is there already: it is copied, not parsed.
pub fn raw_message(parameter: &str, json: &str) -> String {
    format!("{{\"parameters\":{{\"{parameter}\":{json}}}}}")
}

/// The message of a last reply whose parameters' JSON text is there already.
pub fn whole_message(parameters: &str) -> String {
    format!("{{\"parameters\":{parameters}}}")
}

/// The message of an error.
///
/// # Errors
/// Never for the types of this module.
pub fn error_message(error: &CallError) -> Result<String, serde_json::Error> {
    fn named<P: Serialize>(
        interface: &str,
        name: &str,
        parameters: P,
    ) -> Result<String, serde_json::Error> {
        serde_json::to_string(&OutgoingError {
            error: format!("{interface}.{name}"),
            parameters,
        })
    }
    match error {
        CallError::Failed(error) => named(INTERFACE, "Failed", error),
        CallError::MethodNotFound(method) => named(
            service::INTERFACE,
            "MethodNotFound",
            serde_json::json!({ "method": method }),
        ),
        CallError::InterfaceNotFound(interface) => named(
            service::INTERFACE,
            "InterfaceNotFound",
            serde_json::json!({ "interface": interface }),
        ),
        CallError::InvalidParameter(parameter) => named(
            service::INTERFACE,
            "InvalidParameter",
            serde_json::json!({ "parameter": parameter }),
        ),
        CallError::ExpectedMore => named(service::INTERFACE, "ExpectedMore", serde_json::json!({})),
    }
}

/// A reply as it is received.
#[derive(Debug, Deserialize)]
pub(crate) struct IncomingReply<'message> {
    #[serde(borrow, default)]
    pub(crate) parameters: Option<&'message RawValue>,
    #[serde(default)]
    pub(crate) error: Option<String>,
}

impl<'message> IncomingReply<'message> {
    /// Parameters, unless it is an error.
    pub(crate) fn into_parameters(self) -> Result<&'message str, NipartError> {
        let parameters = self.parameters.map_or("{}", RawValue::get);
        let Some(error) = self.error else {
            return Ok(parameters);
        };
        if error == format!("{INTERFACE}.Failed")
            && let Ok(failed) = serde_json::from_str(parameters)
        {
            return Err(failed);
        }
        Err(NipartError::new(
            ErrorKind::Protocol,
            format!("the daemon refuses the call: {error} {parameters}"),
        ))
    }
}
