// SPDX-License-Identifier: Apache-2.0

//! show: kernel (with what only we know) → client, or config → client.

use std::collections::{BTreeMap, BTreeSet};

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, WaitIp};
use nipart_schemas::ip::IpFamily;
use nipart_schemas::journal::SavedScope;
use nipart_schemas::lease::{LeaseKey, LeaseProtocol};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::{QueryScope, ShowRequest, StateSource};
use nipart_schemas::route_rule::RouteRules;

use crate::ask;
use crate::peers::Peers;

/// What only Nipart knows of interfaces.
#[derive(Debug, Default)]
pub struct Known {
    /// Those that clients look after.
    pub with_lease: BTreeSet<LeaseKey>,
    /// Those of whose hardware it set something.
    pub with_hardware: Vec<String>,
    /// What an apply waits for, by interface.
    pub awaited_addresses: BTreeMap<String, WaitIp>,
}

/// The state that the request means. To ask for settings of the hardware takes its time: that is done for network
/// cards, and for other links that are named or of which something was set.
///
/// # Errors
/// Kind `not-found` when a named interface is neither there nor saved.
pub async fn show(
    peers: &impl Peers,
    request: &ShowRequest,
    known: &Known,
) -> Result<NetworkState, NipartError> {
    let has_patterns = request.interfaces.iter().any(|name| is_pattern(name));
    let named =
        (!request.interfaces.is_empty() && !has_patterns).then(|| request.interfaces.clone());
    let state = match request.source {
        StateSource::Saved => {
            let scope = SavedScope {
                interfaces: named,
                persistent_only: true,
            };
            ask::load_saved(peers, scope).await?.state
        }
        StateSource::Running | StateSource::Kernel => {
            let scope = QueryScope {
                routes: true,
                dns: true,
                rules: request.interfaces.is_empty(),
                cards: named.is_none(),
                hardware: named.clone().unwrap_or_else(|| known.with_hardware.clone()),
                interfaces: named,
                ..QueryScope::default()
            };
            let mut state = ask::query(peers, scope).await?;
            state.lost_endpoints.clear();
            state
                .interfaces
                .iter_mut()
                .for_each(Interface::show_mptcp_flags);
            // Every kernel has them, and nobody sets them.
            let rules = state.rules().iter().filter(|rule| !rule.is_kernels());
            state.route_rules = RouteRules::of(rules.cloned().collect());
            state
        }
    };
    let mut state = only_named(state, &request.interfaces)?;
    if request.source == StateSource::Running {
        for interface in &mut state.interfaces {
            for family in IpFamily::ALL {
                let key = LeaseKey {
                    interface: interface.name.clone(),
                    protocol: LeaseProtocol::lending(family),
                };
                if known.with_lease.contains(&key) {
                    show_dhcp(interface, family);
                }
            }
            interface.wait_ip = known.awaited_addresses.get(&interface.name).copied();
        }
    }
    if !request.show_secrets {
        state.hide_secrets();
    }
    Ok(state)
}

/// Without an address yet, the kernel has nothing to show.
fn show_dhcp(interface: &mut Interface, family: IpFamily) {
    match family {
        IpFamily::Ipv4 => {
            let ipv4 = interface.ipv4.get_or_insert_default();
            (ipv4.enabled, ipv4.dhcp) = (Some(true), Some(true));
        }
        IpFamily::Ipv6 => {
            let ipv6 = interface.ipv6.get_or_insert_default();
            (ipv6.enabled, ipv6.dhcp) = (Some(true), Some(true));
        }
    }
}

/// A query brings related interfaces along; shown are those that were asked for. A pattern may match none.
fn only_named(mut state: NetworkState, names: &[String]) -> Result<NetworkState, NipartError> {
    if names.is_empty() {
        return Ok(state);
    }
    if let Some(missing) = names
        .iter()
        .find(|name| !is_pattern(name) && state.interface(name).is_none())
    {
        return Err(NipartError::new(
            ErrorKind::NotFound,
            format!("there is no interface {missing}"),
        ));
    }
    let is_meant = |interface: &str| {
        names
            .iter()
            .any(|name| matches(name.as_bytes(), interface.as_bytes()))
    };
    (state.hostname, state.dns_resolver) = (None, None);
    state
        .interfaces
        .retain(|interface| is_meant(&interface.name));
    if let Some(routes) = &mut state.routes {
        for list in [&mut routes.running, &mut routes.config]
            .into_iter()
            .flatten()
        {
            list.retain(|route| route.next_hop_interface.as_deref().is_some_and(is_meant));
        }
    }
    state.route_rules = None;
    Ok(state)
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Shell patterns with `*` and `?`. Names have 15 bytes, so trying every split is cheap.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|start| matches(rest, &name[start..])),
        (Some((b'?', rest)), Some((_, tail))) => matches(rest, tail),
        (Some((wanted, rest)), Some((found, tail))) => wanted == found && matches(rest, tail),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("eth0", "eth0", true),
            ("eth0", "eth01", false),
            ("eth*", "eth0", true),
            ("*", "lo", true),
            ("e?h0", "eth0", true),
            ("e?h0", "eh0", false),
            ("*.1*", "eth0.100", true),
            ("?", "", false),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
