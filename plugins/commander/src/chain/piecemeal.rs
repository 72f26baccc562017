// SPDX-License-Identifier: Apache-2.0

//! Brings back saved state: as a whole, or piece by piece, for what is wrong with one interface, route or rule must not
//! keep the others down.

use std::collections::BTreeSet;
use std::slice;

use nipart_schemas::interface::Interface;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::Routes;
use nipart_schemas::route_rule::RouteRules;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::start::wish;
use crate::ask;
use crate::lock::LockGuard;
use crate::peers::Peers;
use crate::transaction::{Outcome, Wish, transact, transact_despite_names};

/// Brings back all of it, waiting for plugins until `deadline`, or what can be of it; see [`Wish::leaves_down`].
/// What can't be is logged.
pub(super) async fn bring_back(
    peers: &impl Peers,
    guard: &mut LockGuard,
    saved: &NetworkState,
    leaves_down: bool,
    deadline: Instant,
) -> Outcome {
    let everything = Wish {
        leaves_down,
        ..wish(saved.clone())
    };
    // Borrowed by one try after the other.
    let guards = Mutex::new(slice::from_mut(guard));
    let work = || async { transact(peers, &mut guards.lock().await, &everything).await };
    match ask::patiently(deadline, work).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!("the saved state can't be brought back as a whole: {error}");
            piecemeal(peers, guards.into_inner(), saved, leaves_down).await
        }
    }
}

async fn piecemeal(
    peers: &impl Peers,
    guards: &mut [LockGuard],
    saved: &NetworkState,
    leaves_down: bool,
) -> Outcome {
    let mut pending = Vec::new();
    for piece in pieces(saved) {
        let name = piece.interfaces.last().map(|interface| &interface.name);
        let lists = (piece.config_routes().first(), piece.rules().first());
        let what = match (name, lists) {
            (Some(name), _) => name.clone(),
            (None, (Some(route), _)) => format!("route {route}"),
            (None, (None, Some(rule))) => format!("rule {rule}"),
            (None, (None, None)) if piece.hostname.is_some() => "the host name".to_string(),
            (None, (None, None)) => "the DNS resolver".to_string(),
        };
        let wish = Wish {
            leaves_down,
            ..wish(piece)
        };
        match transact_despite_names(peers, guards, &wish).await {
            Ok(outcome) => pending.extend(outcome.pending),
            Err(error) => {
                tracing::error!("the saved state of {what} can't be brought back: {error}");
                // Whether the link is there may be just what is wrong: the monitor will tell.
                pending.push(what);
            }
        }
    }
    Outcome {
        pending,
        merged: saved.clone(),
        ..Outcome::default()
    }
}

/// Each interface behind those that it needs, then each route and each rule, then what the whole machine has.
fn pieces(saved: &NetworkState) -> impl Iterator<Item = NetworkState> {
    let interfaces = saved.interfaces.iter().map(|interface| NetworkState {
        interfaces: with_needed(saved, interface),
        ..NetworkState::default()
    });
    let routes = saved.config_routes().iter().map(|route| NetworkState {
        routes: Routes::of(vec![route.clone()]),
        ..NetworkState::default()
    });
    let host_name = saved.hostname.iter().map(|names| NetworkState {
        hostname: Some(names.clone()),
        ..NetworkState::default()
    });
    let resolver = saved.dns_resolver.iter().map(|section| NetworkState {
        dns_resolver: Some(section.clone()),
        ..NetworkState::default()
    });
    let rules = saved.rules().iter().map(|rule| NetworkState {
        route_rules: RouteRules::of(vec![rule.clone()]),
        ..NetworkState::default()
    });
    let lists = interfaces.chain(routes).chain(rules);
    lists.chain(host_name).chain(resolver)
}

/// The interface as the last one, those that it is stacked upon and the other end of its pair before it.
fn with_needed(saved: &NetworkState, interface: &Interface) -> Vec<Interface> {
    let mut names = BTreeSet::from([interface.name.as_str()]);
    let mut found = vec![interface];
    let mut next = 0;
    while let Some(current) = found.get(next).copied() {
        next += 1;
        let controller = current.controller.as_deref();
        let needed = [current.base_interface(), controller, current.veth_peer()];
        let needed = needed.into_iter().flatten().chain(current.further_bases());
        for name in needed {
            if let Some(other) = saved.interface(name).filter(|_| names.insert(name)) {
                found.push(other);
            }
        }
    }
    found.into_iter().rev().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_what_it_needs_and_nothing_else() {
        let text = "
interfaces:
- {name: v1, type: veth, veth: {peer: v2}}
- {name: v2, controller: br0}
- {name: br0, type: linux-bridge, bridge: {port: [{name: v2}]}}
- {name: mv1, type: mac-vlan, mac-vlan: {base-iface: v1, mode: bridge}}
routes:
  config: [{destination: 192.0.2.0/24, next-hop-interface: v1}]
route-rules:
  config: [{ip-from: 192.0.2.0/24, route-table: 5}]
";
        let saved: NetworkState = nipart_schemas::yaml::parse(text).unwrap();
        let names = |piece: &NetworkState| {
            let names = piece
                .interfaces
                .iter()
                .map(|interface| interface.name.as_str());
            names.collect::<Vec<_>>().join(" ")
        };
        let pieces: Vec<NetworkState> = pieces(&saved).collect();
        let found: Vec<String> = pieces.iter().map(names).collect();
        assert_eq!(
            found,
            ["br0 v2 v1", "br0 v2", "br0", "br0 v2 v1 mv1", "", ""]
        );
        assert_eq!(pieces[4].config_routes().len(), 1);
        assert_eq!(pieces[5].rules().len(), 1);
    }
}
