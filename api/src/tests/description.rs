// SPDX-License-Identifier: Apache-2.0

//! Holds the types against `io.nipart.varlink`: same methods, same names, same kinds of values.

use std::collections::BTreeMap;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::request::{
    ApplyReport, CheckpointReport, HistoryDetail, HistoryEntry, InterfaceStatus, PlanReport,
    Progress, Requester, StateSource, StatusReport, SyncState,
};
use serde_json::{Value, json};

use crate::INTERFACE_DESCRIPTION;
use crate::call::*;
use crate::reply::*;

type Fields = BTreeMap<String, String>;

/// The description, read: fields of types and errors, parameters and replies of methods.
struct Description {
    types: BTreeMap<String, Fields>,
    methods: BTreeMap<String, (Fields, Fields)>,
}

impl Description {
    fn read(text: &str) -> Self {
        let plain: String = text
            .lines()
            .map(|line| line.split('#').next().unwrap())
            .collect::<Vec<_>>()
            .join(" ");
        let mut types = BTreeMap::new();
        let mut methods = BTreeMap::new();
        let mut rest = plain
            .trim_start()
            .strip_prefix("interface io.nipart")
            .unwrap()
            .trim();
        while !rest.is_empty() {
            let (keyword, behind) = rest.split_once(' ').unwrap();
            let (name, behind) = behind.split_once('(').unwrap();
            let (fields, behind) = behind.split_once(')').unwrap();
            rest = behind.trim_start();
            let fields = read_fields(fields);
            match keyword {
                "type" | "error" => {
                    types.insert(name.trim().to_string(), fields);
                }
                "method" => {
                    let (reply, behind) =
                        rest.strip_prefix("-> (").unwrap().split_once(')').unwrap();
                    rest = behind.trim_start();
                    methods.insert(name.trim().to_string(), (fields, read_fields(reply)));
                }
                other => panic!("{other}"),
            }
        }
        Self { types, methods }
    }

    /// Whether `value` has exactly the fields of a type, those with `?` being optional.
    fn check(&self, what: &str, fields: &Fields, value: &Value, is_full: bool) {
        let object = value
            .as_object()
            .unwrap_or_else(|| panic!("{what}: {value}"));
        for (name, kind) in fields {
            match (object.get(name), kind.strip_prefix('?')) {
                (None, Some(_)) if !is_full => {}
                (None, _) => panic!("{what}: {name} is described, not written in {value}"),
                (Some(value), kind_inside) => {
                    self.check_kind(
                        &format!("{what}.{name}"),
                        kind_inside.unwrap_or(kind),
                        value,
                    );
                }
            }
        }
        for name in object.keys() {
            assert!(
                fields.contains_key(name),
                "{what}: {name} is written, not described"
            );
        }
    }

    fn check_kind(&self, what: &str, kind: &str, value: &Value) {
        if let Some(kind) = kind.strip_prefix("[]") {
            let items = value
                .as_array()
                .unwrap_or_else(|| panic!("{what}: {value}"));
            assert!(!items.is_empty(), "{what}: an empty list shows nothing");
            items
                .iter()
                .for_each(|item| self.check_kind(what, kind, item));
            return;
        }
        let fits = match kind {
            "string" => value.is_string(),
            "bool" => value.is_boolean(),
            "int" => value.is_i64() || value.is_u64(),
            "object" => value.is_object(),
            name => {
                self.check(what, &self.types[name], value, false);
                true
            }
        };
        assert!(fits, "{what}: {value} is no {kind}");
    }
}

fn read_fields(text: &str) -> Fields {
    text.split(',')
        .filter(|field| !field.trim().is_empty())
        .map(|field| {
            let (name, kind) = field.split_once(':').unwrap();
            (name.trim().to_string(), kind.trim().to_string())
        })
        .collect()
}

fn plugin() -> Plugin {
    Plugin {
        name: "kernel".into(),
        roles: vec!["kernel".into()],
        state: "running".into(),
        pid: Some(1),
        version: Some("1".into()),
        restarts: 0,
        uptime_ms: Some(1),
        reason: Some("none".into()),
    }
}

fn trace_event() -> TraceEvent {
    TraceEvent {
        uuid: "a".into(),
        ref_uuid: Some("b".into()),
        chain: "c".into(),
        kind: "show".into(),
        state: "done".into(),
        sender: "client".into(),
        receiver: "commander".into(),
        bytes: 1,
        at_us: 1,
    }
}

fn trace() -> Trace {
    Trace {
        id: "a".into(),
        kind: "show".into(),
        started_us: 1,
        duration_us: 1,
        state: "done".into(),
        events: 1,
        bytes: 1,
    }
}

fn checkpoint() -> CheckpointReport {
    CheckpointReport {
        id: "a".into(),
        remaining: 1,
        interfaces: vec!["eth0".into()],
        problem: Some("busy".into()),
    }
}

fn interface_status() -> InterfaceStatus {
    InterfaceStatus {
        interface: "eth0".into(),
        state: SyncState::Failed,
        operations: vec!["set eth0".into()],
        reason: Some("busy".into()),
    }
}

fn requester() -> Requester {
    Requester {
        uid: 0,
        pid: Some(1),
        command: Some("nipartctl".into()),
    }
}

fn history_entry() -> HistoryEntry {
    HistoryEntry {
        id: 1,
        time: 1,
        requester: requester(),
        note: Some("why".into()),
        trace: "a".into(),
        operations: 1,
        changes: vec!["set eth0".into()],
    }
}

fn progress() -> Progress {
    Progress {
        message: "wave 1".into(),
        done: 1,
        total: 2,
    }
}

#[test]
fn types_are_as_described() {
    let description = Description::read(INTERFACE_DESCRIPTION);
    let values = [
        ("Plugin", json!(plugin())),
        ("Trace", json!(trace())),
        ("TraceEvent", json!(trace_event())),
        ("Progress", json!(progress())),
        ("Checkpoint", json!(checkpoint())),
        ("InterfaceStatus", json!(interface_status())),
        ("Requester", json!(requester())),
        ("HistoryEntry", json!(history_entry())),
        (
            "Failed",
            json!(NipartError::invalid("mtu", "no").note("more")),
        ),
    ];
    assert_eq!(values.len(), description.types.len());
    for (name, value) in values {
        description.check(name, &description.types[name], &value, true);
    }
}

#[test]
fn methods_are_as_described() {
    let description = Description::read(INTERFACE_DESCRIPTION);
    let state = nipart_schemas::network_state::NetworkState::default();
    let show = ShowParameters {
        interfaces: Some(vec!["eth0".into()]),
        source: Some(StateSource::Saved),
        show_secrets: Some(true),
    };
    let apply = ApplyParameters {
        state: state.clone(),
        verify: Some(true),
        memory_only: Some(true),
        timeout_ms: Some(1),
        confirm_seconds: Some(1),
        hang_up: Some(true),
        no_wait: Some(true),
        note: Some("why".into()),
    };
    let ending = CheckpointParameters {
        checkpoint: Some("a".into()),
    };
    let status = StatusReport {
        interfaces: vec![interface_status()],
        checkpoints: vec![checkpoint()],
        recovered: vec!["all".into()],
    };
    let detail = HistoryDetail {
        entry: history_entry(),
        desired: state.clone(),
        revert: state.clone(),
        saved: Some(state.clone()),
    };
    let pong = Pong {
        version: "1".into(),
        uptime_ms: 1,
        may_apply: true,
    };
    let applied = Applied {
        progress: Some(progress()),
        report: Some(ApplyReport::default()),
    };
    let subscribed = Subscribed {
        event: Some(trace_event()),
        missed: Some(1),
    };
    let shown: Value = serde_json::from_str(&raw_message("state", r#"{"interfaces":[]}"#)).unwrap();
    let methods = [
        ("Ping", json!({}), json!(pong)),
        ("Show", json!(show), shown["parameters"].clone()),
        ("Apply", json!(apply), json!(applied)),
        (
            "Plan",
            json!(PlanParameters {
                state: state.clone()
            }),
            json!(Planned {
                report: PlanReport::default()
            }),
        ),
        ("Commit", json!(ending), json!({})),
        ("Rollback", json!(ending), json!({})),
        ("Forget", json!(ending), json!({})),
        (
            "ListCheckpoints",
            json!({}),
            json!(Checkpoints {
                checkpoints: vec![checkpoint()]
            }),
        ),
        ("Status", json!({}), json!(status)),
        (
            "GenerateRevert",
            json!(PlanParameters { state }),
            shown["parameters"].clone(),
        ),
        (
            "ListHistory",
            json!(ListHistoryParameters { limit: Some(1) }),
            json!(HistoryEntries {
                entries: vec![history_entry()]
            }),
        ),
        (
            "GetHistory",
            json!(HistoryParameters { id: 1 }),
            json!(detail),
        ),
        (
            "GetRollbackState",
            json!(HistoryParameters { id: 1 }),
            shown["parameters"].clone(),
        ),
        (
            "ListPlugins",
            json!({}),
            json!(Plugins {
                plugins: vec![plugin()]
            }),
        ),
        (
            "ListTraces",
            json!(ListTracesParameters { limit: Some(1) }),
            json!(Traces {
                traces: vec![trace()]
            }),
        ),
        (
            "GetTrace",
            json!(GetTraceParameters { id: "last".into() }),
            json!(TraceEvents {
                events: vec![trace_event()]
            }),
        ),
        ("Subscribe", json!({}), json!(subscribed)),
    ];
    assert_eq!(methods.len(), description.methods.len());
    for (name, parameters, reply) in methods {
        let (described_parameters, described_reply) = &description.methods[name];
        description.check(name, described_parameters, &parameters, true);
        description.check(name, described_reply, &reply, true);
        let message =
            json!({"method": format!("io.nipart.{name}"), "parameters": parameters}).to_string();
        let call: Call<'_> = serde_json::from_str(&message).unwrap();
        Request::understand(&call).unwrap();
        // What is optional may be left out, or null as some clients write.
        let required: Value = described_parameters
            .iter()
            .map(|(field, kind)| match kind.starts_with('?') {
                true => (field.clone(), Value::Null),
                false => (field.clone(), parameters[field].clone()),
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let message =
            json!({"method": format!("io.nipart.{name}"), "parameters": required}).to_string();
        Request::understand(&serde_json::from_str(&message).unwrap()).unwrap();
    }
}

#[test]
fn every_kind_of_error_is_described() {
    use ErrorKind::*;
    for kind in [
        InvalidArgument,
        NotSupported,
        PermissionDenied,
        NotFound,
        Busy,
        Timeout,
        Cancelled,
        PluginFailure,
        KernelRefused,
        VerificationFailed,
        DaemonUnreachable,
        Storage,
        Protocol,
        Bug,
    ] {
        let word = json!(kind).as_str().unwrap().to_string();
        assert!(INTERFACE_DESCRIPTION.contains(&word), "{word}");
    }
}
