// SPDX-License-Identifier: Apache-2.0

//! What can be asked, answered or told: one variant each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Role;
use crate::decision::{Decision, DecisionRequest};
use crate::error::NipartError;
use crate::journal::{Journal, JournalClosing, SavedScope, SavedState};
use crate::lease::{DhcpConfig, DhcpStop, Lease, LeaseEvent};
use crate::monitor::{LinkChange, MonitorRule};
use crate::network_state::NetworkState;
use crate::operation::{ExecutionReport, Plan};
use crate::plugin::{PluginReport, Registration};
use crate::request::{
    ApplyReport, ApplyRequest, CheckpointReport, CheckpointRequest, HistoryReport, HistoryRequest,
    PlanReport, PlanRequest, Progress, QueryScope, ShowRequest, StatusReport,
};
use crate::unread::Unread;

macro_rules! event_data {
    ($( $(#[$meta:meta])* $variant:ident $( ( $inner:ty ) )? = $name:literal, )*) => {
        /// The payload of an event. Externally tagged: `{"show": {…}}`, or `"heartbeat"` where there is nothing to say.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum EventData {
            $( $(#[$meta])* #[serde(rename = $name)] $variant $( ( $inner ) )?, )*
        }

        impl EventData {
            /// The variant's name on the wire.
            pub fn name(&self) -> &'static str {
                match self {
                    $( event_data!(@pattern $variant $( $inner )?) => $name, )*
                }
            }
        }
    };
    (@pattern $variant:ident) => { EventData::$variant };
    (@pattern $variant:ident $inner:ty) => { EventData::$variant(_) };
}

event_data! {
    /// Answer: it is done, and there is nothing to add.
    Done = "done",
    /// Answer: it failed.
    Error(NipartError) = "error",
    /// Told to the asker while its question is worked on.
    Progress(Progress) = "progress",
    /// Told: stop working on the question `ref_uuid`.
    Cancel = "cancel",

    /// Plugin → daemon, on the registration socket: who I am. Answer: `done`.
    Register(Registration) = "register",
    /// Daemon → plugin, first thing on the tunnel: prove the token and return the nonce. Answer: `echo`.
    Echo(Echo) = "echo",
    /// Both ways on an idle tunnel. No answer.
    Heartbeat = "heartbeat",
    /// Daemon → plugin: finish and exit.
    Shutdown = "shutdown",
    /// Daemon → commander, told: a plugin is running, or is gone.
    PluginChanged(PluginReport) = "plugin-changed",

    /// Client → commander. Answer: `state`.
    Show(ShowRequest) = "show",
    /// Client → commander. Answer: `applied`.
    Apply(Box<ApplyRequest>) = "apply",
    /// Client → commander. Answer: `planned`.
    Plan(Box<PlanRequest>) = "plan",
    /// Client → commander: keep what a checkpoint has applied. Answer: `done`.
    Commit(CheckpointRequest) = "commit",
    /// Client → commander: take it back. Answer: `done`.
    Rollback(CheckpointRequest) = "rollback",
    /// Client → commander: give up what could not be taken back. Answer: `done`.
    Forget(CheckpointRequest) = "forget",
    /// Client → commander. Answer: `checkpoints`.
    ListCheckpoints = "list-checkpoints",
    /// Answer to `list-checkpoints`.
    Checkpoints(Vec<CheckpointReport>) = "checkpoints",
    /// Client → commander: is everything as saved? Answer: `status-report`.
    Status = "status",
    /// Answer to `status`.
    StatusReport(Box<StatusReport>) = "status-report",
    /// Client → commander: a state that would undo this one. Answer: `state`.
    GenerateRevert(Box<PlanRequest>) = "generate-revert",
    /// Client → commander → config. Answer: `history-report`.
    History(HistoryRequest) = "history",
    /// Answer to `history`.
    HistoryReport(Box<HistoryReport>) = "history-report",
    /// Answer: a network state.
    State(Box<Unread<NetworkState>>) = "state",
    /// Answer to `apply`.
    Applied(Box<ApplyReport>) = "applied",
    /// Answer to `plan`.
    Planned(Box<PlanReport>) = "planned",

    /// Commander → kernel, dns. Answer: `state`, of each what is its own.
    Query(QueryScope) = "query",
    /// Commander → kernel, dns: execute the waves in order, stop at the first failure. Answer: `executed`.
    Execute(Box<Plan>) = "execute",
    /// Answer to `execute`, also when an operation failed.
    Executed(Box<ExecutionReport>) = "executed",

    /// Commander → state: validate, merge and plan. Answer: `decision`.
    Decide(Arc<DecisionRequest>) = "decide",
    /// Answer to `decide`.
    Decision(Box<Decision>) = "decision",

    /// Commander → config. Answer: `saved`.
    LoadSaved(SavedScope) = "load-saved",
    /// Answer to `load-saved`.
    Saved(Box<SavedState>) = "saved",
    /// Commander → config: write this down before the kernel is touched. Answer: `done` once synced.
    OpenJournal(Box<Journal>) = "open-journal",
    /// Commander → config: the transaction's end. Answer: `done` once synced.
    CloseJournal(Arc<JournalClosing>) = "close-journal",

    /// Commander → monitor: these rules and no others. Answer: `done`.
    SetMonitorRules(Vec<MonitorRule>) = "set-monitor-rules",
    /// Monitor → the follower that the rule names, told.
    LinkChanged(LinkChange) = "link-changed",

    /// Monitor → the follower that the rules name, told: these links are not what they were some time ago.
    LinksChanged(Vec<String>) = "links-changed",

    /// Kernel → commander, told: what agreed upon keys for this link has ended, and what it left in the link is of no use.
    KeyAgreementEnded(String) = "key-agreement-ended",

    /// Commander → dhcp: run a client on this link (again, if its settings changed). Answer: `done`.
    StartDhcp(DhcpConfig) = "start-dhcp",
    /// Commander → dhcp: stop the client of this link. Answer: `done`.
    StopDhcp(DhcpStop) = "stop-dhcp",
    /// Commander → dhcp. Answer: `leases`.
    QueryLeases = "query-leases",
    /// Answer to `query-leases`.
    Leases(Vec<Lease>) = "leases",
    /// Dhcp → commander, told.
    LeaseChanged(LeaseEvent) = "lease-changed",

    /// Between plugins of other people: a name and anything.
    Custom(serde_json::Value) = "custom",
}

/// The daemon's test of a new tunnel, and the plugin's answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Echo {
    /// Chosen by the daemon, returned by the plugin.
    pub nonce: Uuid,
    /// The one-time token that the plugin was started with: it proves the daemon to the plugin.
    pub token: String,
    /// Roles that the daemon accepted.
    pub roles: Vec<Role>,
}
