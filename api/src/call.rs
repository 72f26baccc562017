// SPDX-License-Identifier: Apache-2.0

//! What clients ask.

use std::borrow::Cow;

use nipart_schemas::error::NipartError;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::StateSource;
use nipart_schemas::yaml;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::INTERFACE;
use crate::reply::CallError;
use crate::service::{self, InterfaceDescriptionParameters};

/// A call as it is sent. Keys that aren't known are ignored, as Varlink demands.
#[derive(Debug, Deserialize)]
pub struct Call<'message> {
    /// Interface and method.
    #[serde(borrow)]
    pub method: Cow<'message, str>,
    /// What belongs to the method.
    #[serde(borrow, default)]
    pub parameters: Option<&'message RawValue>,
    /// Several replies may come.
    #[serde(default)]
    pub more: Option<bool>,
    /// No reply is wanted.
    #[serde(default)]
    pub oneway: Option<bool>,
}

/// A call to be sent.
#[derive(Debug, Serialize)]
pub(crate) struct OutgoingCall<'call, P> {
    pub(crate) method: String,
    pub(crate) parameters: &'call P,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) more: bool,
}

/// Parameters of `Show`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowParameters {
    /// Names or patterns; all when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
    /// Which state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<StateSource>,
    /// Secrets instead of `<hidden>`: for those who may change the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_secrets: Option<bool>,
}

/// Parameters of `Apply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyParameters {
    /// What is wanted.
    pub state: NetworkState,
    /// Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<bool>,
    /// Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_only: Option<bool>,
    /// How long it may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Take it back after so many seconds unless it is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_seconds: Option<u32>,
    /// Take it back when this connection ends before it is committed. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<bool>,
    /// Don't wait for other changes. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_wait: Option<bool>,
    /// For the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ApplyParameters {
    /// All but the state as by default.
    #[must_use]
    pub fn of(state: NetworkState) -> Self {
        Self {
            state,
            verify: None,
            memory_only: None,
            timeout_ms: None,
            confirm_seconds: None,
            hang_up: None,
            no_wait: None,
            note: None,
        }
    }
}

/// Parameters of `Plan` and `GenerateRevert`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanParameters {
    /// What is wanted.
    pub state: NetworkState,
}

/// Parameters of `Commit`, `Rollback` and `Forget`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointParameters {
    /// Its id or the beginning of it; the newest when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// Parameters of `ListHistory`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListHistoryParameters {
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Parameters of `GetHistory` and `GetRollbackState`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryParameters {
    /// The entry's number.
    pub id: u64,
}

/// Parameters of `ListTraces`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListTracesParameters {
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// Parameters of `GetTrace`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetTraceParameters {
    /// The chain, the beginning of its id, or `last`.
    pub id: String,
}

/// Parameters of a method that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// A call that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `Ping`.
    Ping,
    /// `Show`.
    Show(ShowParameters),
    /// `Apply`.
    Apply(Box<ApplyParameters>),
    /// `Plan`.
    Plan(Box<PlanParameters>),
    /// `Commit`.
    Commit(CheckpointParameters),
    /// `Rollback`.
    Rollback(CheckpointParameters),
    /// `Forget`.
    Forget(CheckpointParameters),
    /// `ListCheckpoints`.
    ListCheckpoints,
    /// `Status`.
    Status,
    /// `GenerateRevert`.
    GenerateRevert(Box<PlanParameters>),
    /// `ListHistory`.
    ListHistory(ListHistoryParameters),
    /// `GetHistory`.
    GetHistory(HistoryParameters),
    /// `GetRollbackState`.
    GetRollbackState(HistoryParameters),
    /// `ListPlugins`.
    ListPlugins,
    /// `ListTraces`.
    ListTraces(ListTracesParameters),
    /// `GetTrace`.
    GetTrace(GetTraceParameters),
    /// `Subscribe`.
    Subscribe,
    /// `org.varlink.service.GetInfo`.
    GetInfo,
    /// `org.varlink.service.GetInterfaceDescription`.
    GetInterfaceDescription(InterfaceDescriptionParameters),
}

impl Request {
    /// Understands `call`.
    ///
    /// # Errors
    /// What is to be replied instead.
    pub fn understand(call: &Call<'_>) -> Result<Self, CallError> {
        let Some((interface, method)) = call.method.rsplit_once('.') else {
            return Err(CallError::MethodNotFound(call.method.to_string()));
        };
        match (interface, method) {
            (INTERFACE, "Ping") => none(call).map(|()| Self::Ping),
            (INTERFACE, "Show") => parameters(call).map(Self::Show),
            (INTERFACE, "Apply") => parameters(call).map(Self::Apply),
            (INTERFACE, "Plan") => parameters(call).map(Self::Plan),
            (INTERFACE, "Commit") => parameters(call).map(Self::Commit),
            (INTERFACE, "Rollback") => parameters(call).map(Self::Rollback),
            (INTERFACE, "Forget") => parameters(call).map(Self::Forget),
            (INTERFACE, "ListCheckpoints") => none(call).map(|()| Self::ListCheckpoints),
            (INTERFACE, "Status") => none(call).map(|()| Self::Status),
            (INTERFACE, "GenerateRevert") => parameters(call).map(Self::GenerateRevert),
            (INTERFACE, "ListHistory") => parameters(call).map(Self::ListHistory),
            (INTERFACE, "GetHistory") => parameters(call).map(Self::GetHistory),
            (INTERFACE, "GetRollbackState") => parameters(call).map(Self::GetRollbackState),
            (INTERFACE, "ListPlugins") => none(call).map(|()| Self::ListPlugins),
            (INTERFACE, "ListTraces") => parameters(call).map(Self::ListTraces),
            (INTERFACE, "GetTrace") => parameters(call).map(Self::GetTrace),
            (INTERFACE, "Subscribe") => none(call).map(|()| Self::Subscribe),
            (service::INTERFACE, "GetInfo") => none(call).map(|()| Self::GetInfo),
            (service::INTERFACE, "GetInterfaceDescription") => {
                parameters(call).map(Self::GetInterfaceDescription)
            }
            (INTERFACE | service::INTERFACE, _) => {
                Err(CallError::MethodNotFound(call.method.to_string()))
            }
            _ => Err(CallError::InterfaceNotFound(interface.to_string())),
        }
    }
}

fn none(call: &Call<'_>) -> Result<(), CallError> {
    parameters::<NoParameters>(call).map(|_| ())
}

fn parameters<P: DeserializeOwned>(call: &Call<'_>) -> Result<P, CallError> {
    let text = call.parameters.map_or("{}", RawValue::get);
    yaml::parse_json(text).map_err(|error| {
        let path = error.path.unwrap_or_default();
        match path.strip_prefix("state") {
            // A state is refused as all states are: with the place in it.
            Some(inside) => {
                let inside = inside.strip_prefix('.').unwrap_or(inside);
                let mut refused = NipartError::invalid(inside, error.message);
                refused.path = refused.path.filter(|path| !path.is_empty());
                CallError::Failed(refused)
            }
            None if !path.is_empty() => CallError::InvalidParameter(path),
            // An unknown or missing parameter stands in the message: "unknown key `name`, …".
            None => CallError::InvalidParameter(
                error
                    .message
                    .split('`')
                    .nth(1)
                    .unwrap_or(&error.message)
                    .to_string(),
            ),
        }
    })
}
