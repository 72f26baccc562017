// SPDX-License-Identifier: Apache-2.0

//! lease acquired, changed, renewed or lost: config: what is saved for the link → transaction with the lease.

use std::collections::BTreeSet;
use std::slice;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::ip::IpFamily;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::lease::{Lease, LeaseEvent, LeaseKey, LeaseLoss, LeaseProtocol};
use nipart_schemas::network_state::NetworkState;

use super::apply::LOCK_TIMEOUT;
use super::link::hands_off;
use super::start::wish;
use crate::ask;
use crate::lock::{LockGuard, LockSet, Locks};
use crate::peers::Peers;
use crate::transaction::{Wish, transact_despite_names};

/// Puts what the lease brings on the link, or takes it off.
///
/// # Errors
/// When that can't be made so.
pub async fn lease(
    peers: &impl Peers,
    locks: &Locks,
    event: LeaseEvent,
) -> Result<(), NipartError> {
    let (key, lease): (LeaseKey, Option<Lease>) = match event {
        LeaseEvent::Lost {
            reason: LeaseLoss::Released,
            protocol: LeaseProtocol::RouterAdvertisement,
            interface,
        } => return unheard(peers, locks, interface).await,
        // Whoever stopped the client took its address off.
        LeaseEvent::Lost {
            reason: LeaseLoss::Released,
            ..
        } => return Ok(()),
        LeaseEvent::Lost {
            interface,
            protocol,
            reason,
        } => {
            let key = LeaseKey {
                interface,
                protocol,
            };
            if reason == LeaseLoss::LinkLost {
                return forget_network(peers, locks, key).await;
            }
            (key, None)
        }
        LeaseEvent::Acquired(lease) | LeaseEvent::Changed(lease) | LeaseEvent::Renewed(lease) => {
            (lease.key(), Some(lease))
        }
    };
    let name = key.interface.as_str();
    let mut guard = lock(locks, name).await?;
    let saved = saved_around(peers, name).await?;
    let Some(wanted) = saved
        .interface(name)
        .filter(|interface| interface.wants_lease(key.protocol))
    else {
        // Turned off while the event was under way.
        return Ok(());
    };
    // Only what leases decide about: the rest of the link is not this chain's business.
    let desired = NetworkState {
        interfaces: vec![match key.protocol.family() {
            IpFamily::Ipv4 => Interface {
                ipv4: wanted.ipv4.clone(),
                mtu: wanted.mtu,
                ..Interface::named(name)
            },
            IpFamily::Ipv6 => Interface {
                ipv6: wanted.ipv6.clone(),
                ..Interface::named(name)
            },
        }],
        ..NetworkState::default()
    };
    let wish = Wish {
        without_lease: if lease.is_none() {
            vec![key]
        } else {
            Vec::new()
        },
        leases: Some(lease.into_iter().collect()),
        ..wish(desired)
    };
    transact_despite_names(peers, slice::from_mut(&mut guard), &wish)
        .await
        .map(|_| ())
}

async fn lock(locks: &Locks, name: &str) -> Result<LockGuard, NipartError> {
    let locked = LockSet::Names(BTreeSet::from([name.to_string()]));
    let holder = format!("the lease of {name}");
    locks.acquire(locked, &holder, LOCK_TIMEOUT).await
}

/// What is saved for the link.
async fn saved_around(peers: &impl Peers, name: &str) -> Result<NetworkState, NipartError> {
    let scope = SavedScope {
        interfaces: Some(vec![name.to_string()]),
        persistent_only: false,
    };
    Ok(ask::load_saved(peers, scope).await?.state)
}

/// Without the link the lease may still be good, but its DNS servers can't be reached. Routers have lent nothing: the next
/// ones may be others, and advertise other routes.
async fn forget_network(
    peers: &impl Peers,
    locks: &Locks,
    key: LeaseKey,
) -> Result<(), NipartError> {
    let mut guard = lock(locks, &key.interface).await?;
    forget(peers, &mut guard, key).await
}

/// Nobody listens to routers any more: a link that became a port, or is nobody's, keeps nothing of theirs.
async fn unheard(peers: &impl Peers, locks: &Locks, interface: String) -> Result<(), NipartError> {
    let mut guard = lock(locks, &interface).await?;
    let saved = saved_around(peers, &interface).await?;
    let protocol = LeaseProtocol::RouterAdvertisement;
    let saved = saved.interface(&interface);
    if saved.is_some_and(|interface| interface.wants_lease(protocol)) {
        // It listens again by now, or is going to.
        return Ok(());
    }
    let key = LeaseKey {
        interface,
        protocol,
    };
    forget(peers, &mut guard, key).await
}

async fn forget(
    peers: &impl Peers,
    guard: &mut LockGuard,
    key: LeaseKey,
) -> Result<(), NipartError> {
    let desired = hands_off(&key.interface);
    let wish = Wish {
        without_lease: vec![key],
        leases: Some(Vec::new()),
        ..wish(desired)
    };
    transact_despite_names(peers, slice::from_mut(guard), &wish)
        .await
        .map(|_| ())
}
