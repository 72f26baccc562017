// SPDX-License-Identifier: Apache-2.0

//! links changed: lock → config: what is saved for them; kernel, dhcp → state: decide. Nothing to do? Then nobody has
//! interfered. Else, by the interface's policy: say so → or transaction → or config: save what is now.

use std::collections::{BTreeMap, HashSet};
use std::slice;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{DriftPolicy, Interface};
use nipart_schemas::journal::{Commit, JournalClosing, SavedScope};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::revert::revert_of;
use nipart_schemas::route::{Route, RouteKey, RouteState, Routes};

use super::apply::LOCK_TIMEOUT;
use super::start::wish;
use crate::ask;
use crate::lock::{self, LockGuard, Locks};
use crate::peers::Peers;
use crate::transaction::{assess, close, scope_of, transact};

/// Looks whether these links are still as saved, and does what their policies say. Returns what was found, by link.
///
/// # Errors
/// When a peer fails, or what is saved can't be made so.
pub async fn drift(
    peers: &impl Peers,
    objects: &Locks,
    names: &[String],
) -> Result<BTreeMap<String, Vec<String>>, NipartError> {
    let scope = SavedScope {
        interfaces: Some(names.to_vec()),
        persistent_only: false,
    };
    let known = ask::load_saved(peers, scope.clone()).await?.state;
    // Under the lock: what a change of our own has done by half is nobody's interference.
    let mut guard = objects
        .acquire(
            lock::set_for(&known),
            "the look at what somebody has changed",
            LOCK_TIMEOUT,
        )
        .await?;
    // Once more: it may have changed while we waited.
    let saved = ask::load_saved(peers, scope).await?.state;
    let decision = assess(peers, &wish(saved.clone()), false).await?.decision;
    let mut drifted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for operation in decision.plan.operations() {
        if let Some(name) = operation
            .interface()
            .filter(|name| saved.interface(name).is_some())
        {
            drifted
                .entry(name.to_string())
                .or_default()
                .push(operation.to_string());
        }
    }
    let with_policy = |policy: DriftPolicy| -> Vec<String> {
        let mut found = drifted.keys().filter_map(|name| saved.interface(name));
        let named = found
            .by_ref()
            .filter(|interface| interface.drift.unwrap_or_default() == policy);
        named.map(|interface| interface.name.clone()).collect()
    };
    for name in with_policy(DriftPolicy::Report) {
        let left = drifted
            .get(&name)
            .map(|left| left.join("; "))
            .unwrap_or_default();
        tracing::warn!(
            interface = name,
            "{name} is no longer as saved; to make it so: {left}"
        );
    }
    let restored = with_policy(DriftPolicy::Restore);
    if !restored.is_empty() {
        restore(peers, &mut guard, &saved.scoped(&restored)).await?;
    }
    let adopted = with_policy(DriftPolicy::Adopt);
    if !adopted.is_empty() {
        adopt(peers, &only(&saved, &adopted)).await?;
    }
    Ok(drifted)
}

async fn restore(
    peers: &impl Peers,
    guard: &mut LockGuard,
    saved: &NetworkState,
) -> Result<(), NipartError> {
    let outcome = transact(peers, slice::from_mut(guard), &wish(saved.clone())).await?;
    for operation in outcome.plan.operations() {
        tracing::warn!("somebody had changed what is saved: {operation}");
    }
    Ok(())
}

/// Saves the present value of each key that is saved.
async fn adopt(peers: &impl Peers, saved: &NetworkState) -> Result<(), NipartError> {
    let mut current = ask::query(peers, scope_of(saved)).await?;
    current.learn_uses_of_leases(saved);
    let state = present_values(saved, &current);
    for interface in &state.interfaces {
        tracing::warn!(
            interface = interface.name,
            "what somebody has changed of {} is saved",
            interface.name
        );
    }
    close(
        peers,
        JournalClosing {
            id: peers.chain(),
            commit: Some(Commit {
                state,
                volatile: false,
            }),
        },
    )
    .await
}

/// What is there of what is saved.
fn present_values(saved: &NetworkState, current: &NetworkState) -> NetworkState {
    let mut state = revert_of(
        &NetworkState {
            routes: None,
            ..saved.clone()
        },
        current,
    );
    for interface in &mut state.interfaces {
        // Nobody but the user says that.
        interface.wait_ip = None;
        if let Some(present) = current.interface(&interface.name) {
            interface.state = present.state;
        }
        let was_on = saved
            .interface(&interface.name)
            .and_then(|saved| saved.ipv4.as_ref()?.enabled);
        // Without an address it is shown as off; whoever took the address away didn't mean that.
        if let Some(ipv4) = interface.ipv4.as_mut().filter(|_| was_on == Some(true)) {
            ipv4.enabled = was_on;
        }
    }
    let present: HashSet<RouteKey> = current.running_routes().iter().map(Route::key).collect();
    let lost = saved
        .config_routes()
        .iter()
        .filter(|route| !present.contains(&route.key()));
    let config: Vec<Route> = lost
        .map(|route| Route {
            state: Some(RouteState::Absent),
            ..route.clone()
        })
        .collect();
    state.routes = (!config.is_empty()).then_some(Routes {
        running: None,
        config: Some(config),
    });
    state
}

/// These interfaces, the routes through them, and nothing else.
fn only(state: &NetworkState, names: &[String]) -> NetworkState {
    let interfaces: Vec<Interface> = state
        .interfaces
        .iter()
        .filter(|interface| names.contains(&interface.name))
        .cloned()
        .collect();
    let config: Vec<Route> = state
        .config_routes()
        .iter()
        .filter(|route| {
            route
                .next_hop_interface
                .as_ref()
                .is_some_and(|name| names.contains(name))
        })
        .cloned()
        .collect();
    NetworkState {
        interfaces,
        routes: Some(Routes {
            running: None,
            config: Some(config),
        }),
        ..NetworkState::default()
    }
}
