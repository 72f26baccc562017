// SPDX-License-Identifier: Apache-2.0

//! Before anything is locked: which links a file means that doesn't call all of them by the kernel's names.

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::journal::{Commit, JournalClosing, SavedScope};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::QueryScope;
use uuid::Uuid;

use crate::ask;
use crate::peers::Peers;
use crate::transaction::close;

/// The state with the kernel's names; see [`nipart_state::identify`]. All links are read only if there is something to
/// find out.
///
/// # Errors
/// When a link can't be found, or a peer fails.
pub(crate) async fn identified(
    peers: &impl Peers,
    state: NetworkState,
    missing: MissingInterfaces,
) -> Result<NetworkState, NipartError> {
    let names_functions = nipart_state::names_functions(&state);
    let has_others = nipart_state::has_identities(&state) || names_functions;
    if !has_others && all_exist(peers, &state).await? {
        return Ok(state);
    }
    let scope = QueryScope {
        cards: names_functions,
        ..QueryScope::default()
    };
    let (present, saved) = futures::try_join!(
        ask::query(peers, scope),
        ask::load_saved(peers, SavedScope::default())
    )?;
    nipart_state::identify(&state, &present, &saved.state, missing)
}

/// Whether every reference is a kernel name, as far as that isn't plain from the state.
async fn all_exist(peers: &impl Peers, state: &NetworkState) -> Result<bool, NipartError> {
    let names = nipart_state::unlisted(state);
    if names.is_empty() {
        return Ok(true);
    }
    let scope = QueryScope {
        interfaces: Some(names.clone()),
        ..QueryScope::default()
    };
    let present = ask::query(peers, scope).await?;
    let present = present.by_name();
    Ok(names.iter().all(|name| present.contains_key(name.as_str())))
}

/// The saved state with the names that its links have now. A new name is remembered.
pub(crate) async fn found_again(peers: &impl Peers, saved: NetworkState) -> NetworkState {
    let found = match identified(peers, saved.clone(), MissingInterfaces::Await).await {
        Ok(found) => found,
        Err(error) => {
            tracing::error!("links can't be told by their addresses: {error}");
            return saved;
        }
    };
    let before = saved.interfaces.iter();
    let both = before.zip(&found.interfaces);
    let renamed = both.filter(|(before, now)| before.name != now.name && now.identity().is_some());
    let interfaces: Vec<Interface> = renamed.map(|(_, now)| only_identity(now)).collect();
    if !interfaces.is_empty() {
        let closing = JournalClosing {
            id: Uuid::now_v7(),
            commit: Some(Commit {
                state: NetworkState {
                    interfaces,
                    ..NetworkState::default()
                },
                volatile: false,
            }),
        };
        if let Err(error) = close(peers, closing).await {
            tracing::error!("new names of links can't be remembered: {error}");
        }
    }
    found
}

/// What is saved lies below: it follows the link to its name.
fn only_identity(interface: &Interface) -> Interface {
    Interface {
        state: interface.state,
        identifier: interface.identifier,
        profile_name: interface.profile_name.clone(),
        mac_address: interface.mac_address.clone(),
        pci_address: interface.pci_address,
        ..Interface::named(&interface.name)
    }
}
