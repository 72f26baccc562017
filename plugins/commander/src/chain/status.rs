// SPDX-License-Identifier: Apache-2.0

//! status: config: all that is saved; kernel, dhcp → state: decide → per interface, what is not as saved.

use std::collections::{BTreeMap, BTreeSet};

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::InterfaceState;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::operation::Operation;
use nipart_schemas::request::{InterfaceStatus, StatusReport, SyncState};

use super::start::wish;
use crate::ask;
use crate::peers::Peers;
use crate::transaction::assess;

/// Under which names routes without an interface, and rules, are reported.
const ROUTES: &str = "routes";
/// The same for name resolution and host names of the whole machine.
const DNS_RESOLVER: &str = "dns-resolver";
const HOST_NAME: &str = "hostname";
const RULES: &str = "route-rules";

/// Compares what is saved with the kernel; `failures` are known from before, by interface.
///
/// # Errors
/// When a peer fails.
pub async fn status(
    peers: &impl Peers,
    failures: &BTreeMap<String, String>,
) -> Result<StatusReport, NipartError> {
    let saved = ask::load_saved(peers, SavedScope::default()).await?.state;
    let decision = assess(peers, &wish(saved.clone()), false).await?.decision;
    let pending: BTreeSet<&str> = decision.pending.iter().map(String::as_str).collect();
    let mut left: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for operation in decision.plan.operations() {
        let name = operation.interface().unwrap_or(match operation {
            Operation::ChangeDns(_) => DNS_RESOLVER,
            Operation::ChangeHostName(_) => HOST_NAME,
            Operation::AddRule(_) | Operation::RemoveRule(_) => RULES,
            _ => ROUTES,
        });
        left.entry(name).or_default().push(operation.to_string());
    }
    let names: BTreeSet<&str> = saved
        .interfaces
        .iter()
        .filter(|interface| interface.wanted_state() != InterfaceState::Ignore)
        .map(|interface| interface.name.as_str())
        .chain(left.keys().copied())
        .collect();
    let interfaces = names
        .into_iter()
        .map(|name| {
            let operations = left.get(name).cloned().unwrap_or_default();
            let state = match (
                operations.is_empty(),
                pending.contains(name),
                failures.contains_key(name),
            ) {
                (_, true, _) => SyncState::Pending,
                (true, ..) => SyncState::InSync,
                (false, _, true) => SyncState::Failed,
                (false, _, false) => SyncState::Drifted,
            };
            let reason = failures
                .get(name)
                .filter(|_| state == SyncState::Failed)
                .cloned();
            InterfaceStatus {
                interface: name.to_string(),
                state,
                operations,
                reason,
            }
        })
        .collect();
    Ok(StatusReport {
        interfaces,
        ..StatusReport::default()
    })
}
