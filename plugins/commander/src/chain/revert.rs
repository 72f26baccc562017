// SPDX-License-Identifier: Apache-2.0

//! generate-revert: kernel, config: what `state` speaks of → the state that leads back there → client.

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::revert::revert_of;

use crate::ask;
use crate::identity::identified;
use crate::peers::Peers;
use crate::transaction::scope_of;

/// The state that would undo `state` if it were applied now.
///
/// # Errors
/// When the kernel, or what is saved, can't be read.
pub async fn revert(peers: &impl Peers, state: &NetworkState) -> Result<NetworkState, NipartError> {
    let state = identified(peers, state.clone(), MissingInterfaces::Refuse).await?;
    let mut scope = scope_of(&state);
    let goes = |interface: &Interface| interface.wanted_state().takes_down();
    if state.interfaces.iter().any(goes) {
        // Whatever is stacked upon it goes with it.
        scope.interfaces = None;
    }
    let saved_scope = SavedScope {
        interfaces: scope.interfaces.clone(),
        persistent_only: false,
    };
    let (mut current, saved) = futures::try_join!(
        ask::query(peers, scope),
        ask::load_saved(peers, saved_scope)
    )?;
    current.learn_awaited_addresses(&saved.state);
    current.learn_uses_of_leases(&saved.state);
    let mut back = revert_of(&state, &current);
    back.hide_secrets();
    Ok(back)
}
