// SPDX-License-Identifier: Apache-2.0

//! What has to be known of the network before a plan is executed, so that all of it can be undone.

use std::collections::{BTreeSet, HashSet};

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::overlay::Overlay;
use nipart_schemas::request::QueryScope;

use crate::ask;
use crate::peers::Peers;

/// `observed`, with those links and their routes that the kernel changes along with the plan's: it hands a smaller MTU
/// on to what is stacked upon a link, and deletes that with it. `hardware` names the links whose settings were set by us:
/// they come back with a link.
pub(super) async fn complete(
    peers: &impl Peers,
    plan: &Plan,
    mut observed: NetworkState,
    hardware: Vec<String>,
) -> Result<NetworkState, NipartError> {
    let changed: Vec<&str> = plan.operations().filter_map(dragging).collect();
    if changed.is_empty() {
        return Ok(observed);
    }
    let scope = QueryScope {
        interfaces: None,
        routes: true,
        hardware,
        ..QueryScope::default()
    };
    let everything = ask::query(peers, scope).await?;
    let above = above(&everything, changed);
    // Those above may be ports of others, to which they may have to come back.
    let controllers = above
        .iter()
        .filter_map(|name| everything.interface(name)?.controller.as_deref());
    let missing: HashSet<&str> = above
        .iter()
        .copied()
        .chain(controllers)
        .filter(|name| observed.interface(name).is_none())
        .collect();
    for interface in &mut observed.interfaces {
        if let Some(complete) = everything.interface(&interface.name)
            && complete.has_hardware()
        {
            interface.fill_from(&complete.only_hardware());
        }
    }
    let is_missing = |name: &str| missing.contains(name);
    let interfaces = everything.interfaces.iter();
    let interfaces = interfaces.filter(|interface| is_missing(&interface.name));
    observed.interfaces.extend(interfaces.cloned());
    let routes = everything.running_routes().iter();
    let routes = routes.filter(|route| route.next_hop_interface.as_deref().is_some_and(is_missing));
    let routes: Vec<_> = routes.cloned().collect();
    if !routes.is_empty() {
        let section = observed.routes.get_or_insert_default();
        section.running.get_or_insert_default().extend(routes);
    }
    Ok(observed)
}

/// The link whose change the kernel hands on.
fn dragging(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::DeleteLink { interface } => Some(interface),
        Operation::ChangeLink(changes) if changes.mtu.is_some() => Some(&changes.interface),
        _ => None,
    }
}

/// All that hangs on these links: ports, what is stacked upon them, peers, and what hangs on those.
fn above<'s>(state: &'s NetworkState, changed: Vec<&'s str>) -> BTreeSet<&'s str> {
    let mut found = BTreeSet::new();
    let mut open: HashSet<&str> = changed.into_iter().collect();
    while !open.is_empty() {
        let hangs = |interface: &&Interface| {
            let controller = interface.controller.as_deref();
            let on = [
                controller,
                interface.base_interface(),
                interface.veth_peer(),
            ];
            on.into_iter().flatten().any(|name| open.contains(name))
        };
        let more = state.interfaces.iter().filter(hangs);
        let more: HashSet<&str> = more.map(|interface| interface.name.as_str()).collect();
        open = more
            .into_iter()
            .filter(|name| found.insert(*name))
            .collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_on_a_link() {
        let text = "
interfaces:
- {name: a, type: veth, veth: {peer: b}}
- {name: b, type: veth, veth: {peer: a}, controller: br0}
- {name: br0, type: linux-bridge}
- {name: m, type: mac-vlan, mac-vlan: {base-iface: b, mode: bridge}}
- {name: n, type: mac-vlan, mac-vlan: {base-iface: m, mode: bridge}}
- {name: alone, type: linux-bridge}
";
        let state: NetworkState = nipart_schemas::yaml::parse(text).unwrap();
        let names = |changed: &'static str| {
            let found: Vec<&str> = above(&state, vec![changed]).into_iter().collect();
            found.join(" ")
        };
        assert_eq!(names("a"), "a b m n");
        assert_eq!(names("br0"), "a b m n");
        assert_eq!(names("m"), "n");
        assert_eq!(names("alone"), "");
    }
}
