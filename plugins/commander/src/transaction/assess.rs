// SPDX-License-Identifier: Apache-2.0

//! Before anything is changed: what there is is read, side by side, and what is to be done decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use nipart_schemas::decision::{Decision, DecisionRequest};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::ip::Ipv4;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::Operation;
use nipart_schemas::request::QueryScope;

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
            ..scope
        }
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
    let leases = async {
        let wants_dhcp = wish.desired.interfaces.iter().any(needs_lease);
        match &wish.leases {
            Some(leases) => Ok(leases.clone()),
            None if wants_dhcp => ask::query_leases(peers).await,
            None => Ok(Vec::new()),
        }
    };
    let (mut observed, saved, leases) = futures::try_join!(
        ask::query(peers, scope),
        ask::load_saved(peers, saved_scope),
        leases
    )?;
    let mut desired = wish.desired.clone();
    if desired.has_hidden_secrets() {
        desired.reveal_secrets(&observed);
        desired.reveal_secrets(&saved.state);
    }
    if desired.revive(&observed, &saved.state) {
        // What comes back may lean on what the wish doesn't mention.
        observed = ask::query(peers, scope_of(&desired)).await?;
    }
    desired.give_priorities(&observed);
    observed.presume_link_modes(&saved.state);
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
    let takes_links_away =
        |operation: &Operation| matches!(operation, Operation::DeleteLink { .. });
    if decision.plan.operations().any(takes_links_away) {
        // What is stacked upon such a link goes with it, or has to come back, and isn't found around it.
        let hardware = request.saved.with_hardware();
        let whole = Arc::make_mut(&mut request);
        let observed = std::mem::take(&mut whole.observed);
        whole.observed = before::complete(peers, &decision.plan, observed, hardware).await?;
        decision = ask::decide(peers, Arc::clone(&request)).await?;
    }
    Ok(Situation {
        request: Arc::unwrap_or_clone(request),
        decision,
    })
}

fn needs_lease(interface: &Interface) -> bool {
    interface.wants_dhcpv4() || interface.ipv4.as_ref().is_some_and(Ipv4::uses_leases)
}
