// SPDX-License-Identifier: Apache-2.0

//! plan: what an apply would do. query, saved, leases → state: decide → client.

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::request::{PlanReport, PlanRequest};

use crate::identity::identified;
use crate::peers::Peers;
use crate::transaction::{Remember, Wish, assess};

/// Tells exactly what [`super::apply::apply`] would execute now.
///
/// # Errors
/// When the state is refused, or a peer fails.
pub async fn plan(peers: &impl Peers, request: PlanRequest) -> Result<PlanReport, NipartError> {
    let desired = request.state.without_shown_only();
    let wish = Wish {
        desired: identified(peers, desired, MissingInterfaces::Refuse).await?,
        missing: MissingInterfaces::Refuse,
        leases: None,
        without_lease: Vec::new(),
        with_names: true,
        verify: false,
        remember: Remember::No,
        origin: None,
        awaits_addresses: false,
        confirm_within: None,
    };
    let mut decision = assess(peers, &wish, true).await?.decision;
    // Differences never tell them.
    decision.plan.hide_secrets();
    Ok(PlanReport {
        plan: decision.plan,
        differences: decision.differences,
    })
}
