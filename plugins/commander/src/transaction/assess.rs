// SPDX-License-Identifier: Apache-2.0

//! Before anything is changed: what there is is read, side by side, and what is to be done decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use nipart_schemas::decision::{Decision, DecisionRequest};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::{Ipv4, Ipv6};
use nipart_schemas::journal::SavedScope;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::Operation;
use nipart_schemas::request::QueryScope;
use nipart_schemas::unread::Unread;

use super::touched::reaches_beyond;
use super::{Wish, before};
use crate::ask;
use crate::peers::Peers;

/// What a decision was made from, before anything is changed.
pub struct Situation {
    pub(crate) request: DecisionRequest,
    /// What to do.
    pub decision: Decision,
}

impl Wish {
    pub(super) fn scope(&self) -> QueryScope {
        let scope = scope_of(&self.desired);
        QueryScope {
            dns: self.with_names && (scope.dns || !self.without_lease.is_empty()),
            without_connected_routes: !self.touches_routes(),
            ..scope
        }
    }

    /// Whether routes may have to be changed even where all links and addresses are as wanted.
    fn touches_routes(&self) -> bool {
        let with_lease = self.leases.is_some() || !self.without_lease.is_empty();
        let mut interfaces = self.desired.interfaces.iter();
        with_lease || !self.desired.config_routes().is_empty() || interfaces.any(needs_lease)
    }
}

/// The scope of a query about everything that `state` can touch.
pub fn scope_of(state: &NetworkState) -> QueryScope {
    let names: BTreeSet<String> = state.mentioned_interfaces();
    QueryScope {
        interfaces: Some(names.into_iter().collect()),
        routes: true,
        dns: state.touches_names(),
        all_routes: state.config_routes().iter().any(reaches_beyond),
        rules: !state.rules().is_empty(),
        hardware: state.with_hardware(),
        ..QueryScope::default()
    }
}

/// Reads all that a decision needs, side by side, and decides.
///
/// # Errors
/// When the wanted state is refused, or a peer fails.
pub async fn assess(
    peers: &impl Peers,
    wish: &Wish,
    explain: bool,
) -> Result<Situation, NipartError> {
    let scope = wish.scope();
    let saved_scope = SavedScope {
        // What is there may be a next hop of ours through any interface, or a rule of ours.
        interfaces: scope
            .interfaces
            .clone()
            .filter(|_| !scope.all_routes && !scope.rules),
        persistent_only: false,
    };
    let whole = QueryScope {
        without_connected_routes: false,
        ..scope.clone()
    };
    let mut lacks_routes = scope.without_connected_routes;
    let leases = async {
        let wants_dhcp = wish.desired.interfaces.iter().any(needs_lease);
        match &wish.leases {
            Some(leases) => Ok(leases.clone()),
            None if wants_dhcp => ask::query_leases(peers).await,
            None => Ok(Vec::new()),
        }
    };
    let (mut observed, saved, leases) = futures::try_join!(
        ask::observe(peers, scope),
        ask::load_saved(peers, saved_scope),
        leases
    )?;
    let mut desired = wish.desired.clone();
    if desired.has_hidden_secrets() {
        desired.reveal_secrets(observed.read()?);
        desired.reveal_secrets(&saved.state);
    }
    if desired.leaves_out(&saved.state) && desired.revive(observed.read()?, &saved.state) {
        // What comes back may lean on what the wish doesn't mention.
        observed = ask::observe(peers, scope_of(&desired)).await?;
        lacks_routes = false;
    }
    if !desired.rules().is_empty() {
        desired.give_priorities(observed.read()?);
    }
    if wish.leaves_down {
        leave_down(&mut desired, observed.read()?);
    }
    let observed = with_presumed_link_modes(observed, &saved.state)?;
    let mut request = Arc::new(DecisionRequest {
        desired,
        observed,
        saved: saved.state,
        leases,
        without_lease: wish.without_lease.clone(),
        missing: wish.missing,
        explain,
        undo: None,
    });
    let mut decision = ask::decide(peers, Arc::clone(&request)).await?;
    let has_links = || Ok::<_, NipartError>(!request.observed.read()?.interfaces.is_empty());
    if lacks_routes && !decision.plan.is_empty() && has_links()? {
        // Links and addresses that change take routes along, and what was is to be undone as a whole.
        let observed = ask::observe(peers, whole).await?;
        let observed = with_presumed_link_modes(observed, &request.saved)?;
        Arc::make_mut(&mut request).observed = observed;
        decision = ask::decide(peers, Arc::clone(&request)).await?;
    }
    let takes_links_away =
        |operation: &Operation| matches!(operation, Operation::DeleteLink { .. });
    if decision.plan.operations().any(takes_links_away) {
        // What is stacked upon such a link goes with it, or has to come back, and isn't found around it.
        let hardware = request.saved.with_hardware();
        let whole = Arc::make_mut(&mut request);
        let observed = std::mem::take(&mut whole.observed).into_read()?;
        let observed = before::complete(peers, &decision.plan, observed, hardware).await?;
        whole.observed = observed.into();
        decision = ask::decide(peers, Arc::clone(&request)).await?;
    }
    Ok(Situation {
        request: Arc::unwrap_or_clone(request),
        decision,
    })
}

/// What the kernel has, and `set` of the link modes that it doesn't tell.
pub(super) fn with_presumed_link_modes(
    observed: Unread<NetworkState>,
    set: &NetworkState,
) -> Result<Unread<NetworkState>, NipartError> {
    if !set.has_link_modes() {
        return Ok(observed);
    }
    let mut observed = observed.into_read()?;
    observed.presume_link_modes(set);
    Ok(observed.into())
}

/// Keeps hands off what is wanted up and is down.
fn leave_down(desired: &mut NetworkState, observed: &NetworkState) {
    let observed = observed.by_name();
    let is = |interface: &Interface, state| interface.wanted_state() == state;
    for wanted in &mut desired.interfaces {
        let present = observed.get(wanted.name.as_str());
        let is_down = present.is_some_and(|present| is(present, InterfaceState::Down));
        if is_down && is(wanted, InterfaceState::Up) {
            *wanted = Interface::ignored(&wanted.name);
        }
    }
}

fn needs_lease(interface: &Interface) -> bool {
    interface.wanted_leases().next().is_some()
        || interface.ipv4.as_ref().is_some_and(Ipv4::uses_leases)
        || interface.ipv6.as_ref().is_some_and(Ipv6::uses_leases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_are_kept_off_what_is_down() {
        let state = |text: &str| nipart_schemas::yaml::parse::<NetworkState>(text).unwrap();
        let mut desired = state(
            "interfaces: [{name: v1, mtu: 1400}, {name: v2, mtu: 1400}, {name: v3, mtu: 1400}, {name: v4, state: down}]",
        );
        let observed = state(
            "interfaces: [{name: v1, state: down}, {name: v2, state: up}, {name: v4, state: down}]",
        );
        leave_down(&mut desired, &observed);
        let expected = state(
            "interfaces: [{name: v1, state: ignore}, {name: v2, mtu: 1400}, {name: v3, mtu: 1400}, {name: v4, state: down}]",
        );
        assert_eq!(desired, expected);
    }
}
